// An opened device with its geometry: addresses to byte offsets, and the header that every metadata block of version 5
// bears (checksum, own address, uuid, owner). Knows nothing of what is inside the blocks.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { sameBytes } from "../entryName.js";
import { damaged } from "../filesystemErrors.js";
import { readInto, readRange } from "../readRange.js";
import { uint64At, viewOf } from "./bigEndian.js";
import { hasChecksum, type XfsSuperblock } from "./superblock.js";

/** Addresses on disk (`blkno`) count 512 bytes. */
const BASIC_BLOCK_BYTES = 512;

/** Where the fields of version 5 are in one kind of metadata block. */
export interface HeaderPlaces {
  crc: number;
  address: number;
  uuid: number;
  owner: number;
}

export interface HeaderExpectation {
  places: HeaderPlaces;
  /** Byte offset that the block was read from. */
  byteOffset: number;
  /** Inode number. */
  owner: number;
  where: string;
}

export class XfsVolume {
  readonly reader: BlockReader;
  readonly superblock: XfsSuperblock;
  /** No count of blocks that the image claims can be larger than this. */
  readonly maxBlocks: number;
  readonly #agUnit: number;

  constructor(reader: BlockReader, superblock: XfsSuperblock) {
    this.reader = reader;
    this.superblock = superblock;
    this.maxBlocks = Math.min(superblock.blockCount, Math.ceil(reader.sizeBytes / superblock.blockBytes));
    this.#agUnit = 2 ** superblock.agBlockLog;
  }

  /** Whether `count` blocks from the address (group and block in it) are inside one allocation group. */
  holdsBlocks(address: number, count: number): boolean {
    const { agBlocks, blockCount } = this.superblock;
    const group = Math.floor(address / this.#agUnit);
    const block = address - group * this.#agUnit;
    return block + count <= agBlocks && group * agBlocks + block + count <= blockCount;
  }

  /** Byte offset of a block address that holdsBlocks accepted. */
  byteOffset(address: number): number {
    const { agBlocks, blockBytes } = this.superblock;
    const group = Math.floor(address / this.#agUnit);
    return (group * agBlocks + (address - group * this.#agUnit)) * blockBytes;
  }

  /** Byte offset of an inode; null for a number that no inode of this file system can have. */
  inodeOffset(inode: number): number | null {
    const { inodesPerBlockLog, inodeBytes } = this.superblock;
    const perBlock = 2 ** inodesPerBlockLog;
    const address = Math.floor(inode / perBlock);
    if (!Number.isSafeInteger(inode) || inode <= 0 || !this.holdsBlocks(address, 1)) return null;
    return this.byteOffset(address) + (inode - address * perBlock) * inodeBytes;
  }

  read(offset: number, length: number, where: string, options?: ReadOptions): Promise<Uint8Array> {
    return readRange(this.reader, offset, length, { type: "xfs", where }, options);
  }

  readInto(buffer: Uint8Array, offset: number, where: string, options?: ReadOptions): Promise<void> {
    return readInto(this.reader, buffer, offset, { type: "xfs", where }, options);
  }

  /** Throws FILESYSTEM_DAMAGED unless the block is what it says, where it says, of whom it says. Version 5 only. */
  checkHeader(block: Uint8Array, { places, byteOffset, owner, where }: HeaderExpectation): void {
    if (!hasChecksum(block, places.crc)) throw damaged("xfs", where, "does not match its checksum", { byteOffset });
    const view = viewOf(block);
    if (!sameBytes(block.subarray(places.uuid, places.uuid + 16), this.superblock.metaUuid)) {
      throw damaged("xfs", where, "belongs to another file system", { byteOffset });
    }
    if (uint64At(view, places.address) !== byteOffset / BASIC_BLOCK_BYTES) {
      throw damaged("xfs", where, "was written for another place", { byteOffset });
    }
    if (uint64At(view, places.owner) !== owner) {
      throw damaged("xfs", where, "belongs to another inode", { owner: uint64At(view, places.owner), expected: owner });
    }
  }
}
