// The blocks of one file system: every read of its reader goes through here, is checked against the device, and sees what
// the journal holds instead of what lies in place.

import { crc32c } from "../../hash/crc32c.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { readInto, readRange } from "../readRange.js";
import type { Superblock } from "./superblock.js";

/** Newer contents of blocks. Small: it knows where they are, not what they are. */
export interface BlockOverlay {
  readonly size: number;
  has(block: number): boolean;
  /** All bytes of a block that it has. */
  load(block: number, options: ReadOptions): Promise<Uint8Array>;
}

export class ExtVolume {
  readonly superblock: Superblock;
  readonly reader: BlockReader;
  readonly #overlay: BlockOverlay | null;

  constructor(reader: BlockReader, superblock: Superblock, overlay: BlockOverlay | null = null) {
    this.reader = reader;
    this.superblock = superblock;
    this.#overlay = overlay !== null && overlay.size > 0 ? overlay : null;
  }

  /** Whether all of `count` blocks from `first` may hold contents: not the boot block, not past the end. */
  holds(first: number, count = 1): boolean {
    const { firstDataBlock, blockCount } = this.superblock;
    return first > firstDataBlock && first + count <= blockCount;
  }

  /** `length` fresh bytes; the caller bounds it. */
  async readBytes(offset: number, length: number, where: string, options: ReadOptions): Promise<Uint8Array> {
    const bytes = await readRange(this.reader, offset, length, this.#origin(where), options);
    if (this.#overlay !== null) await this.#applyOverlay(this.#overlay, bytes, offset, options);
    return bytes;
  }

  async readBlock(block: number, where: string, options: ReadOptions): Promise<Uint8Array> {
    const { blockBytes } = this.superblock;
    if (!this.holds(block)) throw this.damaged(where, `block ${block} is not one of its blocks`);
    return await this.readBytes(block * blockBytes, blockBytes, where, options);
  }

  async readInto(buffer: Uint8Array, offset: number, where: string, options: ReadOptions): Promise<void> {
    await readInto(this.reader, buffer, offset, this.#origin(where), options);
    if (this.#overlay !== null) await this.#applyOverlay(this.#overlay, buffer, offset, options);
  }

  async #applyOverlay(overlay: BlockOverlay, bytes: Uint8Array, offset: number, options: ReadOptions): Promise<void> {
    const { blockBytes } = this.superblock;
    const end = offset + bytes.length;
    for (let block = Math.floor(offset / blockBytes); block * blockBytes < end; block++) {
      if (!overlay.has(block)) continue;
      const start = block * blockBytes;
      const from = Math.max(start, offset);
      const newer = await overlay.load(block, options);
      bytes.set(newer.subarray(from - start, Math.min(end - start, blockBytes)), from - offset);
    }
  }

  /** Whether the journal holds something newer than what lies in place. */
  isReplaced(block: number): boolean {
    return this.#overlay?.has(block) ?? false;
  }

  /** CRC-32C over parts, from this file system's seed or from the register given. */
  checksum(parts: readonly Uint8Array[], register = this.superblock.checksumSeed): number {
    return parts.reduce((crc, part) => crc32c(part, crc), register);
  }

  damaged(where: string, problem: string, data: Record<string, unknown> = {}): Error {
    return damaged(this.superblock.type, where, problem, data);
  }

  unsupported(feature: string, data: Record<string, unknown> = {}): Error {
    return unsupported(this.superblock.type, feature, data);
  }

  #origin(where: string) {
    return { type: this.superblock.type, where };
  }
}
