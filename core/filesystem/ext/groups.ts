// Group descriptors: where the inode table of a group is. Read one at a time, when an inode of the group is wanted; a
// damaged one is looked for in the copies.

import { isOurError } from "../../errors.js";
import type { ReadOptions } from "../blockReader.js";
import { crc16 } from "./crc.js";
import { COMPAT, INCOMPAT, RO_COMPAT } from "./features.js";
import { fromHalves, le32Bytes, u16, u32 } from "./littleEndian.js";
import type { Superblock } from "./superblock.js";
import type { ExtVolume } from "./volume.js";

const CHECKSUM_OFFSET = 0x1e;
const OLD_BYTES = 0x20;
const MAX_KNOWN_GROUPS = 4096;

export class GroupTable {
  readonly #volume: ExtVolume;
  readonly #remark: (text: string) => void;
  readonly #inodeTables = new Map<number, number>();
  #copiesUsed = false;

  /** `remark` hears once that copies had to be used. */
  constructor(volume: ExtVolume, remark: (text: string) => void) {
    this.#volume = volume;
    this.#remark = remark;
  }

  /** The first block of the inode table of `group`. */
  async inodeTable(group: number, options: ReadOptions): Promise<number> {
    const known = this.#inodeTables.get(group);
    if (known !== undefined) return known;
    const block = await this.#readAny(group, options);
    if (this.#inodeTables.size >= MAX_KNOWN_GROUPS) this.#inodeTables.clear();
    this.#inodeTables.set(group, block);
    return block;
  }

  async #readAny(group: number, options: ReadOptions): Promise<number> {
    const [first, ...copies] = descriptorBlocks(this.#volume.superblock, group);
    try {
      return await this.#readOne(first as number, group, options);
    } catch (error) {
      if (!isOurError(error, "FILESYSTEM_DAMAGED")) throw error;
      for (const copy of copies) {
        const block = await this.#readOne(copy, group, options).catch(onlyDamage);
        if (block === null) continue;
        if (!this.#copiesUsed) this.#remark(`a group descriptor is damaged, its copy is used (${error.message})`);
        this.#copiesUsed = true;
        return block;
      }
      throw error;
    }
  }

  async #readOne(block: number, group: number, options: ReadOptions): Promise<number> {
    const { blockBytes, descriptorBytes, incompat } = this.#volume.superblock;
    const where = `descriptor of group ${group}`;
    if (!this.#volume.holds(block)) throw this.#volume.damaged(where, "lies outside the file system");
    const offset = block * blockBytes + (group % (blockBytes / descriptorBytes)) * descriptorBytes;
    const bytes = await this.#volume.readBytes(offset, descriptorBytes, where, options);
    if (!this.#checksumFits(bytes, group)) throw this.#volume.damaged(where, "wrong checksum");
    const high = (incompat & INCOMPAT.is64bit) !== 0 ? u32(bytes, 0x28) : 0;
    const table = fromHalves(high, u32(bytes, 0x08));
    if (!this.#volume.holds(table, this.#inodeTableBlocks())) {
      throw this.#volume.damaged(where, `inode table at block ${table}`);
    }
    return table;
  }

  #inodeTableBlocks(): number {
    const { inodesPerGroup, inodeBytes, blockBytes } = this.#volume.superblock;
    return Math.ceil((inodesPerGroup * inodeBytes) / blockBytes);
  }

  #checksumFits(bytes: Uint8Array, group: number): boolean {
    const { roCompat, hasMetadataChecksums, uuid } = this.#volume.superblock;
    const stored = u16(bytes, CHECKSUM_OFFSET);
    const before = bytes.subarray(0, CHECKSUM_OFFSET);
    const after = bytes.subarray(OLD_BYTES);
    const number = le32Bytes(group);
    if (hasMetadataChecksums) {
      return (this.#volume.checksum([number, before, new Uint8Array(2), after]) & 0xffff) === stored;
    }
    if ((roCompat & RO_COMPAT.gdtCsum) === 0) return true;
    return [uuid, number, before, after].reduce((crc, part) => crc16(part, crc), 0xffff) === stored;
  }
}

function onlyDamage(error: unknown): null {
  if (isOurError(error, "FILESYSTEM_DAMAGED")) return null;
  throw error;
}

/** The block with the descriptor of `group`, then blocks with copies of it. */
function descriptorBlocks(superblock: Superblock, group: number): number[] {
  const { blockBytes, descriptorBytes, incompat, firstMetaBlock, firstDataBlock, groupCount } = superblock;
  const perBlock = blockBytes / descriptorBytes;
  const index = Math.floor(group / perBlock);
  const superblockAt = blockBytes === 1024 ? 1 : 0;
  if ((incompat & INCOMPAT.metaBg) === 0 || index < firstMetaBlock) {
    const copies = [1, 3, 5, 7, ...superblock.backupGroups].filter((at) => at > 0 && at < groupCount);
    const holders = copies.filter((at) => hasSuperblock(superblock, at));
    return [superblockAt, ...holders.map((at) => groupStart(superblock, at))].map((block) => block + 1 + index);
  }
  const first = index * perBlock;
  const groups = [first, first + 1, first + perBlock - 1].filter((at) => at < groupCount);
  return groups.map((at) => {
    // with blocks of 1 KiB and bigalloc, group 0 starts at block 0, before its superblock
    const shift = blockBytes === 1024 && firstDataBlock === 0 && at === 0 ? 1 : 0;
    return groupStart(superblock, at) + (hasSuperblock(superblock, at) ? 1 : 0) + shift;
  });
}

function groupStart({ firstDataBlock, blocksPerGroup }: Superblock, group: number): number {
  return firstDataBlock + group * blocksPerGroup;
}

function hasSuperblock({ compat, roCompat, backupGroups }: Superblock, group: number): boolean {
  if (group === 0) return true;
  if ((compat & COMPAT.sparseSuper2) !== 0) return backupGroups.includes(group);
  if (group === 1 || (roCompat & RO_COMPAT.sparseSuper) === 0) return true;
  return [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}
