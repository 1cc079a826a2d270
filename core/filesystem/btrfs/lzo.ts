// LZO1X, and how btrfs packs it: a length, then segments of one sector each, none of whose headers crosses a sector of the
// compressed bytes. Stream format: the kernel's Documentation/staging/lzo.rst; packing: comment in fs/btrfs/lzo.c.

import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./littleEndian.js";

const LENGTH_BYTES = 4;

/** At most `maxPlain` bytes. Throws FILESYSTEM_DAMAGED. */
export function unpackLzo(packed: Uint8Array, maxPlain: number, sectorBytes: number, where: string): Uint8Array {
  const view = viewOf(packed);
  const total = packed.length < LENGTH_BYTES ? 0 : view.getUint32(0, true);
  if (total < LENGTH_BYTES || total > packed.length) throw damaged("btrfs", where, "has LZO data of a wrong length");
  const plain = new Uint8Array(maxPlain);
  let made = 0;
  for (let at = LENGTH_BYTES; at < total && made < maxPlain; ) {
    const left = sectorBytes - (at % sectorBytes);
    if (left < LENGTH_BYTES) at += left;
    if (at + LENGTH_BYTES > total) break;
    const length = view.getUint32(at, true);
    at += LENGTH_BYTES;
    if (length > total - at) throw damaged("btrfs", where, "has an LZO segment that is cut off");
    const room = plain.subarray(made, made + sectorBytes);
    const count = decompressLzo(packed.subarray(at, at + length), room);
    if (count === null) throw damaged("btrfs", where, "has an LZO segment that does not decompress");
    made += count;
    at += length;
  }
  return plain.subarray(0, made);
}

/** Answers how many bytes of `target` were filled; null for a stream that is broken or needs more room. */
export function decompressLzo(stream: Uint8Array, target: Uint8Array): number | null {
  const decoder = new LzoDecoder(stream, target);
  return decoder.run() ? decoder.written : null;
}

/** Thrown and caught in this file. */
class Broken extends Error {}

const FIRST_LITERALS = 17;
const FAR_DISTANCE = 16384;
const FEW_LITERALS = 24;

class LzoDecoder {
  written = 0;
  readonly #stream: Uint8Array;
  readonly #target: Uint8Array;
  #at = 0;
  /** Literals that the last instruction brought: 0 to 3, or 4 for a run of them. */
  #state = 0;

  constructor(stream: Uint8Array, target: Uint8Array) {
    this.#stream = stream;
    this.#target = target;
  }

  /** False when the stream is broken. Every instruction takes a byte at least, so this ends. */
  run(): boolean {
    try {
      const first = this.#stream[0] ?? 0;
      if (first > FIRST_LITERALS) {
        this.#at++;
        this.#literals(first - FIRST_LITERALS);
        this.#state = Math.min(4, first - FIRST_LITERALS);
      }
      while (this.#instruction());
      return true;
    } catch (error) {
      if (error instanceof Broken) return false;
      throw error;
    }
  }

  /** False after the mark of the end. */
  #instruction(): boolean {
    const code = this.#byte();
    if (code >= 64) {
      const length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);
      this.#match(length, (this.#byte() << 3) + ((code >> 2) & 7) + 1, code & 3);
    } else if (code >= 32) {
      const length = 2 + this.#length(code & 31, 31);
      const tail = this.#word();
      this.#match(length, (tail >> 2) + 1, tail & 3);
    } else if (code >= 16) {
      const length = 2 + this.#length(code & 7, 7);
      const tail = this.#word();
      const distance = FAR_DISTANCE + ((code & 8) << 11) + (tail >> 2);
      if (distance === FAR_DISTANCE) return false;
      this.#match(length, distance, tail & 3);
    } else if (this.#state === 0) {
      this.#literals(3 + this.#length(code, 15));
      this.#state = 4;
    } else {
      const isBehindRun = this.#state === 4;
      const distance = (this.#byte() << 2) + (code >> 2) + (isBehindRun ? 2049 : 1);
      this.#match(isBehindRun ? 3 : 2, distance, code & 3);
    }
    return true;
  }

  /** A length whose field is zero goes on in bytes of 255 each. */
  #length(field: number, max: number): number {
    if (field !== 0) return field;
    let length = max;
    for (;;) {
      const byte = this.#byte();
      length += byte === 0 ? 255 : byte;
      if (byte !== 0) return length;
      if (length > this.#target.length) throw new Broken();
    }
  }

  #match(length: number, distance: number, literals: number): void {
    const target = this.#target;
    const start = this.written;
    const end = start + length;
    if (distance > start || end > target.length) throw new Broken();
    // what is copied may be what this very copy has written
    for (let i = start; i < end; i++) target[i] = target[i - distance] as number;
    this.written = end;
    this.#literals(literals);
    this.#state = literals;
  }

  #literals(count: number): void {
    const [stream, target, from, to] = [this.#stream, this.#target, this.#at, this.written];
    if (from + count > stream.length || to + count > target.length) throw new Broken();
    // most are few, for which making views takes longer than copying
    if (count < FEW_LITERALS) for (let i = 0; i < count; i++) target[to + i] = stream[from + i] as number;
    else target.set(stream.subarray(from, from + count), to);
    this.#at += count;
    this.written += count;
  }

  #byte(): number {
    const byte = this.#stream[this.#at++];
    if (byte === undefined) throw new Broken();
    return byte;
  }

  #word(): number {
    return this.#byte() | (this.#byte() << 8);
  }
}
