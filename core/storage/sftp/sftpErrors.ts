// From a server's refusals to the errors that the Backend interface promises. SFTP has one code for nearly everything
// ("Failure"), so the server is asked what is wrong: is the disk full, is it read-only, is the folder still there?

import { isAbort, isOurError, RepriseError } from "../../errors.js";
import { hasStatus, isLineError, type SftpClient } from "./sftpClient.js";
import { STATUS } from "./sftpPacket.js";
import type { SpaceInfo } from "./sftpReplies.js";

export type SftpOperation = "create" | "open" | "get" | "stat" | "put" | "putIfAbsent" | "list" | "delete";

export interface SftpContext {
  operation: SftpOperation;
  /** Key or prefix; absent for create and open. */
  key?: string;
  /** For messages. */
  location: string;
}

const READS: ReadonlySet<SftpOperation> = new Set(["get", "stat", "list", "open"]);
const ROOM_FOR_FOLDERS = 64 * 1024;

/**
 * To be called on the line that refused, at once and before anything is tidied up: adds what the server says of its disk to
 * the refusal of a write of `sizeBytes`. Other errors come back unchanged.
 */
export async function withDiagnosis(
  error: unknown,
  client: SftpClient,
  folder: string,
  sizeBytes: number,
): Promise<unknown> {
  if (!hasStatus(error, STATUS.failure) || !client.has("statvfs@openssh.com")) return error;
  const space = await client.space(folder).catch(() => undefined);
  if (space === undefined) return error;
  if (space.readOnly) return new DiskRefusal("read-only", error);
  return isFull(space, sizeBytes) ? new DiskRefusal("full", error) : error;
}

class DiskRefusal extends Error {
  readonly why: "full" | "read-only";

  constructor(why: "full" | "read-only", cause: Error) {
    super(cause.message, { cause });
    this.why = why;
  }
}

function isFull({ freeBytes, freeFiles }: SpaceInfo, sizeBytes: number): boolean {
  return freeBytes < sizeBytes + ROOM_FOR_FOLDERS || freeFiles === 0;
}

/**
 * What to throw: our own errors and aborts unchanged, else `STORAGE_FULL`, `STORAGE_READ_ONLY` (only for operations that
 * write) or `STORAGE_FAILED`, each with `data.operation`, `data.key`, `data.location` and the cause.
 */
export function sftpError(error: unknown, context: SftpContext): unknown {
  if (isOurError(error) || isAbort(error)) return error;
  const data = { ...context };
  const { operation, location } = context;
  const subject = context.key === undefined ? location : `${context.key} in ${location}`;
  if (isLineError(error) || !isRefusal(error)) return lineFailed(error, `${operation} of ${subject}`, data);
  if (error instanceof DiskRefusal && error.why === "full") {
    return new RepriseError("backend", "STORAGE_FULL", `no space for ${subject}`, {
      data,
      hint: "free space on the server, or run reprise prune and reprise gc, then try again",
      retry: "later",
      cause: error,
    });
  }
  if ((error instanceof DiskRefusal || hasStatus(error, STATUS.permissionDenied)) && !READS.has(operation)) {
    return new RepriseError("backend", "STORAGE_READ_ONLY", `cannot write ${subject}: ${error.message}`, {
      data,
      hint: "make the folder writable for this user on the server, or check whether its file system is mounted read-only",
      cause: error,
    });
  }
  return new RepriseError("backend", "STORAGE_FAILED", `${operation} of ${subject} failed: ${error.message}`, {
    data,
    ...hintFor(error, operation),
    cause: error,
  });
}

function isRefusal(error: unknown): error is Error {
  return error instanceof DiskRefusal || hasStatus(error, ...Object.values(STATUS));
}

function hintFor(error: unknown, operation: SftpOperation): { hint?: string } {
  if (hasStatus(error, STATUS.permissionDenied)) return { hint: "check the permissions of the folder on the server" };
  if (hasStatus(error, STATUS.failure) && !READS.has(operation)) {
    return { hint: "the server gives no reason; is a quota of the user used up?" };
  }
  return {};
}

function lineFailed(error: unknown, what: string, data: SftpContext): unknown {
  if (isLineError(error) && isOurError(error.cause)) return error.cause;
  const text = error instanceof Error ? error.message : String(error);
  const nonsense = isLineError(error) && error.kind === "protocol";
  return new RepriseError("backend", "STORAGE_FAILED", `${what} failed: ${text}`, {
    data: { ...data, line: isLineError(error) ? error.kind : undefined },
    retry: nonsense ? "never" : "later",
    hint: nonsense
      ? "does the server print text at login (in .bashrc, for example)? It must not, for sftp"
      : "is the server running, and can it be reached? Repeat the command; nothing finished is lost",
    cause: error,
  });
}
