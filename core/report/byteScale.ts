// Round numbers of bytes for axes.

import { formatBytes } from "./amounts.js";

/** From a quarter of the next unit on in halves of it, so that the scale meets that unit. */
const FACTORS = [1, 2, 5, 10, 20, 50, 100, 256, 512, 1024];

/** The round number that is not less. */
export function byteStep(about: number): number {
  const power = 1024 ** Math.max(0, Math.floor(Math.log2(Math.max(1, about)) / 10));
  const factor = FACTORS.find((each) => each * power >= about) ?? 1024;
  return factor * power;
}

/** "0", "20 GiB". */
export function formatByteTick(bytes: number): string {
  return bytes === 0 ? "0" : formatBytes(bytes).replace(/\.0 /, " ");
}
