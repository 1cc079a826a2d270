// The disks of a backup as files: opened before anything is read, looked at again when the backup is done.

import { RepriseError } from "../errors.js";
import type { OnWarning } from "../repository/warnings.js";
import type { ImageFormat } from "../source/imageFormat.js";
import { type OpenedSource, openSource } from "../source/openSource.js";
import type { DiskInput } from "./diskInput.js";

export interface DiskFile {
  /** Inside the snapshot. */
  name: string;
  path: string;
  /** Absent: told by its contents. */
  format?: ImageFormat;
  allowBackingFiles: boolean;
}

/** Disks that stay open until `close`. */
export class InputDisks {
  readonly #opened: { file: DiskFile; source: OpenedSource }[] = [];

  /** SOURCE_EMPTY for a disk without bytes, the errors of openSource; then none of them is open. */
  static async open(files: readonly DiskFile[], options: { signal?: AbortSignal } = {}): Promise<InputDisks> {
    const disks = new InputDisks();
    try {
      for (const file of files) await disks.#open(file, options.signal);
      return disks;
    } catch (error) {
      await disks.close();
      throw error;
    }
  }

  /** In the order of the files. */
  get inputs(): DiskInput[] {
    return this.#opened.map(({ file: { name }, source: { format, source, location } }) => {
      return { kind: "image", name, format, source, location };
    });
  }

  /** SOURCE_MODIFIED for each disk that was written to since it was opened. */
  async warnOfChanges(onWarning: OnWarning): Promise<void> {
    for (const { file, source } of this.#opened) {
      if (!(await source.changedSinceOpen())) continue;
      onWarning({
        code: "SOURCE_MODIFIED",
        message: `${file.path} was written to during the backup: the snapshot holds a mix of before and after`,
        data: { path: file.path },
      });
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    for (const { source } of this.#opened.splice(0).reverse()) await source.close();
  }

  async #open(file: DiskFile, signal: AbortSignal | undefined): Promise<void> {
    const { path, format, allowBackingFiles } = file;
    const source = await openSource(path, { format, allowBackingFiles, signal });
    this.#opened.push({ file, source });
    if (source.source.sizeBytes === 0) throw emptyDisk(path);
  }
}

/** A disk that was cut to nothing must not become the latest snapshot. */
function emptyDisk(path: string): RepriseError {
  return new RepriseError("source", "SOURCE_EMPTY", `${path} has no bytes`, {
    data: { path },
    hint: "check whether it is the disk you mean, and whether something has truncated it",
  });
}
