// Durable changes to files below one folder: complete temporary files, folders that survive a power loss, and no step
// through a symbolic link. Knows nothing about objects; localBackend.ts builds them from this.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type * as FsPromises from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { RepriseError } from "../errors.js";
import { systemCode } from "./localErrors.js";

/** The system calls in use, so that tests can make one of them fail. */
export type FileCalls = Pick<
  typeof FsPromises,
  "link" | "lstat" | "mkdir" | "open" | "readdir" | "rename" | "stat" | "unlink"
>;

/** Folder of unfinished files, below the root. */
export const TEMPORARY_FOLDER = "tmp";
/** Unfinished files of this age belong to nobody any more. */
export const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY_NAME = /^[0-9]+-[0-9a-f]{16}(-link)?$/;
/** Not blocking: opening a FIFO that somebody put there must not hang. Absent on Windows. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** What file systems answer that cannot open or flush a folder; their renames are as durable as they get. */
const NO_FOLDER_SYNC: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EBADF",
  "EINVAL",
  "EISDIR",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
]);

export class LocalFiles {
  readonly root: string;
  readonly calls: FileCalls;
  /** Device of the root when it was opened: an unmounted disk leaves an empty folder that looks like a fresh store. */
  readonly #device: bigint;
  /** Folders (relative) whose entry in their parent this process has flushed. */
  readonly #flushed = new Set<string>();
  /** Folders (relative) seen to be real folders; trusted for reads only. */
  readonly #seen = new Set<string>();

  constructor(root: string, device: bigint, calls: FileCalls) {
    this.root = root;
    this.#device = device;
    this.calls = calls;
  }

  path(relative: string): string {
    return relative === "" ? this.root : join(this.root, ...relative.split("/"));
  }

  /** Throws `STORAGE_FAILED` when the root is gone or is now on another file system. */
  async checkAttached(): Promise<void> {
    let cause: unknown;
    try {
      const { dev } = await this.calls.stat(this.root, { bigint: true });
      if (dev === this.#device) return;
    } catch (error) {
      cause = error;
    }
    throw new RepriseError(
      "backend",
      "STORAGE_FAILED",
      `the folder ${this.root} is no longer the one that was opened`,
      {
        data: { path: this.root, systemError: systemCode(cause) },
        hint: "was the disk unmounted? Mount it again and repeat the command",
        retry: "later",
        cause,
      },
    );
  }

  /** Opens an existing file for reading; never through a symbolic link, never waiting for a FIFO. */
  async openForReading(relative: string): Promise<FileHandle> {
    const folder = parentOf(relative);
    if (!this.#seen.has(folder)) await this.checkFolders(folder);
    return this.calls.open(this.path(relative), READ_FLAGS);
  }

  /**
   * Throws `STORAGE_SYMLINK` when a part of the folder path is a symbolic link; ENOENT and ENOTDIR of the system when a
   * part is missing or no folder. A link put there between this check and the next call is not noticed.
   */
  async checkFolders(folder: string): Promise<void> {
    for (const path of ancestors(folder)) await this.#checkNoLink(path);
    this.#seen.add(folder);
  }

  /** Makes the folder and its parents where missing, each one flushed into its parent once per process. */
  async ensureFolder(folder: string): Promise<void> {
    for (const path of ancestors(folder)) {
      await this.#makeFolder(path);
      if (this.#flushed.has(path)) continue;
      await this.syncFolder(parentOf(path));
      this.#flushed.add(path);
    }
  }

  async #makeFolder(path: string): Promise<void> {
    try {
      return await this.#checkNoLink(path);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
    this.#flushed.delete(path);
    try {
      await this.calls.mkdir(this.path(path), { mode: FOLDER_MODE });
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error; // another process was faster
    }
  }

  async #checkNoLink(relative: string): Promise<void> {
    const path = this.path(relative);
    if ((await this.calls.lstat(path)).isSymbolicLink()) throw symlinkFound(path);
  }

  /** Flushes the entries of a folder, where the platform can. */
  async syncFolder(folder: string): Promise<void> {
    await syncFolder(this.path(folder), this.calls);
  }

  /** Writes and flushes a new temporary file and returns its path; leaves none behind when it throws. */
  async writeTemporary(bytes: Uint8Array): Promise<string> {
    const path = join(this.root, TEMPORARY_FOLDER, `${process.pid}-${randomBytes(8).toString("hex")}`);
    await this.checkAttached();
    await this.ensureFolder(TEMPORARY_FOLDER);
    const handle = await this.calls.open(path, "wx", FILE_MODE);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
      await handle.close();
    } catch (error) {
      await handle.close().catch(() => undefined);
      await this.removeTemporary(path);
      throw error;
    }
    return path;
  }

  /** Best effort: what stays is removed by a later removeStale. */
  async removeTemporary(path: string): Promise<void> {
    await this.calls.unlink(path).catch(() => undefined);
  }

  /** Removes temporary files older than STALE_AFTER_MS; does nothing where that is not possible. */
  async removeStale(nowMs: number): Promise<void> {
    const folder = join(this.root, TEMPORARY_FOLDER);
    const names = await this.calls.readdir(folder).catch(() => [] as string[]);
    for (const name of names.filter((candidate) => TEMPORARY_NAME.test(candidate))) {
      const path = join(folder, name);
      const info = await this.calls.lstat(path).catch(() => undefined);
      if (info?.isFile() && nowMs - info.mtimeMs > STALE_AFTER_MS) await this.removeTemporary(path);
    }
  }
}

/** Flushes the entries of the folder at `path`, where the platform can. */
export async function syncFolder(path: string, calls: FileCalls): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await calls.open(path, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(systemCode(error))) throw error;
  } finally {
    await handle?.close();
  }
}

/** `a/b/c` → `a/b`; `a` → the root, which is the empty string. */
export function parentOf(relative: string): string {
  const slash = relative.lastIndexOf("/");
  return slash < 0 ? "" : relative.slice(0, slash);
}

/** `a/b` → `a`, `a/b`; the root has none. */
function ancestors(folder: string): string[] {
  if (folder === "") return [];
  const parts = folder.split("/");
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}

/** The error for a link inside the repository: following it would read or write somebody else's files. */
export function symlinkFound(path: string): RepriseError {
  return new RepriseError("backend", "STORAGE_SYMLINK", `${path} is a symbolic link`, {
    data: { path },
    hint: "a repository must hold its folders itself; replace the link by the folder it points to",
  });
}
