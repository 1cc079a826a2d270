// The part of a backup that runs in worker threads: read a segment, cut and hash it, and, for the chunks that the main
// thread wants, compress and encrypt them into packs. Segments lie in the cutter's own memory; nothing is copied.

import type { ChunkerParams } from "../chunking/chunkerParams.js";
import { makeGearTable } from "../chunking/gearTable.js";
import { createSegmentCutter, type SegmentCut, type SegmentCutter } from "../chunking/segmentCutter.js";
import { Keyring } from "../crypto/keyring.js";
import { withTransfer } from "../engine/lane.js";
import { RepriseError } from "../errors.js";
import type { Sid } from "../format/ids.js";
import { zeroEntry } from "../format/imageMap.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { loadChecksum } from "../hash/checksum.js";
import { makeChunkHasher } from "../hash/digest.js";
import { collectYoungGarbage } from "../platform/youngGarbage.js";
import { type CodecChoice, type FinishedPack, PackBuilder } from "../repository/packBuilder.js";
import type { Hasher } from "../repository/packReader.js";
import type { BlockSource, Extent, SourceLocation } from "../source/blockSource.js";
import { reopenSource } from "../source/openSource.js";
import { type FilePart, type ScannedPart, scanParts } from "./fileParts.js";

export interface BackupLaneInit {
  sid: Sid;
  masterKey: Uint8Array | null;
  chunker: ChunkerParams;
  gearSeed: bigint;
  packBytes: number;
  codec: CodecChoice;
  /** Pack numbers of this lane: first, first + step … */
  firstNumber: number;
  numberStep: number;
  /** Packs of this lane that may be under way to the storage; each takes the memory of one. */
  packsUnderWay: number;
}

export interface SegmentJob {
  /** Where the bytes are: a source to read, the bytes themselves, or parts of open files, each cut for itself. */
  from: { source: SourceLocation; offset: number; extents: Extent[] } | { bytes: Uint8Array } | { parts: FilePart[] };
  length: number;
  /** Chunks of these lengths, all data, instead of cuts by contents: what was cut elsewhere keeps its boundaries. */
  chunkLengths?: readonly number[];
}

export interface ScannedSegment {
  slot: number;
  /** As in an image map page: bit 31 for zeros. */
  lengths: Uint32Array;
  ids: Uint8Array;
  bytesRead: number;
  /** One for each part of a file. */
  parts?: ScannedPart[];
}

export interface BackupLaneApi {
  /** Reads, cuts and hashes; the segment stays in `slot` until encode. At most SLOTS_PER_LANE at once. */
  scan(job: SegmentJob): Promise<ScannedSegment>;
  /** Packs the wanted chunks (indexes among the segment's chunks, zero runs not counted) and frees the slot. */
  encode(order: { slot: number; wanted: Uint32Array }): Promise<{ packs: FinishedPack[] }>;
  /** The last, unfilled pack. */
  flush(argument: null): Promise<{ packs: FinishedPack[] }>;
  /** Gives back the buffer of a stored pack. */
  reuse(buffer: ArrayBuffer): Promise<void>;
  /** Closes the sources. A thread that ends closes them by itself. */
  end(argument: null): Promise<void>;
}

/** One segment is scanned while the one before waits for its encode order. */
export const SLOTS_PER_LANE = 2;
/** About 8 MiB of plain bytes. */
const CHUNKS_PER_COLLECTION = 64;

export async function createBackupLane(init: BackupLaneInit): Promise<BackupLaneApi> {
  await loadChecksum();
  return new BackupLane(init);
}

interface Slot {
  busy: boolean;
  /** Start and end of each chunk (zero runs left out). */
  chunkEnds: Uint32Array;
  chunkStarts: Uint32Array;
  ids: Uint8Array;
}

class BackupLane implements BackupLaneApi {
  readonly #init: BackupLaneInit;
  readonly #cutter: SegmentCutter;
  readonly #hash: Hasher;
  readonly #builder: PackBuilder;
  readonly #slots: Slot[];
  readonly #sources = new Map<string, Promise<BlockSource>>();
  #packsUnderWay = 0;
  #encoded = 0;
  #onReuse: (() => void)[] = [];

