// The chunk scan in plain TypeScript: the reference that the WebAssembly kernel (kernel/scan.ts) must equal, and the
// one to read next to docs/format/chunking.md. Much slower; not used for backups. 64-bit words as two 32-bit halves.

import type { ChunkerParams } from "./chunkerParams.js";

/** Bytes fed before the first test: the hash depends on the last 64 bytes only. */
const WARM_UP_BYTES = 64;

/** A gear table as halves, so that the scan needs no BigInt. */
export interface GearHalves {
  low: Uint32Array;
  high: Uint32Array;
}

export function splitGearTable(table: BigUint64Array): GearHalves {
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  table.forEach((word, entry) => {
    low[entry] = Number(word & 0xffffffffn);
    high[entry] = Number(word >> 32n);
  });
  return { low, high };
}

/** Length of the first chunk of the span that `bytes` is, from `start` on. */
export function findCutTwin(bytes: Uint8Array, start: number, params: ChunkerParams, gear: GearHalves): number {
  const { minBytes, averageBytes, maxBytes } = params;
  const length = bytes.length - start;
  if (length <= minBytes) return length;
  const bits = Math.round(Math.log2(averageBytes));
  const end = Math.min(length, maxBytes);
  let low = 0;
  let high = 0;
  for (let position = minBytes - WARM_UP_BYTES; position < end; position += 1) {
    const byte = bytes[start + position]!;
    const sum = ((low << 1) >>> 0) + gear.low[byte]!;
    high = ((high << 1) | (low >>> 31)) + gear.high[byte]! + (sum > 0xffffffff ? 1 : 0);
    high >>>= 0;
    low = sum >>> 0;
    if (position < minBytes) continue;
    const chunkLength = position + 1;
    const ones = chunkLength <= averageBytes ? bits + 1 : bits - 1;
    if (high >>> (32 - ones) === 0) return chunkLength;
  }
  return end;
}

/** Bytes of the all-zero blocks of `blockBytes` at the start of `bytes`; a shorter last block counts. */
export function zeroPrefixTwin(bytes: Uint8Array, start: number, blockBytes: number): number {
  let position = start;
  while (position < bytes.length && isZeroBlock(bytes, position, blockBytes)) position += blockBytes;
  return Math.min(position, bytes.length) - start;
}

/** Bytes before the first all-zero block. */
export function dataPrefixTwin(bytes: Uint8Array, start: number, blockBytes: number): number {
  let position = start;
  while (position < bytes.length && !isZeroBlock(bytes, position, blockBytes)) position += blockBytes;
  return Math.min(position, bytes.length) - start;
}

function isZeroBlock(bytes: Uint8Array, start: number, blockBytes: number): boolean {
  const end = Math.min(start + blockBytes, bytes.length);
  for (let position = start; position < end; position += 1) {
    if (bytes[position] !== 0) return false;
  }
  return true;
}
