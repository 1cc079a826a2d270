// Finds and keeps inodes. Numbers come from directories of the image: reserved ones are not files.

import type { ReadOptions } from "../blockReader.js";
import type { GroupTable } from "./groups.js";
import { decodeInode, type Inode } from "./inode.js";
import type { ExtVolume } from "./volume.js";

export const ROOT_INODE = 2;
const MAX_KEPT_BYTES = 2 ** 20;

export class InodeTable {
  readonly #volume: ExtVolume;
  readonly #groups: GroupTable;
  readonly #kept = new Map<number, Inode>();

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
    const kept = this.#kept.get(number);
    if (kept !== undefined) return kept;
    const inode = await this.#load(number, options);
    if (this.#kept.size * this.#volume.superblock.inodeBytes >= MAX_KEPT_BYTES) this.#dropOldest();
    this.#kept.set(number, inode);
    return inode;
  }

  async #load(number: number, options: ReadOptions): Promise<Inode> {
    const { inodesPerGroup, inodeBytes, blockBytes, inodeCount } = this.#volume.superblock;
    const where = `inode ${number}`;
    if (number < 1 || number > inodeCount) throw this.#volume.damaged(where, "no such number");
    const table = await this.#groups.inodeTable(Math.floor((number - 1) / inodesPerGroup), options);
    const offset = table * blockBytes + ((number - 1) % inodesPerGroup) * inodeBytes;
    return decodeInode(this.#volume, number, await this.#volume.readBytes(offset, inodeBytes, where, options));
  }

  #dropOldest(): void {
    const [oldest] = this.#kept.keys();
    this.#kept.delete(oldest as number);
  }
}