  constructor(init: BackupLaneInit) {
    this.#init = init;
    const keyring = init.masterKey ? new Keyring(init.masterKey) : null;
    this.#cutter = createSegmentCutter(init.chunker, makeGearTable(init.gearSeed), SLOTS_PER_LANE);
    this.#hash = makeChunkHasher(keyring?.chunkIdKey ?? null);
    const { sid, packBytes, firstNumber, numberStep } = init;
    this.#builder = new PackBuilder({ sid, packBytes, keyring, firstNumber, numberStep });
    const none = new Uint32Array(0);
    this.#slots = Array.from({ length: SLOTS_PER_LANE }, () => {
      return { busy: false, chunkEnds: none, chunkStarts: none, ids: new Uint8Array(0) };
    });
  }

  async scan(job: SegmentJob): Promise<ScannedSegment> {
    const slot = this.#slots.findIndex(({ busy }) => !busy);
    const state = this.#slots[slot];
    if (state === undefined) throw new RepriseError("invariant", "LANE_OVERRUN", "backup lane has no free slot");
    state.busy = true;
    if ("parts" in job.from) return this.#scanParts(slot, state, job.from.parts);
    const bytesRead = await this.#load(job, this.#cutter.slotBytes(slot).subarray(0, job.length));
    const cuts = job.chunkLengths?.map((length) => ({ length, zero: false })) ?? this.#cutter.cut(slot, job.length);
    const lengths = this.#hashChunks(slot, state, cuts);
    return { slot, lengths, ids: state.ids, bytesRead };
  }

  #scanParts(slot: number, state: Slot, parts: readonly FilePart[]): ScannedSegment {
    const scanned = scanParts(this.#cutter, slot, parts);
    const lengths = this.#hashChunks(slot, state, scanned.cuts);
    return { slot, lengths, ids: state.ids, bytesRead: scanned.bytesRead, parts: scanned.parts };
  }

  async encode(order: { slot: number; wanted: Uint32Array }): Promise<{ packs: FinishedPack[] }> {
    const state = this.#slots[order.slot] as Slot;
    const bytes = this.#cutter.slotBytes(order.slot);
    const packs: FinishedPack[] = [];
    for (const chunk of order.wanted) {
      while (this.#packsUnderWay >= this.#init.packsUnderWay && packs.length === 0) await this.#bufferFree();
      const plain = bytes.subarray(state.chunkStarts[chunk], state.chunkEnds[chunk]);
      const id = state.ids.subarray(chunk * BLOB_ID_BYTES, (chunk + 1) * BLOB_ID_BYTES);
      this.#builder.add("chunk", id, plain, this.#init.codec);
      if (this.#builder.isFull) packs.push(this.#builder.finish() as FinishedPack);
      if (++this.#encoded % CHUNKS_PER_COLLECTION === 0) collectYoungGarbage();
    }
    state.busy = false;
    return this.#handOut(packs);
  }

  async flush(): Promise<{ packs: FinishedPack[] }> {
    const last = this.#builder.finish();
    return this.#handOut(last ? [last] : []);
  }

  async reuse(buffer: ArrayBuffer): Promise<void> {
    this.#builder.reuse(buffer);
    this.#packsUnderWay--;
    for (const wake of this.#onReuse.splice(0)) wake();
  }

  async end(): Promise<void> {
    for (const source of this.#sources.values()) await (await source).close();
  }

  async #load({ from }: SegmentJob, target: Uint8Array): Promise<number> {
    if ("bytes" in from) {
      target.set(from.bytes);
      return from.bytes.length;
    }
    if ("parts" in from) return 0;
    const { source: location, offset, extents } = from;
    const source = await this.#source(location);
    let bytesRead = 0;
    for (const extent of extents) {
      const part = target.subarray(extent.offset - offset, extent.offset - offset + extent.length);
      if (extent.zero) part.fill(0);
      else {
        await source.read(part, extent.offset);
        bytesRead += extent.length;
      }
    }
    return bytesRead;
  }

  /** Cuts lie one behind the other, or where they say. */
  #hashChunks(slot: number, state: Slot, cuts: readonly (SegmentCut & { start?: number })[]): Uint32Array {
    const bytes = this.#cutter.slotBytes(slot);
    const chunkCount = cuts.reduce((count, { zero }) => count + (zero ? 0 : 1), 0);
    state.chunkStarts = new Uint32Array(chunkCount);
    state.chunkEnds = new Uint32Array(chunkCount);
    state.ids = new Uint8Array(chunkCount * BLOB_ID_BYTES);
    const lengths = new Uint32Array(cuts.length);
    let position = 0;
    let chunk = 0;
    cuts.forEach((cut, i) => {
      if (cut.start !== undefined) position = cut.start;
      const end = position + cut.length;
      lengths[i] = cut.zero ? zeroEntry(cut.length) : cut.length;
      if (!cut.zero) {
        state.chunkStarts[chunk] = position;
        state.chunkEnds[chunk] = end;
        state.ids.set(this.#hash(bytes.subarray(position, end)), chunk * BLOB_ID_BYTES);
        chunk++;
      }
      position = end;
    });
    return lengths;
  }

  #source(location: SourceLocation): Promise<BlockSource> {
    const key = JSON.stringify(location);
    let source = this.#sources.get(key);
    if (source === undefined) {
      source = reopenSource(location);
      this.#sources.set(key, source);
    }
    return source;
  }

  /** Entries are copied out with the result, buffers are moved. */
  #handOut(packs: FinishedPack[]): { packs: FinishedPack[] } {
    this.#packsUnderWay += packs.length;
    return withTransfer(
      { packs },
      packs.map(({ buffer }) => buffer),
    );
  }

  #bufferFree(): Promise<void> {
    return new Promise((resolve) => {
      this.#onReuse.push(resolve);
    });
  }
}
