// Stores the contents of single files: opened without following links, compared with what was looked at, read by the lanes, and
// looked at once more, because files change while they are read.

import { type BigIntStats, closeSync, fstat, fstatSync, fsync } from "node:fs";
import { promisify } from "node:util";
import { sumOf } from "../format/treeContent.js";
import type { TreeEntry } from "../format/treeFolder.js";
import type { BlobSink } from "../repository/blobSink.js";
import type { AllocationMap } from "../source/allocationMap.js";
import { readAllocation } from "../source/fileAllocation.js";
import { descriptorPath, type FolderHandle } from "../source/folderHandle.js";
import { ContentWriter } from "./contentWriter.js";
import type { FileLanes, StoredPart } from "./fileLanes.js";
import { errnoOf } from "./treeNotes.js";

export interface StoredFile {
  content: NonNullable<TreeEntry["content"]>;
  /** As it was before the first byte was read. */
  stats: BigIntStats;
  /** It changed while it was read, also the second time. */
  changed: boolean;
  /** Of the system: a part could not be read and is zeros. */
  errno: string | null;
}

/** Looking for holes in smaller files costs more than reading them. */
const SPARSE_FROM_BYTES = 1024 * 1024;
const BLOCK_BYTES = 512n;

const fstatLater = promisify(fstat);
const fsyncLater = promisify(fsync);

export class FileStore {
  readonly #lanes: FileLanes;
  readonly #sink: BlobSink;
  readonly #segmentBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onBytes: (bytes: number) => void;
  /** How many files were opened. */
  opened = 0;

  constructor(
    lanes: FileLanes,
    sink: BlobSink,
    segmentBytes: number,
    options: { signal: AbortSignal | undefined; onBytes(bytes: number): void },
  ) {
    this.#lanes = lanes;
    this.#sink = sink;
    this.#segmentBytes = segmentBytes;
    this.#signal = options.signal;
    this.#onBytes = options.onBytes;
  }

  /** Returns when every part waits for a lane or is under way. Errors of opening are thrown, later ones are in `stored`. */
  async begin(folder: FolderHandle, name: Uint8Array, seen: BigIntStats): Promise<{ stored: Promise<StoredFile> }> {
    const first = await this.#open(folder, name, seen);
    folder.retain();
    const stored = this.#settle(folder, name, first.stored).finally(() => folder.release());
    stored.catch(() => {});
    return { stored };
  }

  async #settle(folder: FolderHandle, name: Uint8Array, first: Promise<StoredFile>): Promise<StoredFile> {
    const once = await first;
    if (!once.changed) return once;
    const again = await this.#open(folder, name, once.stats);
    await this.#lanes.flush();
    return await again.stored;
  }

  async #open(folder: FolderHandle, name: Uint8Array, seen: BigIntStats): Promise<{ stored: Promise<StoredFile> }> {
    const { fd, stats } = folder.openFile(name, seen);
    this.opened++;
    try {
      const { written } = await this.#submit(fd, stats);
      const stored = this.#finish(fd, stats, written);
      stored.catch(() => {});
      return { stored };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The content takes its pieces in order while later parts are still read. */
  async #submit(fd: number, stats: BigIntStats): Promise<{ written: Promise<Written> }> {
    const size = Number(stats.size);
    const map = await this.#allocation(fd, stats);
    const writer = new ContentWriter((kind, plain) => this.#sink.storeBlob(kind, plain));
    const written: Written = { writer, bytesRead: 0, errno: null };
    let tail: Promise<unknown> = Promise.resolve();
    for (let position = 0; position < size; position += this.#segmentBytes) {
      this.#signal?.throwIfAborted();
      const length = Math.min(this.#segmentBytes, size - position);
      const extents = map?.extents(position, length) ?? null;
      if (extents?.every(({ zero }) => zero)) {
        tail = tail.then(() => writer.add({ kind: "hole", bytes: length }));
      } else {
        const { stored } = await this.#lanes.add({ fd, position, length, extents });
        tail = tail.then(async () => addPart(written, await stored));
      }
      tail.catch(() => {});
    }
    return { written: tail.then(() => written) };
  }

  async #finish(fd: number, stats: BigIntStats, parts: Promise<Written>): Promise<StoredFile> {
    try {
      const { writer, bytesRead, errno } = await parts;
      this.#onBytes(bytesRead);
      const changed = errno === null && !isUnchanged(fstatSync(fd, { bigint: true }), stats);
      return { content: await writer.finish(), stats, changed, errno };
    } finally {
      closeSync(fd);
    }
  }

  async #allocation(fd: number, stats: BigIntStats): Promise<AllocationMap | null> {
    const path = descriptorPath(fd);
    if (stats.size < SPARSE_FROM_BYTES || stats.blocks * BLOCK_BYTES >= stats.size || path === undefined) return null;
    const file = { stat: () => fstatLater(fd), sync: () => fsyncLater(fd) };
    return await readAllocation(file, path, Number(stats.size), this.#signal);
  }
}

interface Written {
  writer: ContentWriter;
  bytesRead: number;
  errno: string | null;
}

async function addPart(written: Written, part: StoredPart): Promise<void> {
  written.bytesRead += sumOf(part.pieces);
  written.errno ??= part.errno;
  for (const piece of part.pieces) await written.writer.add(piece);
}

/** What a write changes, whatever it does to the times. */
function isUnchanged(now: BigIntStats, before: BigIntStats): boolean {
  return now.size === before.size && now.mtimeNs === before.mtimeNs && now.ctimeNs === before.ctimeNs;
}

/** For callers that go on after errors of the system. */
export async function systemError<T>(act: () => Promise<T>): Promise<{ value: T; errno: null } | { errno: string }> {
  try {
    return { value: await act(), errno: null };
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}
