// Every error the core raises on purpose. Branch on `code` with isOurError, never on text or instanceof: the core is
// bundled more than once, and errors cross worker threads as plain data. Every code is listed in docs/errors.md.

export type ErrorFamily =
  | "format" // bytes that do not follow docs/format
  | "corrupt" // stored data that changed after it was written
  | "not-found"
  | "backend" // the storage refused or failed
  | "source" // the disk being backed up, or the target being restored to
  | "key" // wrong or missing passphrase or key
  | "conflict" // somebody else decided first
  | "unsupported"
  | "usage"
  | "invariant"; // our bug

export interface ErrorDetails {
  /** Names and numbers that belong to the error: object, expected, actual, offset … Never a secret. */
  data?: Record<string, unknown>;
  /** What the user can do next, one sentence, no full stop needed. */
  hint?: string;
  /** Whether the same call may succeed when repeated unchanged. */
  retry?: "never" | "later";
  cause?: unknown;
}

export class RepriseError extends Error {
  override readonly name = "RepriseError";
  readonly family: ErrorFamily;
  readonly code: string;
  readonly data: Record<string, unknown>;
  readonly hint: string | undefined;
  readonly retry: "never" | "later";

  constructor(family: ErrorFamily, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.family = family;
    this.code = code;
    this.data = details.data ?? {};
    this.hint = details.hint;
    this.retry = details.retry ?? "never";
  }
}

/** True for an error of ours, with the given code when one is named. Works across bundles and worker threads. */
export function isOurError(error: unknown, code?: string): error is RepriseError {
  if (typeof error !== "object" || error === null) return false;
  const candidate = error as Partial<RepriseError>;
  if (candidate.name !== "RepriseError" || typeof candidate.code !== "string") return false;
  return code === undefined || candidate.code === code;
}

/** True for the error that an AbortSignal causes. An abort is not a fault: pass it on, log nothing. */
export function isAbort(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { name?: unknown }).name === "AbortError";
}

export interface ErrorAsData {
  name: string;
  message: string;
  family?: ErrorFamily;
  code?: string;
  data?: Record<string, unknown>;
  hint?: string;
  retry?: "never" | "later";
  stack?: string;
}

/** Turns any error into plain data that survives structured cloning; the inverse of errorFromData. */
export function errorToData(error: unknown): ErrorAsData {
  if (isOurError(error)) {
    const { name, message, family, code, data, hint, retry, stack } = error;
    return { name, message, family, code, data, hint, retry, stack };
  }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { name: "Error", message: String(error) };
}

export function errorFromData(data: ErrorAsData): Error {
  if (data.family !== undefined && data.code !== undefined) {
    const { data: fields, hint, retry } = data;
    return new RepriseError(data.family, data.code, data.message, { data: fields, hint, retry });
  }
  const error = new Error(data.message);
  error.name = data.name;
  return error;
}
