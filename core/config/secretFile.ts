// A file with one secret: a passphrase, a recovery key, a password. It may be a pipe.

import { isAbort, RepriseError } from "../errors.js";
import { readInputFile } from "../platform/inputFile.js";

/** Nobody types more; a device that never ends is cut off here. */
const MAX_BYTES = 65_536;

/** The file's text without one newline at its end. PASSPHRASE_FILE_UNREADABLE. May be a pipe. */
export async function readSecretFile(path: string, signal: AbortSignal): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readInputFile(path, { maxBytes: MAX_BYTES, signal });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw unreadable(path, `cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown error"})`, cause);
  }
  if (bytes.length > MAX_BYTES) throw unreadable(path, `is longer than ${MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch (cause) {
    throw unreadable(path, "is not text in UTF-8", cause);
  }
  if (text === "") throw unreadable(path, "is empty");
  return text;
}

function unreadable(path: string, what: string, cause?: unknown): RepriseError {
  return new RepriseError("key", "PASSPHRASE_FILE_UNREADABLE", `the passphrase file ${path} ${what}`, {
    data: { path },
    hint: "check the path and its permissions",
    cause,
  });
}
