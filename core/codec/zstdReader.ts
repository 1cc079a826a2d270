// One zstd context for many frames. node:zlib's one-shot functions make a stream object and a context for every call, which
// costs a quarter of the time of a 128 KiB chunk; this drives the binding that they drive themselves. That binding is not a
// public interface, so it is tried out first, and whenever anything looks different the caller falls back to the one-shot
// function. Safe for reading only: every result is checked against its digest afterwards (docs/adr/0027).

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

interface StreamWithBinding {
  _handle?: Partial<ZstdBinding>;
  /** Bytes of room left in the output, bytes left of the input. */
  _writeState?: Uint32Array;
  destroy(): void;
}

export class ZstdReader {
  #stream: StreamWithBinding | null = null;
  #usable = true;

  /** Fills `target` exactly with the one frame in `stored`; false when that did not work out, for whatever reason. */
  decompressInto(stored: Uint8Array, target: Uint8Array): boolean {
    if (!this.#usable) return false;
    try {
      this.#stream ??= openStream();
      if (this.#stream !== null && runFrame(this.#stream, stored, target)) return true;
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
  const stream = zlib.createZstdDecompress() as unknown as StreamWithBinding & NodeJS.EventEmitter;
  // An invalid frame makes the binding report to the stream; the caller learns it from the counters.
  stream.on("error", () => {});
  const plain = Uint8Array.from({ length: 3000 }, (_, i) => (i * i) >>> 5);
  const frame = zlib.zstdCompressSync(plain);
  const target = new Uint8Array(plain.length);
  const works = [1, 2].every(() => {
    target.fill(0);
    return runFrame(stream, frame, target) && target.every((byte, i) => byte === plain[i]);
  });
  if (works) return stream;
  stream.destroy();
  return null;
}

function runFrame(stream: StreamWithBinding, stored: Uint8Array, target: Uint8Array): boolean {
  const { _handle: binding, _writeState: counters } = stream;
  if (typeof binding?.writeSync !== "function" || !(counters instanceof Uint32Array)) return false;
  counters[0] = UNTOUCHED;
  counters[1] = UNTOUCHED;
  binding.writeSync(zlib.constants.ZSTD_e_end, stored, 0, stored.length, target, 0, target.length);
  return counters[0] === 0 && counters[1] === 0;
}

const UNTOUCHED = 0xffff_ffff;
