// Passphrases of repositories: kept by the editor's secret storage, by location, or taken from the environment. Never in settings.

import type { SecretStorage } from "vscode";

export class Passphrases {
  readonly #storage: SecretStorage;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(storage: SecretStorage, environment: NodeJS.ProcessEnv = process.env) {
    this.#storage = storage;
    this.#environment = environment;
  }

  /** REPRISE_PASSPHRASE counts for the repository that REPRISE_REPOSITORY names, and for no other. */
  async get(location: string): Promise<string | undefined> {
    const stored = await this.#storage.get(keyOf(location));
    if (stored !== undefined) return stored;
    const { REPRISE_PASSPHRASE, REPRISE_REPOSITORY } = this.#environment;
    return REPRISE_REPOSITORY === location ? REPRISE_PASSPHRASE || undefined : undefined;
  }

  async keep(location: string, passphrase: string): Promise<void> {
    await this.#storage.store(keyOf(location), passphrase);
  }

  async forget(location: string): Promise<void> {
    await this.#storage.delete(keyOf(location));
  }
}

function keyOf(location: string): string {
  return `passphrase:${location}`;
}
