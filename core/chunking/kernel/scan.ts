// The hot loops of chunking, in AssemblyScript; scripts/buildKernel.mjs compiles this file to WebAssembly.
// Follows docs/format/chunking.md and gives exactly the results of cutTwin.ts. No allocation, no runtime: bytes
// 1024 to 3071 of the memory hold the gear table, the caller lays out everything from 65536 on.

const TABLE: usize = 1024;
const WARM_UP: usize = 64;
const BLOCK: usize = 4096;

function gear(hash: u64, at: usize): u64 {
  return (hash << 1) + load<u64>(TABLE + ((<usize>load<u8>(at)) << 3));
}

// The hash between two calls of scan.
let carried: u64 = 0;

/**
 * Feeds the bytes from `at` to `end`; a hash below `limit` is a cut (the mask has only top bits, so "no masked bit is
 * set" is "less than"). The hash so far travels in `carried`. Returns the address after the cut byte, or 0.
 */
function scan(from: usize, end: usize, limit: u64): usize {
  let at = from;
  let hash = carried;
  while (at + 8 <= end) {
    hash = gear(hash, at);
    if (hash < limit) return at + 1;
    hash = gear(hash, at + 1);
    if (hash < limit) return at + 2;
    hash = gear(hash, at + 2);
    if (hash < limit) return at + 3;
    hash = gear(hash, at + 3);
    if (hash < limit) return at + 4;
    hash = gear(hash, at + 4);
    if (hash < limit) return at + 5;
    hash = gear(hash, at + 5);
    if (hash < limit) return at + 6;
    hash = gear(hash, at + 6);
    if (hash < limit) return at + 7;
    hash = gear(hash, at + 7);
    if (hash < limit) return at + 8;
    at += 8;
  }
  while (at < end) {
    hash = gear(hash, at);
    at += 1;
    if (hash < limit) return at;
  }
  carried = hash;
  return 0;
}

/** Length of the first chunk of the span of `length` bytes at `offset`. `averageBytes` is 2 to the power of `bits`. */
export function findCut(
  offset: usize,
  length: usize,
  minBytes: usize,
  averageBytes: usize,
  maxBytes: usize,
  bits: u32,
): usize {
  if (length <= minBytes) return length;
  const first = offset + minBytes;
  let hash: u64 = 0;
  for (let at = first - WARM_UP; at < first; at += 1) hash = gear(hash, at);
  carried = hash;
  const end = offset + min(length, maxBytes);
  const middle = min(offset + averageBytes, end);
  let cut = scan(first, middle, (<u64>1) << (63 - bits));
  if (cut == 0) cut = scan(middle, end, (<u64>1) << (65 - bits));
  return (cut == 0 ? end : cut) - offset;
}

function isZeroBlock(block: usize, end: usize): bool {
  let at = block;
  while (at + 64 <= end) {
    const any = v128.or(v128.or(v128.load(at), v128.load(at, 16)), v128.or(v128.load(at, 32), v128.load(at, 48)));
    if (v128.any_true(any)) return false;
    at += 64;
  }
  while (at < end) {
    if (load<u8>(at) != 0) return false;
    at += 1;
  }
  return true;
}

/** Bytes in the all-zero blocks of 4096 that begin at `offset`; a shorter last block counts. */
export function zeroPrefix(offset: usize, length: usize): usize {
  const end = offset + length;
  let block = offset;
  while (block < end) {
    const next = min(block + BLOCK, end);
    if (!isZeroBlock(block, next)) break;
    block = next;
  }
  return block - offset;
}

/** Bytes before the first all-zero block of 4096, counted from `offset`. */
export function dataPrefix(offset: usize, length: usize): usize {
  const end = offset + length;
  let block = offset;
  while (block < end) {
    const next = min(block + BLOCK, end);
    if (isZeroBlock(block, next)) break;
    block = next;
  }
  return block - offset;
}
