// One block of a tree: a leaf with items or a node with pointers, checked once when it is read. Layout: btrfs-progs,
// On-disk-format.rst.

import { sameBytes } from "../entryName.js";
import { damaged } from "../filesystemErrors.js";
import { compareKeyAt, compareKeysAt, KEY_BYTES, type Key, keyAt } from "./key.js";
import { uint64At, viewOf } from "./littleEndian.js";
import { type BtrfsSuperblock, CHECKSUM_ROOM } from "./superblock.js";

const HEADER_BYTES = 101;
const ITEM_BYTES = 25;
const POINTER_BYTES = 33;

export interface Item extends Key {
  /** A view of the block. */
  data: Uint8Array;
}

/** What is known of a block before it is read. */
export interface BlockReference {
  address: number;
  generation: number;
  level: number;
}

export class TreeBlock {
  readonly level: number;
  readonly count: number;
  readonly generation: number;
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  readonly #address: number;

  /** `bytes` are kept. Throws FILESYSTEM_DAMAGED when they are not what was looked for. */
  constructor(bytes: Uint8Array, reference: BlockReference, superblock: BtrfsSuperblock) {
    this.#bytes = bytes;
    this.view = viewOf(bytes);
    this.#address = reference.address;
    this.level = this.view.getUint8(0x64);
    this.count = this.view.getUint32(0x60, true);
    this.generation = uint64At(this.view, 0x50);
    const { checksums, metadataUuid } = superblock;
    if (!checksums.matches(bytes.subarray(CHECKSUM_ROOM), bytes.subarray(0, checksums.bytes))) {
      throw this.#damaged("does not match its checksum");
    }
    if (uint64At(this.view, 0x30) !== reference.address) throw this.#damaged("was written for another place");
    if (!sameBytes(bytes.subarray(0x20, 0x30), metadataUuid)) throw this.#damaged("belongs to another file system");
    if (this.generation !== reference.generation) throw this.#damaged("is of another generation");
    if (this.level !== reference.level) throw this.#damaged(`is of level ${this.level}, not ${reference.level}`);
    this.#checkEntries();
  }

  keyAt(index: number): Key {
    return keyAt(this.view, this.entryAt(index));
  }

  /** Where the key of an entry stands. */
  entryAt(index: number): number {
    return HEADER_BYTES + index * (this.level === 0 ? ITEM_BYTES : POINTER_BYTES);
  }

  /** Of the last entry whose key is not behind `key`; -1 when all are. */
  indexOf(key: Key): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeyAt(this.view, this.entryAt(middle), key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Of a leaf. */
  item(index: number): Item {
    const at = this.entryAt(index);
    const start = HEADER_BYTES + this.view.getUint32(at + KEY_BYTES, true);
    const data = this.#bytes.subarray(start, start + this.view.getUint32(at + KEY_BYTES + 4, true));
    return { ...keyAt(this.view, at), data };
  }

  /** Of a node. */
  child(index: number): BlockReference {
    const at = this.entryAt(index) + KEY_BYTES;
    return { address: uint64At(this.view, at), generation: uint64At(this.view, at + 8), level: this.level - 1 };
  }

  /** Keys ascend, and items lie inside. */
  #checkEntries(): void {
    const isLeaf = this.level === 0;
    const room = this.#bytes.length - HEADER_BYTES;
    if (this.count * (isLeaf ? ITEM_BYTES : POINTER_BYTES) > room || (this.count === 0 && !isLeaf)) {
      throw this.#damaged(`has ${this.count} entries`);
    }
    for (let i = 0; i < this.count; i++) {
      const at = this.entryAt(i);
      if (i > 0 && compareKeysAt(this.view, this.entryAt(i - 1), this.view, at) >= 0) {
        throw this.#damaged("has keys that do not ascend");
      }
      if (!isLeaf) continue;
      const offset = this.view.getUint32(at + KEY_BYTES, true);
      if (offset + this.view.getUint32(at + KEY_BYTES + 4, true) > room) throw this.#damaged("has an item outside");
    }
  }

  #damaged(problem: string): Error {
    return damaged("btrfs", `tree block ${this.#address}`, problem, { address: this.#address });
  }
}
