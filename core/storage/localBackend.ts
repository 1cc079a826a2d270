// A backend in a folder: every object is a file. New contents are written to `tmp/`, flushed, and only then given their
// name (rename for put, link for putIfAbsent), so that no reader and no power loss sees a part of an object.

import * as fsPromises from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { RepriseError } from "../errors.js";
import type { Backend, GetOptions, ObjectInfo, OperationOptions } from "./backend.js";
import { type LocalOperation, localError, systemCode } from "./localErrors.js";
import { type FileCalls, LocalFiles, parentOf, symlinkFound, syncFolder } from "./localFiles.js";
import { listObjects } from "./localList.js";
import { checkObjectSize, objectNotFound, resolveRange } from "./objectBytes.js";
import { checkKey, checkPrefix } from "./objectKey.js";

export interface LocalBackendOptions {
  /** Make the folder (and its parents) when it does not exist. Default: false. */
  create?: boolean;
  /** System calls to use instead of Node's; for tests. */
  calls?: FileCalls;
}

/** What reading a name says when there is no object; ELOOP: a symbolic link, which is never an object. */
const ABSENT: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR"]);
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Opens the repository folder and removes unfinished files that nobody owns any more. Throws `STORAGE_NOT_FOUND` when
 * the folder does not exist, `STORAGE_LOCATION_INVALID` when it is no folder, and `STORAGE_SYMLINK` when anything directly
 * inside it is a symbolic link (the folder itself may be one).
 */
export async function openLocalBackend(folder: string, options: LocalBackendOptions = {}): Promise<Backend> {
  const calls = options.calls ?? fsPromises;
  const path = resolve(folder);
  let operation: LocalOperation = "create";
  try {
    if (options.create) await createFolder(path, calls);
    operation = "open";
    const root = await fsPromises.realpath(path);
    const info = await calls.stat(root, { bigint: true });
    if (!info.isDirectory()) throw notAFolder(path);
    for (const entry of await calls.readdir(root, { withFileTypes: true })) {
      if (entry.isSymbolicLink()) throw symlinkFound(resolve(root, entry.name));
    }
    const files = new LocalFiles(root, info.dev, calls);
    await files.removeStale(Date.now());
    return new LocalBackend(files);
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw folderNotFound(path);
    if (systemCode(error) === "ENOTDIR" || systemCode(error) === "EEXIST") throw notAFolder(path);
    throw localError(error, { operation, path });
  }
}

class LocalBackend implements Backend {
  readonly location: string;
  /** Opening this path in a worker thread gives an equal backend. */
  readonly workerLocation: string;
  /** See localFolderOf. */
  readonly localFolder: string;
  readonly #files: LocalFiles;

