// Finds and keeps inodes. Numbers come from directories of the image: reserved ones are not files.

import type { ReadOptions } from "../blockReader.js";
import type { GroupTable } from "./groups.js";
import { decodeInode, type Inode } from "./inode.js";
import type { ExtVolume } from "./volume.js";

export const ROOT_INODE = 2;
const MAX_KEPT_BYTES = 2 ** 19;
/** Inodes are read so many bytes at once, or a block: those of one folder mostly lie together. */
const PART_BYTES = 4096;
const MAX_KEPT_PARTS = 16;

export class InodeTable {
  readonly #volume: ExtVolume;
  readonly #groups: GroupTable;
  /** Those read last, and those before them. */
  #kept = new Map<number, Inode>();
  #keptBefore = new Map<number, Inode>();
  /** By their places on the device. */
  readonly #parts = new Map<number, Promise<Uint8Array>>();

  constructor(volume: ExtVolume, groups: GroupTable) {
    this.#volume = volume;
    this.#groups = groups;
  }

  /** Whether a directory may name it. */
  isOrdinary(number: number): boolean {
    const { firstInode, inodeCount } = this.#volume.superblock;
    return number === ROOT_INODE || (number >= firstInode && number <= inodeCount);
  }

  async read(number: number, options: ReadOptions): Promise<Inode> {
    const kept = this.#kept.get(number) ?? this.#keptBefore.get(number);
    if (kept !== undefined) return kept;
    options.signal?.throwIfAborted();
    const inode = await this.#load(number, options);
    if (this.#kept.size * this.#volume.superblock.inodeBytes >= MAX_KEPT_BYTES) {
      this.#keptBefore = this.#kept;
      this.#kept = new Map();
    }
    this.#kept.set(number, inode);
    return inode;
  }

  async #load(number: number, options: ReadOptions): Promise<Inode> {
    const { inodesPerGroup, inodeBytes, blockBytes, inodeCount } = this.#volume.superblock;
    const where = `inode ${number}`;
    if (number < 1 || number > inodeCount) throw this.#volume.damaged(where, "no such number");
    const table = await this.#groups.inodeTable(Math.floor((number - 1) / inodesPerGroup), options);
    const offset = table * blockBytes + ((number - 1) % inodesPerGroup) * inodeBytes;
    const partBytes = Math.max(inodeBytes, Math.min(blockBytes, PART_BYTES));
    const start = offset - (offset % partBytes);
    const part = await this.#part(start, partBytes);
    // a copy, or one kept inode would keep all of its part
    return decodeInode(this.#volume, number, part.slice(offset - start, offset - start + inodeBytes));
  }

  /** Without a caller's signal: others may wait for the same part. */
  #part(start: number, length: number): Promise<Uint8Array> {
    const known = this.#parts.get(start);
    if (known !== undefined) return known;
    const reading = this.#volume.readBytes(start, length, "inode table", {});
    reading.catch(() => this.#parts.delete(start));
    this.#parts.set(start, reading);
    if (this.#parts.size > MAX_KEPT_PARTS) {
      const [oldest] = this.#parts.keys();
      this.#parts.delete(oldest as number);
    }
    return reading;
  }
}
