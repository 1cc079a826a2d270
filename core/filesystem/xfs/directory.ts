// Directories: listing reads data blocks only; looking up goes through the hash index where there is one. Follows "XFS
// Algorithms & Data Structures", chapter Directories.

import type { ReadOptions } from "../blockReader.js";
import { isForbiddenName, sameBytes } from "../entryName.js";
import type { DirectoryEntry } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./bigEndian.js";
import { decodeDataBlock, decodeShortDirectory, type EntryContext, entryAt } from "./directoryEntries.js";
import { Fork } from "./fork.js";
import { firstAtLeast, HASH_ENTRY_BYTES, hashAt, leafOfHash, leavesFrom } from "./hashBlocks.js";
import type { XfsInode } from "./inode.js";
import { foldName, hashName } from "./names.js";
import type { HeaderPlaces, XfsVolume } from "./volume.js";

/** Data below, the index from here on: XFS_DIR2_LEAF_OFFSET. */
const INDEX_OFFSET = 2 ** 35;
/** Places in an index count 8 bytes. */
const PLACE_UNIT = 8;
const PLACES: HeaderPlaces = { crc: 4, address: 8, uuid: 24, owner: 40 };
const HEADER_BYTES = 16;
const HEADER_BYTES_VERSION_5 = 64;
/** Counts at the end of the block of a directory that has only one. */
const TAIL_BYTES = 8;
const INDEX_ENTRY_BYTES = 8;

interface DataBlock {
  bytes: Uint8Array;
  start: number;
  end: number;
  isFirst: boolean;
}

export class Directory {
  readonly #volume: XfsVolume;
  readonly #inode: XfsInode;
  readonly #context: EntryContext;
  readonly #blocksPer: number;
  readonly #indexBlock: number;
  /** Null: inside the inode. */
  readonly #fork: Fork | null;

  constructor(volume: XfsVolume, inode: XfsInode) {
    const { features, directoryBlockBytes, blockBytes } = volume.superblock;
    this.#volume = volume;
    this.#inode = inode;
    this.#blocksPer = directoryBlockBytes / blockBytes;
    this.#indexBlock = INDEX_OFFSET / blockBytes;
    this.#context = {
      where: `directory ${inode.number}`,
      entryKinds: features.entryKinds,
      hasRealtimeFiles: volume.superblock.realtimeBlocks > 0,
      isInode: (number) => volume.inodeOffset(number) !== null,
    };
    this.#fork = inode.data.format === "local" ? null : new Fork(volume, inode.number, "data", inode.data);
  }

  async *entries(options?: ReadOptions): AsyncGenerator<DirectoryEntry> {
    if (this.#fork === null) {
      yield* this.#shortEntries();
      return;
    }
    const limit = Math.min(this.#inode.blockCount, this.#volume.maxBlocks);
    let visited = 0;
    for (let block = 0; ; block += this.#blocksPer) {
      options?.signal?.throwIfAborted();
      const extent = await this.#fork.find(block, options);
      if (extent === null || extent.start >= this.#indexBlock) return;
      if (extent.start > block) block = Math.floor(extent.start / this.#blocksPer) * this.#blocksPer;
      visited += this.#blocksPer;
      if (visited > limit) throw damaged("xfs", this.#context.where, `has more than its ${limit} blocks`);
      const data = await this.#readDataBlock(this.#fork, block, options);
      yield* decodeDataBlock(data.bytes, data, this.#context);
    }
  }

  /** `useIndex`: false when index and data may not agree, because the log was not replayed. */
  async lookup(name: Uint8Array, useIndex: boolean, options?: ReadOptions): Promise<DirectoryEntry | null> {
    const { ignoresCase } = this.#volume.superblock.features;
    if (isForbiddenName(name)) return null;
    if (this.#fork !== null && useIndex && !ignoresCase && (await this.#hasIndex(this.#fork, options))) {
      return await this.#lookupByHash(this.#fork, name, options);
    }
    const wanted = ignoresCase ? foldName(name) : name;
    for await (const entry of this.entries(options)) {
      if (entry.forbidden) continue;
      if (sameBytes(ignoresCase ? foldName(entry.name) : entry.name, wanted)) return entry;
    }
    return null;
  }

  #shortEntries(): DirectoryEntry[] {
    return decodeShortDirectory(this.#inode.data.bytes.subarray(0, this.#inode.sizeBytes), this.#context);
  }

  /** One that fits into a single block has none. */
  async #hasIndex(fork: Fork, options?: ReadOptions): Promise<boolean> {
    return (await fork.find(this.#indexBlock, options))?.start === this.#indexBlock;
  }

  async #lookupByHash(fork: Fork, name: Uint8Array, options?: ReadOptions): Promise<DirectoryEntry | null> {
    const hash = hashName(name);
    const start = await leafOfHash(fork, this.#indexBlock, this.#blocksPer, hash, options);
    if (start === null) return null;
    for await (const leaf of leavesFrom(fork, start, this.#blocksPer, options)) {
      if (leaf.kind !== "directory-leaf") throw damaged("xfs", this.#context.where, "has an index of attributes");
      let index = firstAtLeast(leaf, hash);
      for (; index < leaf.count && hashAt(leaf, index) === hash; index++) {
        const place = leaf.view.getUint32(leaf.entriesAt + index * HASH_ENTRY_BYTES + 4);
        // 0: removed
        const entry = place === 0 ? null : await this.#entryAtPlace(fork, place * PLACE_UNIT, options);
        if (entry !== null && sameBytes(entry.name, name)) return entry;
      }
      if (index < leaf.count) return null;
    }
    return null;
  }

  async #entryAtPlace(fork: Fork, offset: number, options?: ReadOptions): Promise<DirectoryEntry | null> {
    const { directoryBlockBytes } = this.#volume.superblock;
    const number = Math.floor(offset / directoryBlockBytes);
    const data = await this.#readDataBlock(fork, number * this.#blocksPer, options);
    return entryAt(data.bytes, offset - number * directoryBlockBytes, data.end, this.#context);
  }

  async #readDataBlock(fork: Fork, block: number, options?: ReadOptions): Promise<DataBlock> {
    const { where } = this.#context;
    const { version5 } = this.#volume.superblock.features;
    const { bytes, byteOffset } = await fork.readMetadata(block, this.#blocksPer, options);
    const view = viewOf(bytes);
    const magic = view.getUint32(0);
    // "XDB3", "XD2B": the only block; "XDD3", "XD2D": one of several
    const isOnly = magic === (version5 ? 0x58444233 : 0x58443242);
    if (!isOnly && magic !== (version5 ? 0x58444433 : 0x58443244)) {
      throw damaged("xfs", where, `block ${block} has no magic number`, { block });
    }
    if (version5) {
      this.#volume.checkHeader(bytes, { places: PLACES, byteOffset, owner: this.#inode.number, where });
    }
    const start = version5 ? HEADER_BYTES_VERSION_5 : HEADER_BYTES;
    const end = isOnly ? onlyBlockEnd(view) : bytes.length;
    if (end < start) throw damaged("xfs", where, "has an index larger than its block");
    return { bytes, start, end, isFirst: block === 0 };
  }
}

/** Where the entries end and the index at the end of the block begins. */
function onlyBlockEnd(view: DataView): number {
  const count = view.getUint32(view.byteLength - TAIL_BYTES);
  return view.byteLength - TAIL_BYTES - count * INDEX_ENTRY_BYTES;
}
