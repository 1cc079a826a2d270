// Errors of restore targets, and how the system's and the NBD server's error numbers become them.

import { type ErrorDetails, isAbort, isOurError, RepriseError } from "../errors.js";

const fullErrnos = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const readOnlyErrnos = new Set(["EROFS", "EACCES", "EPERM"]);

/** Family `source`: the disk at the other end. */
export function targetFailed(code: string, message: string, details: ErrorDetails = {}): RepriseError {
  return new RepriseError("source", code, message, details);
}

/**
 * TARGET_FULL, TARGET_READ_ONLY or TARGET_WRITE_FAILED by the error number of `cause`; our own errors pass unless they
 * come from the NBD client. `doing` completes "cannot …".
 */
export function writeError(path: string, doing: string, cause: unknown, data: Record<string, unknown> = {}): unknown {
  if (isAbort(cause)) return cause;
  if (isOurError(cause) && cause.code !== "NBD_FAILED" && cause.code !== "NBD_PROTOCOL") return cause;
  const errno = isOurError(cause) ? cause.data.errno : (cause as NodeJS.ErrnoException).code;
  const details = { data: { ...data, path, errno }, cause };
  if (fullErrnos.has(errno as string)) {
    const isTooLarge = errno === "EFBIG";
    return targetFailed("TARGET_FULL", isTooLarge ? `too large a file: cannot ${doing}` : `no room to ${doing}`, {
      ...details,
      hint: isTooLarge
        ? "the file is too large for this file system, or for the limit of this shell (ulimit -f): restore to another place"
        : "free some space and run the same restore again: it goes on where it stopped",
      retry: "later",
    });
  }
  if (readOnlyErrnos.has(errno as string)) {
    return targetFailed("TARGET_READ_ONLY", `not allowed to ${doing} (${errno})`, details);
  }
  if (errno === "ENOENT") {
    const hint = "make the folder first, or check the path";
    return targetFailed("TARGET_WRITE_FAILED", `cannot ${doing}: no such folder`, { ...details, hint });
  }
  return targetFailed("TARGET_WRITE_FAILED", `cannot ${doing}${errno === undefined ? "" : ` (${errno})`}`, details);
}

export function readError(path: string, offset: number, cause?: unknown): RepriseError {
  const errno = (cause as { code?: unknown } | undefined)?.code;
  const data = { path, offset, errno };
  return targetFailed("TARGET_READ_FAILED", `cannot read back ${path} at byte ${offset}`, { data, cause });
}

export function targetExists(path: string, what: string): RepriseError {
  return targetFailed("TARGET_EXISTS", `${path} ${what}`, {
    data: { path },
    hint: "use --force to replace its contents",
  });
}
