// The two errors of the NBD client: the server broke the protocol, or it (or the connection) said no.

import { RepriseError } from "../errors.js";

/** What the server sent does not follow the protocol; the connection is given up. */
export function nbdProtocolError(message: string, data: Record<string, unknown> = {}): RepriseError {
  return new RepriseError("source", "NBD_PROTOCOL", `NBD server broke the protocol: ${message}`, { data });
}

/** `errno` is a name such as ENOSPC; ETIMEDOUT and ECONNRESET stand for the connection itself. */
export function nbdFailed(
  errno: string,
  message: string,
  data: Record<string, unknown> = {},
  cause?: unknown,
): RepriseError {
  const details = { data: { ...data, errno }, retry: errno === "ETIMEDOUT" ? "later" : "never", cause } as const;
  return new RepriseError("source", "NBD_FAILED", `NBD: ${message} (${errno})`, details);
}

/** A server's text, safe to show: control characters replaced, length bounded. */
export function shown(text: string): string {
  return text
    .slice(0, 300)
    .replace(/\p{Cc}+/gu, " ")
    .trim();
}
