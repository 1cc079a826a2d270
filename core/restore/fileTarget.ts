// A raw image file as restore target: written sparse under a partial name, published by linking or renaming.

import type { RestoreTarget } from "./blockTarget.js";
import { checkFinalName, partialPathOf, publishPartial, removePartial } from "./partialFile.js";
import { type LockedPartial, openLockedPartial } from "./partialLock.js";
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
  const partial = await openLockedPartial(partialPathOf(finalPath, options.resumeKey), "raw");
  const { path, handle, isNew } = partial;
  try {
    options.signal?.throwIfAborted();
    await handle.truncate(sizeBytes);
    return new FileTarget(partial, finalPath, force);
  } catch (error) {
    if (isNew) await removePartial(path).catch(() => undefined);
    await partial.release();
    throw writeError(path, `make ${path} with ${sizeBytes} bytes`, error);
  }
}

class FileTarget implements RestoreTarget {
  readonly location: { kind: "file"; path: string };
  readonly finalPath: string;
  readonly resumed: boolean;
  readonly startsZeroed: boolean;
  /** Open since before the first write, so that its sync reports every failed write-back. */
  readonly #partial: LockedPartial;
  readonly #force: boolean;
  #ended = false;
  #flushError: unknown;

  constructor(partial: LockedPartial, finalPath: string, force: boolean) {
    this.#partial = partial;
    this.location = { kind: "file", path: partial.path };
    this.finalPath = finalPath;
    this.resumed = !partial.isNew;
    this.startsZeroed = partial.isNew;
    this.#force = force;
  }

  get partialPath(): string {
    return this.location.path;
  }

  async flushAhead(): Promise<void> {
    try {
      await this.#partial.handle.datasync();
    } catch (error) {
      // The kernel reports a failed write-back once; the sync in publish would not hear of it again.
      this.#flushError ??= error;
    }
  }

  async publish({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    try {
      if (this.#flushError !== undefined) throw this.#flushError;
      await this.#partial.handle.sync();
    } catch (error) {
      throw writeError(this.location.path, `flush ${this.location.path}`, error);
    }
    signal?.throwIfAborted();
    await publishPartial(this.#partial.handle, this.location.path, this.finalPath, this.#force);
    this.#ended = true;
    await this.#partial.release();
  }

  async discard({ keep }: { keep: boolean }): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      // while it is locked: after that it may be another run's
      if (!keep) await removePartial(this.location.path);
    } finally {
      await this.#partial.release();
    }
  }
}
