// A compressed attribute: units of (mostly) 16 clusters. A unit without holes is stored as it is, one of holes only is zeros,
// and one that begins with clusters and ends with holes is compressed.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { DataRange } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { readInto } from "../readRange.js";
import type { NonResidentHeader } from "./fileRecord.js";
import { decompressLznt1 } from "./lznt1.js";
import { HOLE, type RunList } from "./runList.js";
import { type NtfsStream, rangesOfRuns } from "./runStream.js";

const MAX_UNIT_BYTES = 2 * 1024 * 1024;

export class CompressedRuns implements NtfsStream {
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly #initializedBytes: number;
  readonly #reader: BlockReader;
  readonly #clusterBytes: number;
  readonly #unitClusters: number;
  readonly #runs: RunList;
  readonly #where: string;
  /** The unit read last: the next read most often begins in it. */
  #latest: { unit: number; bytes: Uint8Array } | undefined;

  constructor(reader: BlockReader, clusterBytes: number, header: NonResidentHeader, runs: RunList, where: string) {
    const unitBytes = clusterBytes * 2 ** header.compressionShift;
    if (header.compressionShift === 0 || unitBytes > MAX_UNIT_BYTES || unitBytes < 4096) {
      throw damaged("ntfs", where, `compression units of 2^${header.compressionShift} clusters`);
    }
    this.#reader = reader;
    this.#clusterBytes = clusterBytes;
    this.#unitClusters = 2 ** header.compressionShift;
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
    const unitBytes = this.#unitClusters * this.#clusterBytes;
    const stored = buffer.subarray(0, Math.max(0, this.#initializedBytes - offset));
    for (let done = 0; done < stored.length; ) {
      options.signal?.throwIfAborted();
      const unit = Math.floor((offset + done) / unitBytes);
      const inside = offset + done - unit * unitBytes;
      const bytes = await this.#unit(unit, options);
      const part = bytes.subarray(inside, inside + stored.length - done);
      stored.set(part, done);
      done += part.length;
    }
    buffer.fill(0, stored.length);
  }

  dataRanges(): Iterable<DataRange> {
    return rangesOfRuns(this.#runs, this.#clusterBytes, this.#unitClusters, this.#initializedBytes);
  }

  async #unit(unit: number, options: ReadOptions): Promise<Uint8Array> {
    if (this.#latest?.unit === unit) return this.#latest.bytes;
    const stored = await this.#storedClusters(unit, options);
    const unitBytes = this.#unitClusters * this.#clusterBytes;
    let bytes = stored;
    if (stored.length < unitBytes) {
      bytes = new Uint8Array(unitBytes);
      if (stored.length > 0) decompressLznt1(stored, bytes, this.#where);
    }
    this.#latest = { unit, bytes };
    return bytes;
  }

  /** The clusters that a unit begins with. */
  async #storedClusters(unit: number, options: ReadOptions): Promise<Uint8Array> {
    const first = unit * this.#unitClusters;
    const end = Math.min(first + this.#unitClusters, this.#runs.end);
    const buffer = new Uint8Array(this.#unitClusters * this.#clusterBytes);
    let filled = 0;
    let sawHole = false;
    let index = this.#runs.indexOf(first);
    for (let vcn = first; vcn < end; index++) {
      const run = this.#runs.at(index);
      const stop = Math.min(run.vcn + run.length, end);
      if (run.lcn === HOLE) {
        sawHole = true;
      } else {
        if (sawHole) throw damaged("ntfs", this.#where, `compression unit ${unit} has a hole before its data`);
        const part = buffer.subarray(filled, filled + (stop - vcn) * this.#clusterBytes);
        const place = (run.lcn + vcn - run.vcn) * this.#clusterBytes;
        await readInto(this.#reader, part, place, { type: "ntfs", where: this.#where }, options);
        filled += part.length;
      }
      vcn = stop;
    }
    return buffer.subarray(0, filled);
  }
}
