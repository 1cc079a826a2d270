// A file with a key in PEM.

import { isAbort, type RepriseError } from "../errors.js";
import { readInputFile } from "../platform/inputFile.js";

/** Keys are a few hundred bytes; a device that never ends is cut off here. */
const MAX_BYTES = 16_384;

/** The text of a file with a key. `refusal` makes the error for one that cannot be read, from the end of a sentence. */
export async function readPemFile(
  path: string,
  signal: AbortSignal,
  refusal: (what: string, details: { data: { path: string }; hint: string; cause: unknown }) => RepriseError,
): Promise<string> {
  try {
    return new TextDecoder().decode(await readInputFile(path, { maxBytes: MAX_BYTES, signal }));
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    const hint = "check the path and its permissions";
    throw refusal(`cannot be read (${reason})`, { data: { path }, hint, cause });
  }
}
