// Moves chunks from one repository into a session of another one, their boundaries unchanged: read and checked by restore
// lanes, hashed under the other key, compressed and encrypted by backup lanes. Memory is bounded by the lanes' slots.

import { SLOTS_PER_LANE } from "../backup/backupLane.js";
import { BackupLanes } from "../backup/backupLanes.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import type { BlobSink } from "../repository/blobSink.js";
import type { ImageEntry } from "../repository/imageReader.js";
import type { CodecChoice } from "../repository/packBuilder.js";
import type { Repository } from "../repository/repository.js";
import type { SourceReader } from "./sourceReader.js";

/** Plain bytes that move together: two groups a lane are in memory at once. */
const GROUP_BYTES = 8 * 1024 * 1024;

export interface ChunkCopierOptions {
  codec: CodecChoice;
  lanes?: number;
}

export class ChunkCopier {
  readonly #reader: SourceReader;
  readonly #to: Repository;
  readonly #sink: BlobSink;
  readonly #options: ChunkCopierOptions;
  #lanes: BackupLanes | undefined;
  readonly #free: number[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(reader: SourceReader, to: Repository, sink: BlobSink, options: ChunkCopierOptions) {
    this.#reader = reader;
    this.#to = to;
    this.#sink = sink;
    this.#options = options;
  }

  /** Ids in the other repository, 32 bytes a chunk in the order of `chunks`, none of which is zeros. */
  async copy(chunks: readonly ImageEntry[], name: string): Promise<Uint8Array> {
    const ids = new Uint8Array(chunks.length * BLOB_ID_BYTES);
    const groups = groupsOf(chunks);
    const copied = groups.map(async ({ first, entries }) => {
      ids.set(await this.#copyGroup(entries, name), first * BLOB_ID_BYTES);
    });
    for (const outcome of await Promise.allSettled(copied)) if (outcome.status === "rejected") throw outcome.reason;
    return ids;
  }

  /** Waits until all packs are stored. */
  async finish(): Promise<void> {
    await this.#lanes?.finish();
  }

  async close(): Promise<void> {
    await this.#lanes?.close();
  }

  async #copyGroup(entries: readonly ImageEntry[], name: string): Promise<Uint8Array> {
    const lane = await this.#takeSlot();
    try {
      const parts = await this.#reader.chunks(entries, name);
      const chunkLengths = parts.map(({ length }) => length);
      const bytes = joinParts(parts);
      const lanes = this.#lanes as BackupLanes;
      const job = { from: { bytes }, length: bytes.length, chunkLengths };
      const { slot, ids } = await lanes.scan(lane, job);
      this.#sink.statistics.bytesRead += chunkLengths.reduce((sum, length) => sum + length, 0);
      await lanes.encode(lane, slot, this.#sink.claimNew(ids, chunkLengths));
      return ids;
    } finally {
      this.#giveSlot(lane);
    }
  }

  async #takeSlot(): Promise<number> {
    if (this.#lanes === undefined) {
      this.#lanes = new BackupLanes(this.#to, this.#sink, { ...this.#options, segmentBytes: GROUP_BYTES });
      for (let slot = 0; slot < this.#lanes.count * SLOTS_PER_LANE; slot++) this.#free.push(slot % this.#lanes.count);
    }
    while (this.#free.length === 0) {
      await new Promise<void>((wake) => {
        this.#waiting.push(wake);
      });
    }
    return this.#free.shift() as number;
  }

  #giveSlot(lane: number): void {
    this.#free.push(lane);
    this.#waiting.shift()?.();
  }
}

function groupsOf(chunks: readonly ImageEntry[]): { first: number; entries: ImageEntry[] }[] {
  const groups: { first: number; entries: ImageEntry[] }[] = [];
  let bytes = 0;
  for (const [i, chunk] of chunks.entries()) {
    const current = groups.at(-1);
    if (current === undefined || bytes + chunk.length > GROUP_BYTES) {
      groups.push({ first: i, entries: [chunk] });
      bytes = chunk.length;
    } else {
      current.entries.push(chunk);
      bytes += chunk.length;
    }
  }
  return groups;
}

/** In memory of its own, because it moves to a lane. */
function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
