// The 256 words of the gear hash: SplitMix64 from a seed, docs/format/chunking.md part 4. Pure.

const WORD = 64;
const INCREMENT = 0x9e3779b97f4a7c15n;
const FIRST_FACTOR = 0xbf58476d1ce4e5b9n;
const SECOND_FACTOR = 0x94d049bb133111ebn;

/** The gear table of a seed; only the low 64 bits of the seed count. */
export function makeGearTable(seed: bigint): BigUint64Array {
  const table = new BigUint64Array(256);
  let state = BigInt.asUintN(WORD, seed);
  for (let entry = 0; entry < table.length; entry += 1) {
    state = BigInt.asUintN(WORD, state + INCREMENT);
    let word = state;
    word = BigInt.asUintN(WORD, (word ^ (word >> 30n)) * FIRST_FACTOR);
    word = BigInt.asUintN(WORD, (word ^ (word >> 27n)) * SECOND_FACTOR);
    table[entry] = word ^ (word >> 31n);
  }
  return table;
}
