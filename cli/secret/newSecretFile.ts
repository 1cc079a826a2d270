// A file for a secret that is about to be made: opened before, so that a secret that cannot be written down is not made, and
// removed when it was not needed, so that an unused file does not look like a key.

import { type FileHandle, open, rm } from "node:fs/promises";
import { RepriseError } from "../../core/index.js";

export class NewSecretFile {
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** A new file that only its owner may read; `code` when there is one already, or it cannot be made. */
  static async create(path: string, what: string, code: string): Promise<NewSecretFile> {
    try {
      return new NewSecretFile(path, await open(path, "wx", 0o600));
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code === "EEXIST" ? "exists already" : "cannot be made";
      throw new RepriseError("usage", code, `the file for ${what}, ${path}, ${reason}`, {
        data: { path },
        hint: "name a new file in a folder that can be written",
        cause,
      });
    }
  }

  /** Durable when it resolves. */
  async write(text: string): Promise<void> {
    await this.#handle.writeFile(text);
    await this.#handle.sync();
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
