// The local cache: indexes and manifests as they are stored, by object name, and map pages taken out of packs, by id, as
// envelopes of a kind of their own (`cache`). All of it is sealed with the repository's key where there is one and checked
// when it is read, so it leaks nothing and proves nothing. It can be deleted at any time; every failure of it is a miss.

import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export interface ObjectCache {
  /** Sealed bytes that never change under their name, or undefined. */
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  delete(name: string): Promise<void>;
}

/** Remembers nothing. */
export const NO_CACHE: ObjectCache = {
  get: async () => undefined,
  put: async () => {},
  delete: async () => {},
};

/** `$REPRISE_CACHE_DIR`, else `$XDG_CACHE_HOME/reprise`, else `~/.cache/reprise`. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.REPRISE_CACHE_DIR) return environment.REPRISE_CACHE_DIR;
  return join(environment.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "reprise");
}

/** A cache in a folder of its own for each repository. Nothing is created before the first put. */
export class FolderCache implements ObjectCache {
  readonly #folder: string;
  #counter = 0;

  constructor(cacheFolder: string, repositoryId: string) {
    this.#folder = join(cacheFolder, repositoryId);
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#folder, name));
    } catch {
      return undefined;
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, name);
    const temporary = `${path}.${process.pid}.${this.#counter++}.tmp`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true }).catch(() => {});
    }
  }

  async delete(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true }).catch(() => {});
  }
}
