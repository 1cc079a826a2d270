// The bytes of an attribute that is in runs of clusters as it is: holes and what was never written are zeros.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { DataRange, FileExtent } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { readInto } from "../readRange.js";
import type { NonResidentHeader } from "./fileRecord.js";
import { HOLE, type RunList } from "./runList.js";

export interface NtfsStream {
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  /** How many runs it keeps in memory. */
  readonly runCount: number;
  /** Fills all of `buffer`, which must end inside the stream. */
  read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void>;
  dataRanges(): Iterable<DataRange>;
  /** As `FileSystem.extents`; absent where nothing lies as it is. */
  extents?(): Iterable<FileExtent>;
}

/** Fills `buffer` from clusters; holes are zeros. */
export async function readRuns(
  reader: BlockReader,
  clusterBytes: number,
  runs: RunList,
  buffer: Uint8Array,
  offset: number,
  where: string,
  options: ReadOptions,
): Promise<void> {
  if (offset + buffer.length > runs.end * clusterBytes) throw damaged("ntfs", where, "is longer than its clusters");
  if (buffer.length === 0) return;
  let index = runs.indexOf(Math.floor(offset / clusterBytes));
  for (let done = 0; done < buffer.length; index++) {
    const run = runs.at(index);
    const inside = offset + done - run.vcn * clusterBytes;
    const part = buffer.subarray(done, done + run.length * clusterBytes - inside);
    if (run.lcn === HOLE) part.fill(0);
    else await readInto(reader, part, run.lcn * clusterBytes + inside, { type: "ntfs", where }, options);
    done += part.length;
  }
}

export class RunStream implements NtfsStream {
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly #initializedBytes: number;
  readonly #reader: BlockReader;
  readonly #clusterBytes: number;
  readonly #runs: RunList;
  readonly #where: string;

  constructor(reader: BlockReader, clusterBytes: number, header: NonResidentHeader, runs: RunList, where: string) {
    this.#reader = reader;
    this.#clusterBytes = clusterBytes;
    this.#runs = runs;
    this.#where = where;
    this.sizeBytes = header.sizeBytes;
    this.allocatedBytes = header.compressedBytes ?? header.allocatedBytes;
    this.#initializedBytes = Math.min(header.initializedBytes, header.sizeBytes);
  }

  get runCount(): number {
    return this.#runs.runCount;
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    const stored = buffer.subarray(0, Math.max(0, this.#initializedBytes - offset));
    await readRuns(this.#reader, this.#clusterBytes, this.#runs, stored, offset, this.#where, options);
    buffer.fill(0, stored.length);
  }

  dataRanges(): Iterable<DataRange> {
    return rangesOfRuns(this.#runs, this.#clusterBytes, 1, this.#initializedBytes);
  }

  *extents(): Iterable<FileExtent> {
    for (let index = 0; index < this.#runs.runCount; index++) {
      const { vcn, lcn, length } = this.#runs.at(index);
      const offset = vcn * this.#clusterBytes;
      if (offset >= this.#initializedBytes) return;
      if (lcn === HOLE) continue;
      const bytes = Math.min(length * this.#clusterBytes, this.#initializedBytes - offset);
      yield { offset, length: bytes, deviceOffset: lcn * this.#clusterBytes };
    }
  }
}

/** What is not a hole, widened to whole units, neighbours joined, up to `endBytes`. */
export function* rangesOfRuns(
  runs: RunList,
  clusterBytes: number,
  unitClusters: number,
  endBytes: number,
): Iterable<DataRange> {
  let start = 0;
  let end = 0;
  for (let index = 0; index < runs.runCount; index++) {
    const { vcn, lcn, length } = runs.at(index);
    if (lcn === HOLE) continue;
    const from = Math.floor(vcn / unitClusters) * unitClusters * clusterBytes;
    const to = Math.ceil((vcn + length) / unitClusters) * unitClusters * clusterBytes;
    if (from >= endBytes) break;
    if (from > end) {
      if (end > start) yield { offset: start, length: end - start };
      start = from;
    }
    end = Math.min(to, endBytes);
  }
  if (end > start) yield { offset: start, length: end - start };
}
