// A raw image file as restore target: written sparse under a partial name, published by linking or renaming.

import type { FileHandle } from "node:fs/promises";
import type { RestoreTarget } from "./blockTarget.js";
import { checkFinalName, openPartial, partialPathOf, publishPartial, removePartial } from "./partialFile.js";
import { lockPartial, type Unlock } from "./partialLock.js";
import { writeError } from "./targetErrors.js";

export interface FileTargetOptions {
  /** Absolute path of the final file. */
  finalPath: string;
  sizeBytes: number;
  /** Replace an existing file when publishing. */
  force: boolean;
  /** Hex digits that stand for the snapshot and the disk; the same ones resume. */
  resumeKey: string;
  signal?: AbortSignal;
}

/** TARGET_EXISTS, TARGET_IN_USE, TARGET_UNSAFE, TARGET_FULL, TARGET_READ_ONLY, TARGET_WRITE_FAILED. */
export async function createFileTarget(options: FileTargetOptions): Promise<RestoreTarget> {
  const { finalPath, sizeBytes, force } = options;
  await checkFinalName(finalPath, force);
  const { path, handle, isNew } = await openPartial(partialPathOf(finalPath, options.resumeKey));
  let unlock: Unlock;
  try {
    // not cancelled: whoever has no lock cannot remove what it has made
    unlock = await lockPartial(handle, path);
  } catch (error) {
    // without the lock it may be another run's by now, even when we have made it
    await handle.close();
    throw writeError(path, `lock ${path}`, error);
  }
  try {
    options.signal?.throwIfAborted();
    await handle.truncate(sizeBytes);
    return new FileTarget(handle, unlock, path, finalPath, force, !isNew);
  } catch (error) {
    if (isNew) await removePartial(path).catch(() => undefined);
    await handle.close();
    await unlock();
    throw writeError(path, `make ${path} with ${sizeBytes} bytes`, error);
  }
}

class FileTarget implements RestoreTarget {
  readonly location: { kind: "file"; path: string };
  readonly finalPath: string;
  readonly resumed: boolean;
  readonly startsZeroed: boolean;
  /** Open since before the first write, so that its sync reports every failed write-back. */
  readonly #handle: FileHandle;
  readonly #unlock: Unlock;
  readonly #force: boolean;
  #ended = false;
  #flushError: unknown;

  constructor(handle: FileHandle, unlock: Unlock, path: string, finalPath: string, force: boolean, resumed: boolean) {
    this.#handle = handle;
    this.#unlock = unlock;
    this.location = { kind: "file", path };
    this.finalPath = finalPath;
    this.resumed = resumed;
    this.startsZeroed = !resumed;
    this.#force = force;
  }

  get partialPath(): string {
    return this.location.path;
  }

  async flushAhead(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (error) {
      // The kernel reports a failed write-back once; the sync in publish would not hear of it again.
      this.#flushError ??= error;
    }
  }

  async publish({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    try {
      if (this.#flushError !== undefined) throw this.#flushError;
      await this.#handle.sync();
    } catch (error) {
      throw writeError(this.location.path, `flush ${this.location.path}`, error);
    }
    signal?.throwIfAborted();
    await publishPartial(this.#handle, this.location.path, this.finalPath, this.#force);
    this.#ended = true;
    await this.#handle.close();
    await this.#unlock();
  }

  async discard({ keep }: { keep: boolean }): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      // while it is locked: after that it may be another run's
      if (!keep) await removePartial(this.location.path);
    } finally {
      await this.#handle.close();
      await this.#unlock();
    }
  }
}
