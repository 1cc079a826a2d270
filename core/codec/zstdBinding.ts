// One zstd context for many frames. node:zlib's one-shot functions make a stream object and a context for every call, which
// costs a quarter of the time of reading a 128 KiB chunk and an eighth of writing it; this drives the binding that they
// drive themselves. That binding is not a public interface, so it is tried out first, and whenever anything looks different
// the caller falls back to the one-shot function (docs/adr/0027).

import * as zlib from "node:zlib";

interface ZstdBinding {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
}

/** What a stream of node:zlib has inside. */
export interface StreamWithBinding {
  _handle?: Partial<ZstdBinding>;
  /** Bytes of room left in the output, bytes left of the input. */
  _writeState?: Uint32Array;
  on(event: "error", listener: () => void): unknown;
  destroy(): void;
}

/**
 * Makes one whole frame of `input`, or its contents. Answers how many bytes of `output` that took; undefined when the input
 * was not used up, or the binding is not what it was.
 */
export function runFrame(stream: StreamWithBinding, input: Uint8Array, output: Uint8Array): number | undefined {
  const { _handle: binding, _writeState: counters } = stream;
  if (typeof binding?.writeSync !== "function" || !(counters instanceof Uint32Array)) return undefined;
  counters[0] = UNTOUCHED;
  counters[1] = UNTOUCHED;
  binding.writeSync(zlib.constants.ZSTD_e_end, input, 0, input.length, output, 0, output.length);
  const [room, left] = counters;
  if (left !== 0 || room === undefined || room > output.length) return undefined;
  return output.length - room;
}

const UNTOUCHED = 0xffff_ffff;

/** Bytes that compress, for trying a context out before its first use. */
export function trialBytes(): Uint8Array {
  return Uint8Array.from({ length: 3000 }, (_, i) => (i * i) >>> 5);
}
