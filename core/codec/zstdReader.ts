// Decompresses many frames with one context; see zstdBinding.ts. Every result is checked against its digest by the caller.

import * as zlib from "node:zlib";
import { runFrame, type StreamWithBinding, trialBytes } from "./zstdBinding.js";

export class ZstdReader {
  #stream: StreamWithBinding | null = null;
  #usable = true;

  /** Fills `target` exactly with the one frame in `stored`; false when that did not work out, for whatever reason. */
  decompressInto(stored: Uint8Array, target: Uint8Array): boolean {
    if (!this.#usable) return false;
    try {
      this.#stream ??= openStream();
      if (this.#stream !== null && fills(this.#stream, stored, target)) return true;
    } catch {
      // Falls through: a context that has failed once is not used again.
    }
    this.#usable = this.#stream !== null;
    this.#stream?.destroy();
    this.#stream = null;
    return false;
  }
}

/** A fresh context that has just shown that it works; null when this runtime is different inside. */
function openStream(): StreamWithBinding | null {
  const stream = zlib.createZstdDecompress() as unknown as StreamWithBinding;
  // An invalid frame makes the binding report to the stream; the caller learns it from the counters.
  stream.on("error", () => {});
  const plain = trialBytes();
  const frame = zlib.zstdCompressSync(plain);
  const target = new Uint8Array(plain.length);
  const works = [1, 2].every(() => {
    target.fill(0);
    return fills(stream, frame, target) && target.every((byte, i) => byte === plain[i]);
  });
  if (works) return stream;
  stream.destroy();
  return null;
}

function fills(stream: StreamWithBinding, stored: Uint8Array, target: Uint8Array): boolean {
  return runFrame(stream, stored, target) === target.length;
}
