// Unified diffs of text files. The only file that knows the package diff.

import { createTwoFilesPatch } from "diff";

/** Larger files are compared, not shown. */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_TIME_MS = 2000;
const CONTEXT_LINES = 3;

/**
 * Bytes that `patch` understands; null when one of the two is no text (has a NUL in it, is too large), or when they differ too
 * much to be compared in time. Encodings other than UTF-8 pass through unchanged.
 */
export function unifiedDiff(
  before: { name: string; bytes: Uint8Array },
  after: { name: string; bytes: Uint8Array },
): Uint8Array | null {
  const both = [before.bytes, after.bytes];
  if (both.some((bytes) => bytes.length > MAX_TEXT_BYTES || bytes.includes(0))) return null;
  const encoding = both.every(isUtf8) ? "utf8" : "latin1";
  const [old, fresh] = both.map((bytes) => Buffer.from(bytes).toString(encoding)) as [string, string];
  const options = { context: CONTEXT_LINES, timeout: MAX_TIME_MS };
  const patch = createTwoFilesPatch(before.name, after.name, old, fresh, undefined, undefined, options);
  if (patch === undefined) return null;
  // the rule before the first file name is for several patches in a row by the package itself
  return Buffer.from(patch.replace(/^=+\n/, ""), encoding);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
