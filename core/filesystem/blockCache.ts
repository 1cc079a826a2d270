// A bounded cache of aligned blocks under a file system: its readers ask for a few bytes at a time, everything below is
// cheaper by the block. Large reads go past it.

import { type BlockReader, type DiskPlace, placesOf, type ReadOptions } from "./blockReader.js";

export interface BlockCacheOptions {
  /** A power of two. Default 64 KiB. */
  blockBytes?: number;
  /** Default 16 MiB. */
  capacityBytes?: number;
}

const DEFAULT_BLOCK_BYTES = 64 * 1024;
const DEFAULT_CAPACITY_BYTES = 16 * 1024 * 1024;
/** Reads of at least so many blocks are data, not metadata: they would only push out what is worth keeping. */
const BYPASS_BLOCKS = 4;

export class CachedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #inner: BlockReader;
  readonly #blockBytes: number;
  readonly #maxBlocks: number;
  /** In order of use: the first one is dropped first. */
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #loading = new Map<number, Promise<Uint8Array>>();

  constructor(inner: BlockReader, options: BlockCacheOptions = {}) {
    this.#inner = inner;
    this.sizeBytes = inner.sizeBytes;
    this.#blockBytes = options.blockBytes ?? DEFAULT_BLOCK_BYTES;
    this.#maxBlocks = Math.max(1, Math.floor((options.capacityBytes ?? DEFAULT_CAPACITY_BYTES) / this.#blockBytes));
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (buffer.length >= BYPASS_BLOCKS * this.#blockBytes || offset + buffer.length > this.sizeBytes) {
      return await this.#inner.read(buffer, offset, options);
    }
    for (let done = 0; done < buffer.length; ) {
      const position = offset + done;
      const number = Math.floor(position / this.#blockBytes);
      const inside = position - number * this.#blockBytes;
      const block = await this.#block(number);
      const part = block.subarray(inside, inside + buffer.length - done);
      buffer.set(part, done);
      done += part.length;
    }
  }

  places(offset: number, length: number): Iterable<DiskPlace> {
    return placesOf(this.#inner, offset, length);
  }

  async #block(number: number): Promise<Uint8Array> {
    const known = this.#blocks.get(number);
    if (known !== undefined) {
      this.#blocks.delete(number);
      this.#blocks.set(number, known);
      return known;
    }
    let loading = this.#loading.get(number);
    if (loading === undefined) {
      loading = this.#load(number).finally(() => this.#loading.delete(number));
      this.#loading.set(number, loading);
    }
    return await loading;
  }

  /** Without the caller's signal: others may wait for the same block. */
  async #load(number: number): Promise<Uint8Array> {
    const start = number * this.#blockBytes;
    const block = new Uint8Array(Math.min(this.#blockBytes, this.sizeBytes - start));
    await this.#inner.read(block, start);
    this.#blocks.set(number, block);
    if (this.#blocks.size > this.#maxBlocks) {
      const [oldest] = this.#blocks.keys();
      this.#blocks.delete(oldest as number);
    }
    return block;
  }
}
