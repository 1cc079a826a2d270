// Which bytes of a file lie where. Layout: btrfs-progs, On-disk-format.rst; checks as in fs/btrfs/tree-checker.c.

import type { ReadOptions } from "../blockReader.js";
import { unsupported } from "../filesystemErrors.js";
import { COMPRESSION, MAX_COMPRESSED_EXTENT } from "./decompress.js";
import { type BtrfsInode, damagedInode } from "./inode.js";
import { TYPE } from "./key.js";
import { uint64At, viewOf } from "./littleEndian.js";
import type { Tree } from "./tree.js";
import type { Item } from "./treeBlock.js";

const HEADER_BYTES = 21;
const REGULAR_BYTES = 53;
const KIND_INLINE = 0;
const KIND_REGULAR = 1;
const KIND_PREALLOCATED = 2;

/** Bytes `start` to `start + length` of a file. */
export type StoredExtent = { start: number; length: number } & (
  | { kind: "hole" }
  /** In the tree itself. */
  | { kind: "inline"; bytes: Uint8Array; compression: number }
  /** `inside`: from where on the extent at `address` is used; in a compressed one, of its plain bytes. */
  | { kind: "extent"; address: number; storedBytes: number; inside: number; plainBytes: number; compression: number }
);

export class FileExtents {
  readonly inode: BtrfsInode;
  readonly #tree: Tree;
  readonly #sectorBytes: number;

  constructor(tree: Tree, inode: BtrfsInode, sectorBytes: number) {
    this.#tree = tree;
    this.inode = inode;
    this.#sectorBytes = sectorBytes;
  }

  /** The extent that holds `position`; the hole there, to the next extent or the end of the file, when none does. */
  async at(position: number, options?: ReadOptions): Promise<StoredExtent> {
    const { number, sizeBytes } = this.inode;
    const key = { objectId: number, type: TYPE.fileExtent, offset: position };
    const item = await this.#tree.floor(key, options);
    if (item !== null && item.objectId === number && item.type === TYPE.fileExtent) {
      const extent = this.#decode(item);
      if (position < extent.start + extent.length) return extent;
    }
    for await (const next of this.#tree.of(number, TYPE.fileExtent, position + 1, options)) {
      return { kind: "hole", start: position, length: next.offset - position };
    }
    return { kind: "hole", start: position, length: Math.max(1, sizeBytes - position) };
  }

  /** Ascending and without overlaps; what lies between is a hole too. */
  async *all(options?: ReadOptions): AsyncGenerator<StoredExtent> {
    let end = 0;
    for await (const item of this.#tree.of(this.inode.number, TYPE.fileExtent, 0, options)) {
      options?.signal?.throwIfAborted();
      const extent = this.#decode(item);
      if (extent.start < end) throw damagedInode(this.inode.number, "has extents that overlap");
      end = extent.start + extent.length;
      yield extent;
    }
  }

  #decode(item: Item): StoredExtent {
    const { data, offset: start } = item;
    const problem = (text: string) => damagedInode(this.inode.number, `has an extent that ${text}`);
    if (data.length < HEADER_BYTES) throw problem("is cut off");
    const view = viewOf(data);
    const plainBytes = uint64At(view, 8);
    const compression = view.getUint8(16);
    const kind = view.getUint8(20);
    if (view.getUint8(17) !== 0 || view.getUint16(18, true) !== 0) throw unsupported("btrfs", "an encrypted file");
    if (compression > COMPRESSION.zstd) throw unsupported("btrfs", `compression ${compression}`);
    if (kind > KIND_PREALLOCATED) throw problem(`is of kind ${kind}`);
    if (compression !== COMPRESSION.none && plainBytes > MAX_COMPRESSED_EXTENT) throw problem("unpacks to too much");
    if (kind === KIND_INLINE) {
      if (plainBytes === 0 || plainBytes > MAX_COMPRESSED_EXTENT) throw problem(`holds ${plainBytes} bytes in itself`);
      return { kind: "inline", start, length: plainBytes, bytes: data.subarray(HEADER_BYTES), compression };
    }
    if (data.length < REGULAR_BYTES) throw problem("is cut off");
    const [address, storedBytes, inside, length] = [21, 29, 37, 45].map((at) => uint64At(view, at)) as [
      number,
      number,
      number,
      number,
    ];
    const numbers = [start, address, storedBytes, inside, length];
    if (length === 0 || !Number.isSafeInteger(start + length)) throw problem(`is ${length} bytes long`);
    if (numbers.some((value) => value % this.#sectorBytes !== 0)) throw problem("does not begin or end at a sector");
    if (kind !== KIND_REGULAR || address === 0) return { kind: "hole", start, length };
    const isCompressed = compression !== COMPRESSION.none;
    if (inside + length > (isCompressed ? plainBytes : storedBytes)) throw problem("uses more than there is");
    if (isCompressed && storedBytes > MAX_COMPRESSED_EXTENT) throw problem("is too large to be compressed");
    if (!Number.isSafeInteger(address + storedBytes)) throw problem("lies nowhere");
    return { kind: "extent", start, length, address, storedBytes, inside, plainBytes, compression };
  }
}
