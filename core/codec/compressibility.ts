// A cheap look at a blob before compressing it: encrypted and already compressed data is not worth the attempt.
// Errs towards "compressible": one window that does not look like noise, or one repetition, is enough.

const WINDOW_BYTES = 768;
/** One window for so many bytes of the blob. */
const BYTES_PER_WINDOW = 16 * 1024;
const MIN_WINDOWS = 8;
/** Shorter blobs are always tried. */
const MIN_BYTES = 32 * 1024;

/**
 * Pearson's chi-squared of 768 random bytes against 256 equal classes has mean 255 and deviation 22.6. Noise lies
 * within six deviations; text, code and base64 lie in the thousands, counters and other regular patterns below.
 */
const NOISE_CHI_SQUARED = { min: 120, max: 390 } as const;

/** Bytes of the middle that are looked for in the rest of the blob. */
const PROBE_BYTES = 16;

const counts = new Uint16Array(256);

/** True only when sampled windows all look like noise and the middle of the blob does not occur elsewhere in it. */
export function looksIncompressible(bytes: Uint8Array): boolean {
  if (bytes.length < MIN_BYTES) return false;
  const windows = Math.max(MIN_WINDOWS, Math.floor(bytes.length / BYTES_PER_WINDOW));
  const stride = (bytes.length - WINDOW_BYTES) / (windows - 1);
  for (let window = 0; window < windows; window += 1) {
    if (!isNoise(bytes, Math.floor(window * stride))) return false;
  }
  return !hasRepetition(bytes);
}

function isNoise(bytes: Uint8Array, start: number): boolean {
  counts.fill(0);
  for (let position = start; position < start + WINDOW_BYTES; position += 1) counts[bytes[position]!]! += 1;
  let squares = 0;
  for (let value = 0; value < 256; value += 1) squares += counts[value]! * counts[value]!;
  const chiSquared = (squares * 256) / WINDOW_BYTES - WINDOW_BYTES;
  return chiSquared >= NOISE_CHI_SQUARED.min && chiSquared <= NOISE_CHI_SQUARED.max;
}

/** Blocks of noise that come again would pass as noise: a disk of many copies of one compressed file. */
function hasRepetition(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const middle = bytes.length >> 1;
  const probe = buffer.subarray(middle, middle + PROBE_BYTES);
  return buffer.indexOf(probe) !== middle || buffer.indexOf(probe, middle + 1) !== -1;
}
