// Compresses many chunks with one context; see zstdBinding.ts. A frame leaves here only when its outline, read by our own
// parser, says that it is one complete frame of exactly the plain length; and a context proves itself before its first use
// by giving, twice, the very bytes of the public function.

import * as zlib from "node:zlib";
import { equalBytes } from "../format/bytes.js";
import { runFrame, type StreamWithBinding, trialBytes } from "./zstdBinding.js";
import { readZstdFrame } from "./zstdFrame.js";

export class ZstdWriter {
  readonly #level: number;
  #stream: StreamWithBinding | null = null;
  #usable = true;

  constructor(level: number) {
    this.#level = level;
  }

  /** The frame, a view of the start of `room` (maxFrameBytes at least); undefined when that did not work out. */
  compressInto(plain: Uint8Array, room: Uint8Array): Uint8Array | undefined {
    if (!this.#usable) return undefined;
    try {
      this.#stream ??= openStream(this.#level);
      const frame = this.#stream === null ? undefined : makeFrame(this.#stream, plain, room);
      if (frame !== undefined) return frame;
    } catch {
      // Falls through: a context that has failed once is not used again.
    }
    this.#usable = false;
    this.#stream?.destroy();
    this.#stream = null;
    return undefined;
  }
}

/** Room for the worst case, so that the output is made in one piece: ZSTD_compressBound, rounded up. */
export function maxFrameBytes(plainLength: number): number {
  return plainLength + (plainLength >> 8) + 1024;
}

export function compressOnce(plain: Uint8Array, level: number): Uint8Array {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
  return zlib.zstdCompressSync(plain, { chunkSize: maxFrameBytes(plain.length), params });
}

function openStream(level: number): StreamWithBinding | null {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
  const stream = zlib.createZstdCompress({ params }) as unknown as StreamWithBinding;
  stream.on("error", () => {});
  const plain = trialBytes();
  const expected = compressOnce(plain, level);
  const room = new Uint8Array(maxFrameBytes(plain.length));
  const works = [1, 2].every(() => {
    const frame = makeFrame(stream, plain, room);
    return frame !== undefined && equalBytes(frame, expected);
  });
  if (works) return stream;
  stream.destroy();
  return null;
}

function makeFrame(stream: StreamWithBinding, plain: Uint8Array, room: Uint8Array): Uint8Array | undefined {
  const length = runFrame(stream, plain, room);
  if (length === undefined) return undefined;
  const frame = room.subarray(0, length);
  const outline = readZstdFrame(frame);
  const whole = outline?.frameBytes === length && outline.contentBytes === plain.length;
  return whole ? frame : undefined;
}
