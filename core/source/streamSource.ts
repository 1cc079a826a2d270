// Cuts a stream that cannot seek (standard input) into segments of equal size, holding one at a time.

import { isAbort } from "../errors.js";
import { readFailed } from "./sourceErrors.js";

export interface StreamSegment {
  offset: number;
  /** Exactly `segmentBytes` long except for the last one; memory of its own, which the consumer may keep or transfer. */
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The next piece of the stream is asked for only when the consumer asks for the next segment. An empty stream has no
 * segments. SOURCE_READ_FAILED (`data.offset`) when the stream breaks: what came after the last whole segment is lost.
 */
export async function* readSegments(
  stream: AsyncIterable<Uint8Array>,
  segmentBytes: number,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<StreamSegment, void, undefined> {
  let offset = 0;
  let filled = 0;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  for await (const piece of guarded(stream, () => offset + filled, options.signal)) {
    let used = 0;
    while (used < piece.length) {
      bytes ??= new Uint8Array(segmentBytes);
      const count = Math.min(piece.length - used, segmentBytes - filled);
      bytes.set(piece.subarray(used, used + count), filled);
      filled += count;
      used += count;
      if (filled < segmentBytes) continue;
      yield { offset, bytes };
      offset += segmentBytes;
      filled = 0;
      bytes = undefined;
    }
  }
  if (bytes !== undefined) yield { offset, bytes: bytes.slice(0, filled) };
}

/** The pieces of a stream; an abort ends the wait for a piece that may never come. */
async function* guarded(
  stream: AsyncIterable<Uint8Array>,
  position: () => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
  aborted.catch(() => undefined);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw isAbort(error) || signal?.aborted ? error : readFailed("the stream", position(), error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    // Not awaited: after an abort a stalled stream would keep us waiting.
    iterator.return?.().catch(() => undefined);
  }
}
