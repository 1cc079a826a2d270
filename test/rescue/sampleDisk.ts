// A disk of all that a map can say: pages that are full, partly zero and all zero, chunks of every kind, a crooked end.

import { join, noise, prose } from "../support/sampleBytes.js";

export const pageSpan = 65_536;

export function sampleDisk(seed = 1): Uint8Array {
  return join(
    noise(seed, 20_000),
    prose(seed + 1, 40_000),
    new Uint8Array(5_536),
    new Uint8Array(2 * pageSpan),
    prose(seed + 2, 9_000),
    new Uint8Array(30_000),
    noise(seed + 3, 26_536),
    prose(seed + 4, 12_345),
    new Uint8Array(10_000),
  );
}
