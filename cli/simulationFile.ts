import { open } from "node:fs/promises";
import { RepriseError } from "../core/index.js";
import type { InputStream } from "./io.js";

/** A million elements as `snapshots --json` prints them would be far more; times and flags alone are about 60 MB. */
const MAX_BYTES = 256 * 1024 * 1024;

/** The parsed JSON of a file or of standard input (`-`). SIMULATION_INVALID. */
export async function readSimulation(path: string, stdin: InputStream): Promise<unknown> {
  let text: string;
  try {
    text = path === "-" ? await readText(stdin) : await readFile(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw invalid(`${path} cannot be read (${reason})`, cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`${path} is not JSON: ${(cause as Error).message}`, cause);
  }
}

async function readFile(path: string): Promise<string> {
  const handle = await open(path, "r");
  try {
    return await readText(handle.createReadStream({ autoClose: false }));
  } finally {
    await handle.close();
  }
}

async function readText(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    if (length > MAX_BYTES) throw new Error(`longer than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return new TextDecoder("utf-8").decode(Buffer.concat(parts));
}

function invalid(message: string, cause: unknown): RepriseError {
  return new RepriseError("usage", "SIMULATION_INVALID", message, {
    hint: 'pass a JSON array such as [{"time": "2026-11-20T02:00:00Z", "protected": false, "finished": true}]',
    cause,
  });
}
