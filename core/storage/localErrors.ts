// From the error codes of a file system to the errors that the Backend interface promises.

import { isAbort, isOurError, RepriseError } from "../errors.js";

export type LocalOperation = "create" | "open" | "get" | "stat" | "put" | "putIfAbsent" | "list" | "delete";

/** What was being done, for the error's data. */
export interface LocalContext {
  operation: LocalOperation;
  /** Key or prefix; absent for create and open. */
  key?: string;
  path: string;
}

const READS: ReadonlySet<LocalOperation> = new Set(["get", "stat", "list", "open"]);
/** EFBIG: the process may not write a file that large (`ulimit -f`). */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const REFUSED: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM"]);
const TRANSIENT: ReadonlySet<string> = new Set(["EAGAIN", "EBUSY", "EINTR", "EMFILE", "ENFILE", "ESTALE", "ETIMEDOUT"]);

/** The code of a failed system call, e.g. `ENOENT`; undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return typeof code === "string" && syscall !== undefined ? code : undefined;
}

/**
 * What to throw for `error`: our own errors and aborts unchanged, else `STORAGE_FULL`, `STORAGE_READ_ONLY` (only for
 * operations that write) or `STORAGE_FAILED`, each with `data.operation`, `data.key`, `data.path` and the cause.
 */
export function localError(error: unknown, context: LocalContext): unknown {
  if (isOurError(error) || isAbort(error)) return error;
  const systemError = systemCode(error) ?? "";
  const data = { ...context, systemError };
  const subject = context.key === undefined ? context.path : `${context.key} in ${context.path}`;
  if (FULL.has(systemError)) {
    const hint = "free space on the storage, or run reprise prune and reprise gc, then try again";
    return new RepriseError("backend", "STORAGE_FULL", `no space for ${subject}`, {
      data,
      hint,
      retry: "later",
      cause: error,
    });
  }
  if (REFUSED.has(systemError) && !READS.has(context.operation)) {
    const hint = "make the folder writable for this user, or check whether its file system is mounted read-only";
    return new RepriseError("backend", "STORAGE_READ_ONLY", `cannot write ${subject}: ${systemError}`, {
      data,
      hint,
      cause: error,
    });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new RepriseError("backend", "STORAGE_FAILED", `${context.operation} of ${subject} failed: ${text}`, {
    data,
    retry: TRANSIENT.has(systemError) ? "later" : "never",
    ...(REFUSED.has(systemError) ? { hint: "check the permissions of the folder" } : {}),
    ...(systemError === "EXDEV"
      ? { hint: "a repository must be on one file system: nothing in it may be a mount" }
      : {}),
    cause: error,
  });
}
