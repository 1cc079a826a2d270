// BLAKE2b with 32 bytes of output and no key (RFC 7693), which OpenSSL offers with 64 bytes only. 64-bit words are kept as two
// halves of 32 bits, low half first.

const BLOCK_BYTES = 128;
const OUTPUT_BYTES = 32;
const ROUNDS = 12;

/** RFC 7693, 2.6: the fractions of the square roots of the first eight primes, low half first. */
const INITIAL = Uint32Array.of(
  0xf3bcc908,
  0x6a09e667,
  0x84caa73b,
  0xbb67ae85,
  0xfe94f82b,
  0x3c6ef372,
  0x5f1d36f1,
  0xa54ff53a,
  0xade682d1,
  0x510e527f,
  0x2b3e6c1f,
  0x9b05688c,
  0xfb41bd6b,
  0x1f83d9ab,
  0x137e2179,
  0x5be0cd19,
);

/** RFC 7693, 2.7; rounds 10 and 11 are 0 and 1 again. */
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const;

/** Words of the work vector that each of the eight mixings of a round takes. */
const MIXINGS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

const work = new Uint32Array(32);
const message = new Uint32Array(32);

/** `data`: below 2^32 bytes. */
export function blake2b256(data: Uint8Array): Uint8Array {
  const state = INITIAL.slice();
  state[0]! ^= 0x0101_0000 ^ OUTPUT_BYTES;
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; ; at += BLOCK_BYTES) {
    const isLast = at + BLOCK_BYTES >= data.length;
    block.fill(0);
    block.set(data.subarray(at, at + BLOCK_BYTES));
    compress(state, block, isLast ? data.length : at + BLOCK_BYTES, isLast);
    if (isLast) break;
  }
  const output = new DataView(new ArrayBuffer(OUTPUT_BYTES));
  for (let i = 0; i < OUTPUT_BYTES / 4; i++) output.setUint32(i * 4, state[i]!, true);
  return new Uint8Array(output.buffer);
}

function compress(state: Uint32Array, block: Uint8Array, counter: number, isLast: boolean): void {
  const view = new DataView(block.buffer);
  for (let i = 0; i < 32; i++) message[i] = view.getUint32(i * 4, true);
  work.set(state);
  work.set(INITIAL, 16);
  work[24]! ^= counter;
  if (isLast) {
    work[28]! ^= 0xffff_ffff;
    work[29]! ^= 0xffff_ffff;
  }
  for (let round = 0; round < ROUNDS; round++) {
    const order = SIGMA[round % SIGMA.length]!;
    for (let i = 0; i < MIXINGS.length; i++) {
      const [a, b, c, d] = MIXINGS[i]!;
      mix(a * 2, b * 2, c * 2, d * 2, order[i * 2]! * 2, order[i * 2 + 1]! * 2);
    }
  }
  for (let i = 0; i < 16; i++) state[i]! ^= work[i]! ^ work[i + 16]!;
}

/** RFC 7693, 3.1: places are those of low halves. */
function mix(a: number, b: number, c: number, d: number, x: number, y: number): void {
  add(a, work[b]!, work[b + 1]!);
  add(a, message[x]!, message[x + 1]!);
  turn(d, a, 32);
  add(c, work[d]!, work[d + 1]!);
  turn(b, c, 24);
  add(a, work[b]!, work[b + 1]!);
  add(a, message[y]!, message[y + 1]!);
  turn(d, a, 16);
  add(c, work[d]!, work[d + 1]!);
  turn(b, c, 63);
}

function add(to: number, low: number, high: number): void {
  const sum = work[to]! + low;
  work[to] = sum;
  work[to + 1] = work[to + 1]! + high + (sum > 0xffff_ffff ? 1 : 0);
}

/** The word at `at`, combined with the one at `by`, turned right. */
function turn(at: number, by: number, bits: 16 | 24 | 32 | 63): void {
  const low = work[at]! ^ work[by]!;
  const high = work[at + 1]! ^ work[by + 1]!;
  if (bits === 32) {
    work[at] = high;
    work[at + 1] = low;
  } else if (bits === 63) {
    work[at] = (low << 1) | (high >>> 31);
    work[at + 1] = (high << 1) | (low >>> 31);
  } else {
    work[at] = (low >>> bits) | (high << (32 - bits));
    work[at + 1] = (high >>> bits) | (low << (32 - bits));
  }
}
