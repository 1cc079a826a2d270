// A raw image file as restore target: written sparse under a partial name, published by linking or renaming.

import type { FileHandle } from "node:fs/promises";
import type { RestoreTarget } from "./blockTarget.js";
import { checkFinalName, openPartial, partialPathOf, publishPartial, removePartial } from "./partialFile.js";
import { writeError } from "./targetErrors.js";

export interface FileTargetOptions {
  /** Absolute path of the final file. */
  finalPath: string;
  sizeBytes: number;
  /** Replace an existing file when publishing. */
  force: boolean;
  /** Hex digits that stand for the snapshot and the disk; the same ones resume. */
  resumeKey: string;
}

/** TARGET_EXISTS, TARGET_UNSAFE, TARGET_FULL, TARGET_READ_ONLY, TARGET_WRITE_FAILED. */
export async function createFileTarget(options: FileTargetOptions): Promise<RestoreTarget> {
  const { finalPath, sizeBytes, force } = options;
  await checkFinalName(finalPath, force);
  const { path, handle, isNew } = await openPartial(partialPathOf(finalPath, options.resumeKey));
  try {
    // Never cut to nothing: another run of the same restore may be writing into the file right now.
    await handle.truncate(sizeBytes);
    return new FileTarget(handle, path, finalPath, force, !isNew);
  } catch (error) {
    await handle.close();
    if (isNew) await removePartial(path).catch(() => undefined);
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
  readonly #force: boolean;
  #ended = false;
  #flushError: unknown;

  constructor(handle: FileHandle, path: string, finalPath: string, force: boolean, resumed: boolean) {
    this.#handle = handle;
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
  }

  async discard({ keep }: { keep: boolean }): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#handle.close();
    if (!keep) await removePartial(this.location.path);
  }
}
