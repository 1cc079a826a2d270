// Whether the log was empty when the disk was copied: not a replay, only a look at the last record. The log is a ring of
// records; the number of the round ("cycle") stands at the start of every 512 bytes, so its head is where the number
// falls. After a clean unmount the last record holds one operation, "unmount". Follows "XFS Algorithms & Data
// Structures", chapter Journaling Log.

import type { ReadOptions } from "../blockReader.js";
import { uint64At, viewOf } from "./bigEndian.js";
import type { XfsVolume } from "./volume.js";

export type LogState =
  | { kind: "clean" }
  /** Bytes between the oldest change that may not be in its place yet and the head; null when the log does not tell. */
  | { kind: "pending"; bytes: number | null }
  | { kind: "elsewhere" }
  | { kind: "unreadable" };

const BASIC_BLOCK_BYTES = 512;
const RECORD_MAGIC = 0xfeedbabe;
/** A header block holds the cycle words of so many bytes; longer records have several. */
const HEADER_COVERS_BYTES = 32 * 1024;
/** XLOG_MAX_RECORD_BSIZE, with room for its headers. */
const MAX_RECORD_BLOCKS = 512 + 16;
const OPERATION_UNMOUNT = 0x20;
/** Records between the one that wrote the superblock and the head; an unmounted file system has two or three. */
const MAX_STEPS = 32;

interface LogRecord {
  block: number;
  cycle: number;
  headerBlocks: number;
  /** With its headers, in blocks. */
  blocks: number;
  operations: number;
  tailBlock: number;
}

interface Head {
  block: number;
  last: LogRecord;
}

/** Reads a few hundred KiB of the log at most; 64 KiB when the superblock was written by the last unmount. */
export async function inspectLog(volume: XfsVolume, options?: ReadOptions): Promise<LogState> {
  const { logStart, logBlocks, blockBytes, lastLogWrite } = volume.superblock;
  if (logStart === 0) return { kind: "elsewhere" };
  if (logBlocks === 0 || !volume.holdsBlocks(logStart, logBlocks)) return { kind: "unreadable" };
  const start = volume.byteOffset(logStart);
  const count = (logBlocks * blockBytes) / BASIC_BLOCK_BYTES;
  if (start + count * BASIC_BLOCK_BYTES > volume.reader.sizeBytes) return { kind: "unreadable" };
  const ring = new LogRing(volume, start, count, options);
  const head = (await ring.headAfter(lastLogWrite)) ?? (await ring.searchHead());
  if (head === "empty") return { kind: "clean" };
  if (head === null) return { kind: "unreadable" };
  if (await ring.endsWithUnmount(head)) return { kind: "clean" };
  const pending = (head.block - head.last.tailBlock + count) % count;
  return { kind: "pending", bytes: head.last.tailBlock < count ? pending * BASIC_BLOCK_BYTES : null };
}

class LogRing {
  readonly #volume: XfsVolume;
  readonly #start: number;
  readonly #count: number;
  readonly #options: ReadOptions | undefined;

  constructor(volume: XfsVolume, start: number, count: number, options?: ReadOptions) {
    this.#volume = volume;
    this.#start = start;
    this.#count = count;
    this.#options = options;
  }

  /** From a record that is known, step by step; null when that leads nowhere. */
  async headAfter({ cycle, block }: { cycle: number; block: number }): Promise<Head | null> {
    if (cycle === 0 || block >= this.#count) return null;
    let last = await this.#recordAt(block, cycle);
    for (let step = 0; last !== null && step < MAX_STEPS; step++) {
      const end: number = last.block + last.blocks;
      const next = end % this.#count;
      const nextCycle: number = last.cycle + (end < this.#count ? 0 : 1);
      const record = await this.#recordAt(next, nextCycle);
      if (record === null) {
        const found = await this.#cycleAt(next);
        return found < nextCycle ? { block: next, last } : null;
      }
      last = record;
    }
    return null;
  }

  /** By halving. "empty": never written. */
  async searchHead(): Promise<Head | "empty" | null> {
    const first = await this.#cycleAt(0);
    if (first === 0) return "empty";
    let low = 0;
    let high = this.#count;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.#cycleAt(middle)) === first) low = middle;
      else high = middle;
    }
    const head = high % this.#count;
    const last = await this.#lastRecordBefore(high);
    return last === null ? null : { block: head, last };
  }

  async endsWithUnmount({ block, last }: Head): Promise<boolean> {
    if (last.operations !== 1 || (last.block + last.blocks) % this.#count !== block) return false;
    const operation = await this.#read((last.block + last.headerBlocks) % this.#count, 1);
    return ((operation[9] as number) & OPERATION_UNMOUNT) !== 0;
  }

  /** `end`: not wrapped. A record may begin before block 0, at the end of the ring. */
  async #lastRecordBefore(end: number): Promise<LogRecord | null> {
    for (const [from, to] of [
      [Math.max(0, end - MAX_RECORD_BLOCKS), end],
      [this.#count - Math.min(this.#count, MAX_RECORD_BLOCKS - Math.min(end, MAX_RECORD_BLOCKS)), this.#count],
    ] as const) {
      const bytes = await this.#read(from, to - from);
      for (let i = to - from - 1; i >= 0; i--) {
        const record = this.#decodeRecord(bytes.subarray(i * BASIC_BLOCK_BYTES, (i + 1) * BASIC_BLOCK_BYTES), from + i);
        if (record !== null) return record;
      }
    }
    return null;
  }

  async #recordAt(block: number, cycle: number): Promise<LogRecord | null> {
    const record = this.#decodeRecord(await this.#read(block, 1), block);
    return record?.cycle === cycle ? record : null;
  }

  #decodeRecord(bytes: Uint8Array, block: number): LogRecord | null {
    const view = viewOf(bytes);
    if (view.getUint32(0) !== RECORD_MAGIC) return null;
    const cycle = view.getUint32(4);
    const version = view.getUint32(8);
    const length = view.getUint32(12);
    const headerBlocks = version === 1 ? 1 : Math.max(1, Math.ceil(view.getUint32(320) / HEADER_COVERS_BYTES));
    const blocks = headerBlocks + Math.ceil(length / BASIC_BLOCK_BYTES);
    if (uint64At(view, 16) !== cycle * 0x1_0000_0000 + block || blocks > Math.min(MAX_RECORD_BLOCKS, this.#count)) {
      return null;
    }
    return { block, cycle, headerBlocks, blocks, operations: view.getUint32(40), tailBlock: view.getUint32(28) };
  }

  async #cycleAt(block: number): Promise<number> {
    const view = viewOf(await this.#read(block, 1));
    const first = view.getUint32(0);
    return first === RECORD_MAGIC ? view.getUint32(4) : first;
  }

  #read(block: number, count: number): Promise<Uint8Array> {
    const offset = this.#start + block * BASIC_BLOCK_BYTES;
    return this.#volume.read(offset, count * BASIC_BLOCK_BYTES, "log", this.#options);
  }
}
