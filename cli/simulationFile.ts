import { isAbort, RepriseError, readAtMost, readInputFile } from "../core/index.js";
import type { InputStream } from "./io.js";

/** A million elements as `snapshots --json` prints them would be far more; times and flags alone are about 60 MB. */
const MAX_BYTES = 256 * 1024 * 1024;

/** The parsed JSON of a file or of standard input (`-`). SIMULATION_INVALID. */
export async function readSimulation(path: string, stdin: InputStream, signal: AbortSignal): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes =
      path === "-"
        ? await readAtMost(stdin, MAX_BYTES + 1, signal)
        : await readInputFile(path, { maxBytes: MAX_BYTES, signal });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw invalid(`${path} cannot be read (${reason})`, cause);
  }
  if (bytes.length > MAX_BYTES) throw invalid(`${path} is longer than ${MAX_BYTES} bytes`);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw invalid(`${path} is not JSON: ${(cause as Error).message}`, cause);
  }
}

function invalid(message: string, cause?: unknown): RepriseError {
  return new RepriseError("usage", "SIMULATION_INVALID", message, {
    hint: 'pass a JSON array such as [{"time": "2026-11-20T02:00:00Z", "protected": false, "finished": true}]',
    cause,
  });
}
