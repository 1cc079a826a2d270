// The hashes that directory indexes are sorted by: legacy, half of MD4, TEA. Following Linux, fs/ext4/hash.c, in meaning.

import { u32 } from "./littleEndian.js";

export const HASH = { legacy: 0, halfMd4: 1, tea: 2 } as const;
/** Added to a version when characters count as unsigned. */
export const UNSIGNED = 3;

const DEFAULT_SEED = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
/** Stands for the end of the index, so no name has it. */
const END_HASH = 0xffff_fffe;

/** Null for a version that is not known. `seed`: 16 bytes of the superblock, all zero for the default. */
export function hashName(name: Uint8Array, version: number, seed: Uint8Array): number | null {
  const isUnsigned = version >= UNSIGNED;
  const characters = isUnsigned ? name : new Int8Array(name);
  const hash = rawHash(characters, isUnsigned ? version - UNSIGNED : version, seed);
  if (hash === null) return null;
  const even = (hash & ~1) >>> 0;
  return even === END_HASH ? END_HASH - 2 : even;
}

type Characters = Uint8Array | Int8Array;

function rawHash(name: Characters, version: number, seed: Uint8Array): number | null {
  if (version === HASH.legacy) return legacyHash(name);
  const state = seed.every((byte) => byte === 0) ? [...DEFAULT_SEED] : [0, 4, 8, 12].map((at) => u32(seed, at));
  if (version === HASH.halfMd4) {
    for (let at = 0; at < name.length; at += 32) halfMd4(state, words(name.subarray(at), 8));
    return state[1] as number;
  }
  if (version === HASH.tea) {
    for (let at = 0; at < name.length; at += 16) tea(state, words(name.subarray(at), 4));
    return state[0] as number;
  }
  return null;
}

function legacyHash(name: Characters): number {
  let last = 0x12a3fe2d;
  let before = 0x37abe8f9;
  for (const character of name) {
    let hash = (before + (last ^ Math.imul(character, 7152373))) >>> 0;
    if (hash & 0x8000_0000) hash = (hash - 0x7fff_ffff) >>> 0;
    before = last;
    last = hash;
  }
  return (last << 1) >>> 0;
}

/** Four characters a word, filled up with the length of what is left. */
function words(name: Characters, count: number): number[] {
  const pair = (name.length | (name.length << 8)) >>> 0;
  const padding = pair | (pair << 16);
  const filled: number[] = [];
  for (let word = 0; word < count; word++) {
    let value = padding;
    for (const character of name.subarray(word * 4, word * 4 + 4)) value = (character + (value << 8)) | 0;
    filled.push(value);
  }
  return filled;
}

type Mix = (x: number, y: number, z: number) => number;

/** Mixing function, constant, the word that each of eight steps takes, and the four amounts of rotation. */
const rounds: readonly { mix: Mix; add: number; order: readonly number[]; turns: readonly number[] }[] = [
  { mix: (x, y, z) => z ^ (x & (y ^ z)), add: 0, order: [0, 1, 2, 3, 4, 5, 6, 7], turns: [3, 7, 11, 19] },
  {
    mix: (x, y, z) => ((x & y) + ((x ^ y) & z)) | 0,
    add: 0x5a827999,
    order: [1, 3, 5, 7, 0, 2, 4, 6],
    turns: [3, 5, 9, 13],
  },
  { mix: (x, y, z) => x ^ y ^ z, add: 0x6ed9eba1, order: [3, 7, 2, 6, 1, 5, 0, 4], turns: [3, 9, 11, 15] },
];

function halfMd4(state: number[], input: readonly number[]): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { mix, add, order, turns } of rounds) {
    for (const [step, word] of order.entries()) {
      const sum = (a + mix(b, c, d) + (input[word] as number) + add) | 0;
      const turn = turns[step % 4] as number;
      [a, b, c, d] = [d, (sum << turn) | (sum >>> (32 - turn)), b, c];
    }
  }
  for (const [i, value] of [a, b, c, d].entries()) state[i] = ((state[i] as number) + value) >>> 0;
}

function tea(state: number[], [a = 0, b = 0, c = 0, d = 0]: readonly number[]): void {
  let [x = 0, y = 0] = state;
  let sum = 0;
  for (let turn = 0; turn < 16; turn++) {
    sum = (sum + 0x9e3779b9) | 0;
    x = (x + (((y << 4) + a) ^ (y + sum) ^ ((y >>> 5) + b))) | 0;
    y = (y + (((x << 4) + c) ^ (x + sum) ^ ((x >>> 5) + d))) | 0;
  }
  state[0] = ((state[0] as number) + x) >>> 0;
  state[1] = ((state[1] as number) + y) >>> 0;
}
