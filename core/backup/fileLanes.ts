// Feeds parts of files to the lanes: small ones wait until a segment is full of them. How many are open and under way at once
// is bounded by the lanes' slots.

import { entryLength, isZeroEntry } from "../format/imageMap.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import type { ContentPiece } from "../format/treeContent.js";
import type { BlobSink } from "../repository/blobSink.js";
import { SLOTS_PER_LANE } from "./backupLane.js";
import type { BackupLanes } from "./backupLanes.js";
import { type FilePart, roomOf } from "./fileParts.js";

/** Open files in one job. */
const PARTS_PER_JOB = 64;

export interface StoredPart {
  pieces: ContentPiece[];
  bytesRead: number;
  errno: string | null;
}

interface WaitingPart {
  part: FilePart;
  resolve(stored: StoredPart): void;
  reject(error: unknown): void;
}

export class FileLanes {
  readonly #lanes: BackupLanes;
  readonly #sink: BlobSink;
  readonly #segmentBytes: number;
  readonly #free: number[] = [];
  readonly #wake: (() => void)[] = [];
  #waiting: WaitingPart[] = [];
  #waitingBytes = 0;

  constructor(lanes: BackupLanes, sink: BlobSink, segmentBytes: number) {
    this.#lanes = lanes;
    this.#sink = sink;
    this.#segmentBytes = segmentBytes;
    for (let slot = 0; slot < lanes.count * SLOTS_PER_LANE; slot++) this.#free.push(slot % lanes.count);
  }

  /** Waits for room; `stored` settles when its job is done, at the latest after `flush`. At most a segment long. */
  async add(part: FilePart): Promise<{ stored: Promise<StoredPart> }> {
    const isFull = this.#waiting.length >= PARTS_PER_JOB || this.#waitingBytes + roomOf(part) > this.#segmentBytes;
    if (isFull) await this.flush();
    const stored = new Promise<StoredPart>((resolve, reject) => {
      this.#waiting.push({ part, resolve, reject });
    });
    stored.catch(() => {});
    this.#waitingBytes += roomOf(part);
    return { stored };
  }

  /** Sends what waits on its way; returns when a lane has taken it. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      while (this.#free.length === 0) {
        await new Promise<void>((wake) => {
          this.#wake.push(wake);
        });
      }
      const batch = this.#waiting;
      if (batch.length === 0) return;
      this.#waiting = [];
      this.#waitingBytes = 0;
      void this.#run(this.#free.shift() as number, batch);
    }
  }

  async #run(lane: number, batch: readonly WaitingPart[]): Promise<void> {
    try {
      const stored = await this.#store(
        lane,
        batch.map(({ part }) => part),
      );
      batch.forEach(({ resolve }, i) => {
        resolve(stored[i] as StoredPart);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#free.push(lane);
      this.#wake.shift()?.();
    }
  }

  async #store(lane: number, parts: FilePart[]): Promise<StoredPart[]> {
    const length = parts.reduce((sum, part) => sum + roomOf(part), 0);
    const scanned = await this.#lanes.scan(lane, { from: { parts }, length });
    this.#sink.statistics.bytesRead += scanned.bytesRead;
    const chunkLengths = Array.from(scanned.lengths)
      .filter((value) => !isZeroEntry(value))
      .map(entryLength);
    await this.#lanes.encode(lane, scanned.slot, this.#sink.claimNew(scanned.ids, chunkLengths));
    let entry = 0;
    let chunk = 0;
    return (scanned.parts ?? []).map(({ entries, bytesRead, errno }) => {
      const pieces = Array.from(scanned.lengths.subarray(entry, entry + entries), (value): ContentPiece => {
        const bytes = entryLength(value);
        if (isZeroEntry(value)) return { kind: "hole", bytes };
        const id = scanned.ids.slice(chunk * BLOB_ID_BYTES, (chunk + 1) * BLOB_ID_BYTES);
        chunk++;
        return { kind: "chunk", bytes, id };
      });
      entry += entries;
      return { pieces, bytesRead, errno };
    });
  }
}
