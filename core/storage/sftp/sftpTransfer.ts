// Moves contents through a handle in large requests, several at a time, so that neither latency nor small packets set the
// pace. Settles only when nothing is under way any more: the caller's memory is his again, and the handle can be closed.

import { mapConcurrent } from "../../platform/concurrency.js";
import type { SftpClient, SftpHandle } from "./sftpClient.js";

/** Requests under way per transfer: at 255 KiB each, 2 MiB, a full window of an SSH channel (measured: more is no faster). */
const OUTSTANDING = 8;

/** Writes all of `bytes` from the start of the file. */
export function writeContents(
  client: SftpClient,
  handle: SftpHandle,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  return inPieces(bytes.length, client.writeBytes, signal, (start, end) =>
    client.write(handle, start, bytes.subarray(start, end)),
  );
}

/** Fills `target` from `offset` of the file. Throws when the file ends before. */
export function readContents(
  client: SftpClient,
  handle: SftpHandle,
  offset: number,
  target: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  return inPieces(target.length, client.readBytes, signal, async (start, end) => {
    for (let at = start; at < end; ) {
      const count = await client.read(handle, offset + at, target.subarray(at, end));
      if (count === 0) throw new Error(`the file ended after ${offset + at} bytes`);
      at += count;
    }
  });
}

async function inPieces(
  total: number,
  pieceBytes: number,
  signal: AbortSignal | undefined,
  run: (start: number, end: number) => Promise<void>,
): Promise<void> {
  const starts = Array.from({ length: Math.ceil(total / pieceBytes) }, (_, index) => index * pieceBytes);
  const move = async (start: number) => {
    signal?.throwIfAborted();
    await run(start, Math.min(total, start + pieceBytes));
  };
  await mapConcurrent(starts, move, OUTSTANDING);
}
