// Repositories of a configuration, each opened when a job first needs it, and closed together.

import type { Repository } from "../repository/repository.js";
import type { RepositorySource } from "./jobRequest.js";

export class OpenedRepositories implements RepositorySource {
  readonly #openOne: (name: string) => Promise<Repository>;
  readonly #opened = new Map<string, Repository>();

  constructor(openOne: (name: string) => Promise<Repository>) {
    this.#openOne = openOne;
  }

  /** One that could not be opened is tried again by the next job. */
  async open(name: string): Promise<Repository> {
    const opened = this.#opened.get(name) ?? (await this.#openOne(name));
    this.#opened.set(name, opened);
    return opened;
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const repositories = [...this.#opened.values()];
    this.#opened.clear();
    for (const repository of repositories) await repository.close();
  }
}
