// Which bytes of an object a caller gets, and how large an object may be: checked before memory is taken for it.

import { RepriseError } from "../errors.js";
import type { ByteRange } from "./backend.js";

/** No object of a repository is larger (packs stay under 128 MiB); a larger one is refused, never loaded. */
export const MAX_OBJECT_BYTES = 256 * 1024 * 1024;

/** Throws `OBJECT_TOO_LARGE` (corrupt: it is about the object, not about the storage) when `sizeBytes` is beyond MAX_OBJECT_BYTES. */
export function checkObjectSize(key: string, sizeBytes: number): void {
  if (sizeBytes <= MAX_OBJECT_BYTES) return;
  throw new RepriseError("corrupt", "OBJECT_TOO_LARGE", `object ${key} has ${sizeBytes} bytes`, {
    data: { key, sizeBytes, limit: MAX_OBJECT_BYTES },
    hint: "no object of a repository is that large; something else was put in its place",
  });
}

/**
 * The absolute range that a get must read. Throws `OBJECT_RANGE` when the range is not wholly inside the object and
 * `OBJECT_TOO_LARGE` when the answer would exceed MAX_OBJECT_BYTES.
 */
export function resolveRange(key: string, sizeBytes: number, range: ByteRange | undefined): ByteRange {
  const { offset, length } = absoluteRange(sizeBytes, range);
  const inside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset <= sizeBytes - length;
  if (!inside) {
    throw new RepriseError("backend", "OBJECT_RANGE", `object ${key}: range is outside its ${sizeBytes} bytes`, {
      data: { key, sizeBytes, offset: range?.offset, length: range?.length },
    });
  }
  checkObjectSize(key, length);
  return { offset, length };
}

function absoluteRange(sizeBytes: number, range: ByteRange | undefined): ByteRange {
  if (range === undefined) return { offset: 0, length: sizeBytes };
  if (range.offset < 0) return { offset: sizeBytes + range.offset, length: -range.offset };
  return range;
}

/** The error of get and stat for a name that is not taken. */
export function objectNotFound(key: string): RepriseError {
  return new RepriseError("not-found", "OBJECT_NOT_FOUND", `object ${key} does not exist`, { data: { key } });
}
