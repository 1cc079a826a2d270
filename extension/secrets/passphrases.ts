// Passphrases of repositories and keys of their keepers: kept by the editor's secret storage, by location, or taken from the
// environment. Never in settings, never in the log.

import { readFile, stat } from "node:fs/promises";
import type { SecretStorage } from "vscode";
import { isSameLocation } from "../model/location.js";

/** As the core takes key files. */
const MAX_KEY_BYTES = 65_536;

export class Passphrases {
  readonly #storage: SecretStorage;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(storage: SecretStorage, environment: NodeJS.ProcessEnv = process.env) {
    this.#storage = storage;
    this.#environment = environment;
  }

  /** REPRISE_PASSPHRASE (or REPRISE_RECOVERY_KEY) counts for the repository that REPRISE_REPOSITORY names, and for no other. */
  async get(location: string): Promise<string | undefined> {
    const stored = await this.#storage.get(passphraseOf(location));
    if (stored !== undefined) return stored;
    const { REPRISE_PASSPHRASE, REPRISE_RECOVERY_KEY } = this.#environment;
    return this.#isNamed(location) ? REPRISE_PASSPHRASE || REPRISE_RECOVERY_KEY || undefined : undefined;
  }

  async keep(location: string, passphrase: string): Promise<void> {
    await this.#storage.store(passphraseOf(location), passphrase);
  }

  /** The text of the key. From the environment as the command line takes it, for the repository that REPRISE_REPOSITORY names. */
  async keeperKey(location: string): Promise<string | undefined> {
    const stored = await this.#storage.get(keeperOf(location));
    if (stored !== undefined) return stored;
    const { REPRISE_KEEPER_KEY, REPRISE_KEEPER_KEY_FILE } = this.#environment;
    if (!this.#isNamed(location)) return undefined;
    return REPRISE_KEEPER_KEY || (REPRISE_KEEPER_KEY_FILE ? await readKeyFile(REPRISE_KEEPER_KEY_FILE) : undefined);
  }

  async hasOwnKeeperKey(location: string): Promise<boolean> {
    return (await this.#storage.get(keeperOf(location))) !== undefined;
  }

  async keepKeeperKey(location: string, key: string): Promise<void> {
    await this.#storage.store(keeperOf(location), key);
  }

  async forgetKeeperKey(location: string): Promise<void> {
    await this.#storage.delete(keeperOf(location));
  }

  /** Both. */
  async forget(location: string): Promise<void> {
    await this.#storage.delete(passphraseOf(location));
    await this.forgetKeeperKey(location);
  }

  /** By the environment, in any spelling. */
  #isNamed(location: string): boolean {
    const { REPRISE_REPOSITORY } = this.#environment;
    return REPRISE_REPOSITORY !== undefined && isSameLocation(REPRISE_REPOSITORY, location);
  }
}

/** What is no small file gives no key; the core says what is wrong with its text. */
async function readKeyFile(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !stats.isFile() || stats.size > MAX_KEY_BYTES) return undefined;
  return await readFile(path, "utf8").catch(() => undefined);
}

function passphraseOf(location: string): string {
  return `passphrase:${location}`;
}

function keeperOf(location: string): string {
  return `keeper:${location}`;
}
