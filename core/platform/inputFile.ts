// Reads a small file that somebody names: a secret, rules, a list. It may be a pipe, as in <(pass show backup), and a pipe that
// nobody writes to must not keep the process from ending.

import { closeSync, constants, openSync, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { abortable } from "./abortable.js";

export interface InputFileOptions {
  /** Reading ends one byte later: a longer answer says that there is more. */
  maxBytes: number;
  signal: AbortSignal;
}

/** Rejects with the system's errors (EISDIR for a folder), and with the reason of an abort. */
export async function readInputFile(path: string, { maxBytes, signal }: InputFileOptions): Promise<Uint8Array> {
  signal.throwIfAborted();
  const fd = openPolled(path, await stat(path));
  return await readAtMost(fd === null ? ofFile(path) : polled(fd, signal), maxBytes + 1, signal);
}

/** The first bytes of a stream. */
export async function readAtMost(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    while (length < maxBytes) {
      const next = await abortable(iterator.next(), signal);
      if (next.done) break;
      parts.push(next.value);
      length += next.value.length;
    }
  } finally {
    // not awaited: after an abort a stalled stream would keep us waiting
    iterator.return?.().catch(() => undefined);
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}

async function* ofFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, "r");
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(65_536));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Opening and reading a pipe as a file waits in a thread that nothing can end, not even process.exit. */
async function* polled(fd: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream = isatty(fd) ? new ReadStream(fd) : new Socket({ fd, readable: true, writable: false });
  const stop = () => void stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } finally {
    signal.removeEventListener("abort", stop);
    stream.destroy();
  }
}

/** Of a pipe or a terminal; null for everything else, which is read as a file. */
function openPolled(path: string, stats: Stats): number | null {
  if (!stats.isFIFO() && !stats.isCharacterDevice()) return null;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (stats.isFIFO() || isatty(fd)) return fd;
  closeSync(fd);
  return null;
}