  constructor(files: LocalFiles) {
    this.location = files.root;
    this.workerLocation = files.root;
    this.localFolder = files.root;
    this.#files = files;
  }

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#read("get", key, options, async (handle, sizeBytes) => {
      const { offset, length } = resolveRange(key, sizeBytes, options.range);
      const { into } = options;
      const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
      for (let filled = 0; filled < length; ) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) throw new Error(`the file ended after ${offset + filled} of ${sizeBytes} bytes`);
        filled += bytesRead;
      }
      return bytes;
    });
  }

  stat(key: string, options: OperationOptions = {}): Promise<ObjectInfo> {
    return this.#read("stat", key, options, async (_handle, sizeBytes, modifiedAtMs) => {
      return { key, sizeBytes, modifiedAtMs };
    });
  }

  put(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    return this.#store("put", key, bytes, options, async (temporary, path) => {
      await this.#files.calls.rename(temporary, path);
    });
  }

  putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<"created" | "exists"> {
    return this.#store("putIfAbsent", key, bytes, options, async (temporary, path) => {
      const outcome = await this.#link(temporary, path);
      await this.#files.removeTemporary(temporary);
      return outcome;
    });
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const folder = prefix.slice(0, -1);
    try {
      // Before and after: an empty answer from a disk that is no longer mounted would look like an empty repository.
      await this.#files.checkAttached();
      if (await this.#folderExists(folder)) yield* listObjects(this.#files, folder, options.signal);
      await this.#files.checkAttached();
    } catch (error) {
      if (options.signal?.aborted && error === options.signal.reason) throw error;
      throw localError(error, { operation: "list", key: prefix, path: this.location });
    }
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    options.signal?.throwIfAborted();
    try {
      await this.#files.checkFolders(parentOf(key));
      await this.#files.calls.unlink(this.#files.path(key));
      await this.#files.syncFolder(parentOf(key));
    } catch (error) {
      if (!(await this.#isAbsent(error))) throw this.#failure(error, "delete", key);
    }
  }

  /** Nothing is held open between operations. */
  async close(): Promise<void> {}

  async #read<T>(
    operation: LocalOperation,
    key: string,
    options: OperationOptions,
    use: (handle: fsPromises.FileHandle, sizeBytes: number, modifiedAtMs: number) => Promise<T>,
  ): Promise<T> {
    checkKey(key);
    options.signal?.throwIfAborted();
    try {
      const handle = await this.#files.openForReading(key);
      try {
        const info = await handle.stat();
        if (!info.isFile()) throw objectNotFound(key);
        return await use(handle, info.size, Math.floor(info.mtimeMs));
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (await this.#isAbsent(error)) throw objectNotFound(key);
      throw this.#failure(error, operation, key);
    }
  }

  /** Writes a complete temporary file, lets `publish` give it its name, and makes that durable. */
  async #store<T>(
    operation: LocalOperation,
    key: string,
    bytes: Uint8Array,
    options: OperationOptions,
    publish: (temporary: string, path: string) => Promise<T>,
  ): Promise<T> {
    checkKey(key);
    checkObjectSize(key, bytes.length);
    options.signal?.throwIfAborted();
    const folder = parentOf(key);
    let temporary: string | undefined;
    try {
      temporary = await this.#files.writeTemporary(bytes);
      options.signal?.throwIfAborted();
      await this.#files.ensureFolder(folder);
      const outcome = await publish(temporary, this.#files.path(key));
      temporary = undefined;
      await this.#files.syncFolder(folder);
      await this.#files.checkAttached(); // else it may be durable, but in the folder below an unmounted disk
      return outcome;
    } catch (error) {
      if (temporary !== undefined) await this.#files.removeTemporary(temporary);
      if (options.signal?.aborted && error === options.signal.reason) throw error;
      throw this.#failure(error, operation, key);
    }
  }

  async #link(temporary: string, path: string): Promise<"created" | "exists"> {
    const { calls } = this.#files;
    try {
      await calls.link(temporary, path);
      return "created";
    } catch (error) {
      // NFS may repeat a request whose answer was lost and then report a failure: two names mean that ours was made.
      if ((await calls.lstat(temporary)).nlink === 2) return "created";
      if (systemCode(error) === "EEXIST") return "exists";
      if (NO_LINKS.has(systemCode(error)) && !(await this.#canLink(temporary))) {
        throw new RepriseError("unsupported", "PUT_IF_ABSENT_UNSUPPORTED", `${this.location} cannot hold hard links`, {
          data: { path: this.location },
          hint: "use a file system with hard links (ext4, XFS, Btrfs, ZFS, APFS, NTFS, NFS); FAT and exFAT have none",
          cause: error,
        });
      }
      throw error;
    }
  }

  /** Tells a file system without links from a folder that refuses new names. */
  async #canLink(temporary: string): Promise<boolean> {
    const second = `${temporary}-link`;
    try {
      await this.#files.calls.link(temporary, second);
    } catch {
      return false;
    }
    await this.#files.removeTemporary(second);
    return true;
  }

  async #folderExists(folder: string): Promise<boolean> {
    try {
      await this.#files.checkFolders(folder);
      return true;
    } catch (error) {
      if (ABSENT.has(systemCode(error))) return false;
      throw error;
    }
  }

  /** True when `error` says that there is no such object, in a folder that is still the one that was opened. */
  async #isAbsent(error: unknown): Promise<boolean> {
    if (!ABSENT.has(systemCode(error))) return false;
    await this.#files.checkAttached();
    return true;
  }

  #failure(error: unknown, operation: LocalOperation, key: string): unknown {
    return localError(error, { operation, key, path: this.location });
  }
}

/** Makes the folder and its parents, and flushes each new one into the folder that holds it. */
async function createFolder(path: string, calls: FileCalls): Promise<void> {
  const first = await calls.mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made), calls);
  }
}

function folderNotFound(path: string): RepriseError {
  return new RepriseError("not-found", "STORAGE_NOT_FOUND", `there is no folder ${path}`, {
    data: { path },
    hint: "check the path; `init` makes a new repository",
  });
}

function notAFolder(path: string): RepriseError {
  return new RepriseError("usage", "STORAGE_LOCATION_INVALID", `${path} is not a folder`, { data: { path } });
}
