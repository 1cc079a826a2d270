// The clusters of a FAT or exFAT volume as bytes, and the chains that were used last.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { FileExtent } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { type RangeOrigin, readInto } from "../readRange.js";
import { type AllocationTable, FIRST_CLUSTER } from "./allocationTable.js";
import { ClusterChain, type ClusterMap } from "./clusterChain.js";

const KEPT_CHAINS = 8;
const KEPT_RUNS = 1024 * 1024;
const DIRECTORY_READ_BYTES = 64 * 1024;

/** A piece of a directory and where on the volume it is. */
export interface PlacedBytes {
  offset: number;
  bytes: Uint8Array;
}

export class ClusterSpace {
  readonly table: AllocationTable;
  readonly clusterBytes: number;
  readonly #reader: BlockReader;
  readonly #dataOffset: number;
  readonly #chains = new Map<number, ClusterChain>();

  constructor(reader: BlockReader, table: AllocationTable, dataOffset: number, clusterBytes: number) {
    this.#reader = reader;
    this.table = table;
    this.#dataOffset = dataOffset;
    this.clusterBytes = clusterBytes;
  }

  /** The chain that starts at a cluster; what was followed of it is kept for a while. */
  chain(first: number): ClusterChain {
    const known = this.#chains.get(first);
    const chain = known ?? new ClusterChain(this.table, first);
    this.#chains.delete(first);
    this.#chains.set(first, chain);
    let runs = [...this.#chains.values()].reduce((sum, { runCount }) => sum + runCount, 0);
    for (const [oldest, { runCount }] of this.#chains) {
      if (oldest === first || (this.#chains.size <= KEPT_CHAINS && runs <= KEPT_RUNS)) break;
      this.#chains.delete(oldest);
      runs -= runCount;
    }
    return chain;
  }

  /** Fills `buffer` from byte `offset` of a file; a chain that ends before is FILESYSTEM_DAMAGED. */
  async read(map: ClusterMap, buffer: Uint8Array, offset: number, where: string, options: ReadOptions): Promise<void> {
    const origin = this.#origin(where);
    const last = Math.floor((offset + buffer.length - 1) / this.clusterBytes);
    if (buffer.length > 0 && (await map.run(last, options)) === null) {
      throw damaged(origin.type, where, "the cluster chain is shorter than the size", { cluster: last });
    }
    for (let done = 0; done < buffer.length; ) {
      const index = Math.floor((offset + done) / this.clusterBytes);
      const inside = offset + done - index * this.clusterBytes;
      const run = await map.run(index, options);
      if (run === null) throw damaged(origin.type, where, "the cluster chain ends early", { cluster: index });
      const part = buffer.subarray(done, done + run.count * this.clusterBytes - inside);
      await readInto(this.#reader, part, this.#offsetOf(run.cluster) + inside, origin, options);
      done += part.length;
    }
  }

  /** Where the first `sizeBytes` bytes of a file lie; a chain that ends before is FILESYSTEM_DAMAGED. */
  async *extents(map: ClusterMap, sizeBytes: number, where: string, options: ReadOptions): AsyncIterable<FileExtent> {
    for (let offset = 0; offset < sizeBytes; ) {
      options.signal?.throwIfAborted();
      // all that is known of the chain makes longer runs
      await map.run(Math.floor((sizeBytes - 1) / this.clusterBytes), options);
      const run = await map.run(offset / this.clusterBytes, options);
      if (run === null) throw damaged(this.#origin(where).type, where, "the cluster chain is shorter than the size");
      const length = Math.min(run.count * this.clusterBytes, sizeBytes - offset);
      yield { offset, length, deviceOffset: this.#offsetOf(run.cluster) };
      offset += length;
    }
  }

  /** A directory by the piece, at most `maxBytes` of it; a longer one is FILESYSTEM_DAMAGED. */
  async *pieces(map: ClusterMap, maxBytes: number, where: string, options: ReadOptions): AsyncIterable<PlacedBytes> {
    const origin = this.#origin(where);
    const ahead = Math.floor(DIRECTORY_READ_BYTES / this.clusterBytes);
    for (let position = 0; ; ) {
      const index = Math.floor(position / this.clusterBytes);
      await map.run(index + ahead, options);
      const run = await map.run(index, options);
      if (run === null) return;
      if (position >= maxBytes) throw damaged(origin.type, where, `is longer than ${maxBytes} bytes`);
      const inside = position - index * this.clusterBytes;
      const bytes = new Uint8Array(Math.min(DIRECTORY_READ_BYTES, run.count * this.clusterBytes - inside));
      const offset = this.#offsetOf(run.cluster) + inside;
      await readInto(this.#reader, bytes, offset, origin, options);
      yield { offset, bytes };
      position += bytes.length;
    }
  }

  #offsetOf(cluster: number): number {
    return this.#dataOffset + (cluster - FIRST_CLUSTER) * this.clusterBytes;
  }

  #origin(where: string): RangeOrigin {
    return { type: this.table.layout.kind, where };
  }
}
