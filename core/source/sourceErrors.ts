// Errors of the disks being backed up, in one place so that every kind of source words them alike.

import { type ErrorDetails, RepriseError } from "../errors.js";

/** Family `source`. */
export function sourceFailed(code: string, message: string, details: ErrorDetails = {}): RepriseError {
  return new RepriseError("source", code, message, details);
}

export function sourceMissing(path: string, cause: unknown): RepriseError {
  return sourceFailed("SOURCE_NOT_FOUND", `there is no ${path}`, {
    data: { path },
    hint: "check the path; a disk is a file, a block device, or - for standard input",
    cause,
  });
}

/** Reading failed at `offset`; other bytes may still be readable. */
export function readFailed(location: string, offset: number, cause: unknown): RepriseError {
  const errno = (cause as { code?: unknown } | undefined)?.code;
  return new RepriseError("source", "SOURCE_READ_FAILED", `cannot read ${location} at byte ${offset}`, {
    data: { location, offset, errno },
    cause,
  });
}

/** The source ended at `offset` although it had `sizeBytes` when it was opened. */
export function sourceShrank(location: string, offset: number, sizeBytes: number): RepriseError {
  return new RepriseError("source", "SOURCE_SHRANK", `${location} became shorter while it was read`, {
    data: { location, offset, sizeBytes },
    hint: "back up a disk that nobody is resizing, or a snapshot of it",
    retry: "later",
  });
}

/** A range outside the disk: a mistake of ours, never of the disk. */
export function checkRange(location: string, sizeBytes: number, offset: number, length: number): void {
  const inside = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= sizeBytes;
  if (inside) return;
  throw new RepriseError("invariant", "RANGE_INVALID", `range ${offset}+${length} is outside ${location}`, {
    data: { offset, length, sizeBytes },
  });
}
