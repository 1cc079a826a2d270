// A file that Windows keeps compressed beside itself (CompactOS, "compact /exe"): its own data is one hole, and the stream
// WofCompressedData holds a table of offsets and the chunks.

import type { ReadOptions } from "../blockReader.js";
import type { DataRange } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import type { NtfsStream } from "./runStream.js";
import { decompressXpressHuffman } from "./xpressHuffman.js";

export const WOF_STREAM = "WofCompressedData";

const PROVIDER_FILE = 2;
/** Of XPRESS with chunks of 4, 8 and 16 KiB; 1 is LZX. */
const CHUNK_BYTES: Record<number, number> = { 0: 4096, 2: 8192, 3: 16384 };
const REPARSE_BYTES = 16;
/** Offsets of larger files have 8 bytes. */
const SMALL_FILE_BYTES = 2 ** 32;

/** The size of the chunks; null when it is compressed in a way that is not known here. */
export function wofChunkBytesOf(reparseData: Uint8Array): number | null {
  if (reparseData.length < REPARSE_BYTES) return null;
  const view = new DataView(reparseData.buffer, reparseData.byteOffset, reparseData.length);
  const isFile = view.getUint32(0, true) === 1 && view.getUint32(4, true) === PROVIDER_FILE;
  return isFile && view.getUint32(8, true) === 1 ? (CHUNK_BYTES[view.getUint32(12, true)] ?? null) : null;
}

export class WofStream implements NtfsStream {
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly #packed: NtfsStream;
  readonly #chunkBytes: number;
  readonly #chunkCount: number;
  readonly #offsetBytes: number;
  readonly #where: string;
  /** The chunk read last: the next read most often begins in it. */
  #latest: { chunk: number; bytes: Uint8Array } | undefined;

  constructor(packed: NtfsStream, sizeBytes: number, chunkBytes: number, where: string) {
    this.sizeBytes = sizeBytes;
    this.allocatedBytes = packed.allocatedBytes;
    this.#packed = packed;
    this.#chunkBytes = chunkBytes;
    this.#chunkCount = Math.ceil(sizeBytes / chunkBytes);
    this.#offsetBytes = sizeBytes > SMALL_FILE_BYTES ? 8 : 4;
    this.#where = where;
  }

  get runCount(): number {
    return this.#packed.runCount;
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    for (let done = 0; done < buffer.length; ) {
      options.signal?.throwIfAborted();
      const chunk = Math.floor((offset + done) / this.#chunkBytes);
      const bytes = await this.#chunk(chunk, options);
      const inside = offset + done - chunk * this.#chunkBytes;
      const part = bytes.subarray(inside, inside + buffer.length - done);
      buffer.set(part, done);
      done += part.length;
    }
  }

  *dataRanges(): Iterable<DataRange> {
    if (this.sizeBytes > 0) yield { offset: 0, length: this.sizeBytes };
  }

  async #chunk(chunk: number, options: ReadOptions): Promise<Uint8Array> {
    if (this.#latest?.chunk === chunk) return this.#latest.bytes;
    const bytes = new Uint8Array(Math.min(this.#chunkBytes, this.sizeBytes - chunk * this.#chunkBytes));
    const [start, end] = [await this.#offset(chunk, options), await this.#offset(chunk + 1, options)];
    if (start > end || end > this.#packed.sizeBytes || end - start > bytes.length) {
      throw damaged("ntfs", this.#where, `compressed chunk ${chunk} does not fit`, { start, end });
    }
    const stored = new Uint8Array(end - start);
    await this.#packed.read(stored, start, options);
    // a chunk that compression does not make smaller is stored as it is
    if (stored.length === bytes.length) bytes.set(stored);
    else decompressXpressHuffman(stored, bytes, this.#where);
    this.#latest = { chunk, bytes };
    return bytes;
  }

  /** Where a chunk begins in the stream: the table leaves out the first, which begins behind it. */
  async #offset(chunk: number, options: ReadOptions): Promise<number> {
    if (chunk >= this.#chunkCount) return this.#packed.sizeBytes;
    const tableBytes = (this.#chunkCount - 1) * this.#offsetBytes;
    if (tableBytes > this.#packed.sizeBytes) throw damaged("ntfs", this.#where, "the table of chunks does not fit");
    if (chunk === 0) return tableBytes;
    const entry = new Uint8Array(8);
    await this.#packed.read(entry.subarray(0, this.#offsetBytes), (chunk - 1) * this.#offsetBytes, options);
    return tableBytes + Number(new DataView(entry.buffer).getBigUint64(0, true));
  }
}
