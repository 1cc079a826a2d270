// Cuts segments of a disk into chunks and zero runs, docs/format/chunking.md parts 2 and 3. Segments lie in slots of
// the kernel's own memory, so that a disk read lands where it is scanned, hashed and compressed, without a copy.

import { RepriseError } from "../errors.js";
import { type ChunkerParams, checkChunkerParams } from "./chunkerParams.js";
import { dataPrefixTwin, findCutTwin, splitGearTable, zeroPrefixTwin } from "./cutTwin.js";
import { KERNEL_DATA_OFFSET, startScanKernel } from "./scanKernel.js";

/** Zeros are looked for in blocks of this size, aligned to the segment's start. */
export const ZERO_BLOCK_BYTES = 4096;
/** Shorter sequences of zero blocks are data, unless they are the whole segment. */
export const ZERO_RUN_MIN_BYTES = 65536;

/** WebAssembly memory ends at 4 GiB. */
const MAX_SLOT_BYTES = 4 * 1024 ** 3 - KERNEL_DATA_OFFSET;

export interface SegmentCut {
  /** Bytes, more than 0. */
  length: number;
  /** A run of zeros (all of them are); otherwise a chunk of data. */
  zero: boolean;
}

/** Owns `slots` slots of `segmentBytes` each, numbered from 0. One per worker; not shared between threads. */
export interface SegmentCutter {
  readonly slots: number;
  /** The slot's memory: write the segment here, read chunks from here. The same view each time, never detached. */
  slotBytes(slot: number): Uint8Array;
  /**
   * Cuts `length` bytes of the slot, from `start` (default: 0), as one segment. The lengths sum to `length`; nothing is changed.
   */
  cut(slot: number, length: number, start?: number): SegmentCut[];
}

/** The three questions that the kernel and its twin answer the same way. Positions are relative to the segment. */
interface SegmentScan {
  zeroPrefix(start: number, end: number): number;
  dataPrefix(start: number, end: number): number;
  findCut(start: number, end: number): number;
}

/** Throws `CHUNKER_INVALID`, or `INVARIANT` for a number of slots that does not fit into WebAssembly memory. */
export function createSegmentCutter(params: ChunkerParams, gearTable: BigUint64Array, slots: number): SegmentCutter {
  checkChunkerParams(params);
  const { minBytes, averageBytes, maxBytes, segmentBytes } = params;
  if (!Number.isInteger(slots) || slots < 1 || slots * segmentBytes > MAX_SLOT_BYTES)
    throw broken(`${slots} slots of ${segmentBytes} bytes`, { slots, segmentBytes });
  const kernel = startScanKernel(gearTable, slots * segmentBytes);
  const bits = Math.round(Math.log2(averageBytes));
  const offsets = Array.from({ length: slots }, (_, slot) => KERNEL_DATA_OFFSET + slot * segmentBytes);
  const views = offsets.map((offset) => new Uint8Array(kernel.memory.buffer, offset, segmentBytes));
  const scanFrom = (offset: number): SegmentScan => {
    return {
      zeroPrefix: (start, end) => kernel.zeroPrefix(offset + start, end - start),
      dataPrefix: (start, end) => kernel.dataPrefix(offset + start, end - start),
      findCut: (start, end) => kernel.findCut(offset + start, end - start, minBytes, averageBytes, maxBytes, bits),
    };
  };
  return {
    slots,
    slotBytes(slot) {
      const view = views[slot];
      if (view === undefined) throw broken(`slot ${slot} of ${slots}`, { slot, slots });
      return view;
    },
    cut(slot, length, start = 0) {
      const offset = offsets[slot];
      if (offset === undefined) throw broken(`slot ${slot} of ${slots}`, { slot, slots });
      const isInside = Number.isInteger(length) && Number.isInteger(start) && length >= 0 && start >= 0;
      if (!isInside || start + length > segmentBytes)
        throw broken(`segment of ${length} bytes`, { start, length, segmentBytes });
      return cutSegment(scanFrom(offset + start), length);
    },
  };
}

/** The same cuts without WebAssembly; slow, for tests and for checking a kernel. */
export function cutSegmentTwin(bytes: Uint8Array, params: ChunkerParams, gearTable: BigUint64Array): SegmentCut[] {
  const gear = splitGearTable(gearTable);
  return cutSegment(
    {
      zeroPrefix: (start, end) => zeroPrefixTwin(bytes.subarray(0, end), start, ZERO_BLOCK_BYTES),
      dataPrefix: (start, end) => dataPrefixTwin(bytes.subarray(0, end), start, ZERO_BLOCK_BYTES),
      findCut: (start, end) => findCutTwin(bytes.subarray(0, end), start, params, gear),
    },
    bytes.length,
  );
}

function cutSegment(scan: SegmentScan, length: number): SegmentCut[] {
  const cuts: SegmentCut[] = [];
  let spanStart = 0;
  let position = 0;
  while (position < length) {
    position += scan.dataPrefix(position, length);
    const zeros = scan.zeroPrefix(position, length);
    const isRun = zeros >= ZERO_RUN_MIN_BYTES || (zeros > 0 && zeros === length);
    if (isRun) {
      cutSpan(scan, spanStart, position, cuts);
      cuts.push({ length: zeros, zero: true });
      spanStart = position + zeros;
    }
    position += zeros;
  }
  cutSpan(scan, spanStart, length, cuts);
  return cuts;
}

function cutSpan(scan: SegmentScan, start: number, end: number, cuts: SegmentCut[]): void {
  let position = start;
  while (position < end) {
    const length = scan.findCut(position, end);
    cuts.push({ length, zero: false });
    position += length;
  }
}

function broken(what: string, data: Record<string, unknown>): RepriseError {
  return new RepriseError("invariant", "CHUNKER_MISUSED", `chunker: ${what} is out of range`, { data });
}
