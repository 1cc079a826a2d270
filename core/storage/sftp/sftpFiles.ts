// Durable changes to files below one folder of a server: complete temporary files, folders made on demand, no step through
// a symbolic link. The layout is that of a local repository folder (localFiles.ts), so both may be used in turns.

import { randomBytes } from "node:crypto";
import { RepriseError } from "../../errors.js";
import { parentOf, STALE_AFTER_MS, symlinkFound, TEMPORARY_FOLDER } from "../localFiles.js";
import { hasStatus, type SftpClient } from "./sftpClient.js";
import { withDiagnosis } from "./sftpErrors.js";
import { readFolder } from "./sftpList.js";
import { type FileAttributes, STATUS } from "./sftpPacket.js";
import { writeContents } from "./sftpTransfer.js";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY_NAME = /^[0-9]+-[0-9a-f]{16}(-link)?$/;

export class SftpFiles {
  /** Absolute, without a final slash. */
  readonly root: string;
  readonly location: string;
  /** The file system of the root when it was opened; undefined where the server cannot tell. */
  readonly #fileSystemId: bigint | undefined;
  /** Folders (relative) seen to be real folders. */
  readonly #folders = new Set<string>();
  #tidied = false;

  constructor(root: string, location: string, fileSystemId: bigint | undefined) {
    this.root = root;
    this.location = location;
    this.#fileSystemId = fileSystemId;
  }

  path(relative: string): string {
    if (relative === "") return this.root;
    return this.root === "/" ? `/${relative}` : `${this.root}/${relative}`;
  }

  newTemporaryPath(): string {
    return this.path(`${TEMPORARY_FOLDER}/${process.pid}-${randomBytes(8).toString("hex")}`);
  }

  /** Throws `STORAGE_FAILED` when the root is gone or is now on another file system: a disk may have been unmounted. */
  async checkAttached(client: SftpClient): Promise<void> {
    let cause: unknown;
    try {
      if (this.#fileSystemId === undefined) return void (await client.stat(this.root));
      const { fileSystemId } = await client.space(this.root);
      if (fileSystemId === this.#fileSystemId) return;
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      cause = error;
    }
    const message = `the folder of ${this.location} is no longer the one that was opened`;
    throw new RepriseError("backend", "STORAGE_FAILED", message, {
      data: { location: this.location },
      hint: "was the disk unmounted on the server? Mount it again and repeat the command",
      retry: "later",
      cause,
    });
  }

  /** Attributes, or undefined when there is nothing of that name. */
  async statIfThere(client: SftpClient, relative: string): Promise<FileAttributes | undefined> {
    try {
      return await client.stat(this.path(relative));
    } catch (error) {
      if (hasStatus(error, STATUS.noSuchFile)) return undefined;
      throw error;
    }
  }

  /** Makes the folder and its parents where missing. Throws `STORAGE_SYMLINK` for one that is a symbolic link. */
  async ensureFolder(client: SftpClient, folder: string): Promise<void> {
    if (folder === "" || this.#folders.has(folder)) return;
    const found = await this.statIfThere(client, folder);
    if (found === undefined) {
      await this.ensureFolder(client, parentOf(folder));
      await this.#makeFolder(client, folder);
    } else {
      await this.checkFolder(client, parentOf(folder));
      this.#checkIsFolder(folder, found);
    }
    this.#folders.add(folder);
  }

  /** Throws `STORAGE_SYMLINK` when a part of the folder path is a symbolic link. Trusts what was seen before. */
  async checkFolder(client: SftpClient, folder: string): Promise<void> {
    if (folder === "" || this.#folders.has(folder)) return;
    await this.checkFolder(client, parentOf(folder));
    const found = await this.statIfThere(client, folder);
    if (found === undefined) return;
    this.#checkType(folder, found);
    if (found.type === "folder") this.#folders.add(folder);
  }

  /** After a refusal: somebody may have removed or replaced them. */
  forgetFolders(): void {
    this.#folders.clear();
  }

  #checkType(folder: string, { type }: FileAttributes): void {
    if (type === "link") throw symlinkFound(this.path(folder));
  }

  #checkIsFolder(folder: string, found: FileAttributes): void {
    this.#checkType(folder, found);
    if (found.type === "folder") return;
    throw new RepriseError("backend", "STORAGE_FAILED", `${folder} in ${this.location} is no folder`, {
      data: { location: this.location, folder },
      hint: "something else stands where a folder of the repository must be",
    });
  }

  async #makeFolder(client: SftpClient, folder: string): Promise<void> {
    try {
      await client.makeFolder(this.path(folder), FOLDER_MODE);
    } catch (error) {
      const found = await this.statIfThere(client, folder); // another process may have been faster
      if (found?.type !== "folder") throw await withDiagnosis(error, client, this.root, 0);
    }
  }

  /** Writes and flushes a new file at `path`, in the folder of unfinished files. Leaves none behind when it throws. */
  async writeTemporary(client: SftpClient, path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.ensureFolder(client, TEMPORARY_FOLDER);
    const handle = await this.#openTemporary(client, path);
    try {
      await writeContents(client, handle, bytes, signal);
      if (client.has("fsync@openssh.com")) await client.flush(handle);
      await client.close(handle);
    } catch (error) {
      const diagnosed = await withDiagnosis(error, client, this.root, bytes.length);
      await client.close(handle).catch(() => undefined);
      await this.removeTemporary(client, path);
      throw diagnosed;
    }
  }

  async #openTemporary(client: SftpClient, path: string) {
    try {
      return await client.openNew(path, FILE_MODE);
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw await withDiagnosis(error, client, this.root, 0);
      await this.checkAttached(client); // else a folder would be made below an unmounted disk
      this.forgetFolders();
      await this.ensureFolder(client, TEMPORARY_FOLDER);
      return await client.openNew(path, FILE_MODE);
    }
  }

  /** Best effort: what stays is removed by a later removeStale. */
  async removeTemporary(client: SftpClient, path: string): Promise<void> {
    await client.remove(path).catch(() => undefined);
  }

  /**
   * Once per backend: removes temporary files that are STALE_AFTER_MS older than `own`, a new one of ours, so that only the
   * server's clock counts. Does nothing where that is not possible.
   */
  async removeStale(client: SftpClient, own: string): Promise<void> {
    if (this.#tidied) return;
    this.#tidied = true;
    try {
      const { modifiedAtS: now } = await client.stat(own);
      if (now === undefined) return;
      for (const { name, attributes } of await readFolder(client, this.path(TEMPORARY_FOLDER))) {
        const { type, modifiedAtS: modified = now } = attributes;
        const stale = type === "file" && (now - modified) * 1000 > STALE_AFTER_MS;
        if (stale && TEMPORARY_NAME.test(name))
          await this.removeTemporary(client, this.path(`${TEMPORARY_FOLDER}/${name}`));
      }
    } catch {
      // tidying up is nobody's condition for anything
    }
  }
}
