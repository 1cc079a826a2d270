// The B+tree of a fork with more extents than the inode holds. Nodes are read on the way down only, never kept; of the
// leaves, the last one. Follows "XFS Algorithms & Data Structures", chapter Data Extents, B+Tree Extent List.
//
// Hostile trees: the level falls by one each step; a leaf must hold records, all inside the range of its parents' keys.
// So no leaf is good for two ranges, and a walk ends.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { uint64At, viewOf } from "./bigEndian.js";
import { decodeExtents, EXTENT_BYTES, type Extent, extentAfter } from "./extents.js";
import type { HeaderPlaces, XfsVolume } from "./volume.js";

/** More than 2^48 extents need in the smallest blocks, half full. */
const MAX_LEVEL = 14;
/** "BMAP", "BMA3" */
const MAGIC = 0x424d4150;
const MAGIC_VERSION_5 = 0x424d4133;
const HEADER_BYTES = 24;
const HEADER_BYTES_VERSION_5 = 72;
const PLACES: HeaderPlaces = { crc: 64, address: 24, uuid: 40, owner: 56 };
const ROOT_HEADER_BYTES = 4;
const PAIR_BYTES = 16;

/** A way down: the child at `address` holds all extents that start in `[from, to)`. */
interface Branch {
  address: number;
  level: number;
  from: number;
  to: number;
}

interface Leaf {
  from: number;
  to: number;
  extents: Extent[];
}

export class ExtentTree {
  readonly #volume: XfsVolume;
  readonly #owner: number;
  readonly #root: Uint8Array;
  readonly #where: string;
  #leaf: Leaf | null = null;

  constructor(volume: XfsVolume, owner: number, root: Uint8Array) {
    this.#volume = volume;
    this.#owner = owner;
    this.#root = root;
    this.#where = `inode ${owner}, extent tree`;
  }

  /** The first extent that ends after `block`; null when none follows. */
  async find(block: number, options?: ReadOptions): Promise<Extent | null> {
    for (let position = block; ; ) {
      const leaf = await this.#leafOf(position, options);
      const extent = extentAfter(leaf.extents, block);
      if (extent !== null) return extent;
      if (leaf.to === Number.POSITIVE_INFINITY) return null;
      position = leaf.to;
    }
  }

  async #leafOf(block: number, options?: ReadOptions): Promise<Leaf> {
    const known = this.#leaf;
    if (known !== null && known.from <= block && block < known.to) return known;
    let branch = this.#branchAtRoot(block);
    while (branch.level > 0) {
      const node = await this.#readBlock(branch, options);
      branch = this.#branchInNode(node, branch, block);
    }
    const leaf = this.#decodeLeaf(await this.#readBlock(branch, options), branch);
    this.#leaf = leaf;
    return leaf;
  }

  #branchAtRoot(block: number): Branch {
    const root = this.#root;
    const room = Math.floor((root.length - ROOT_HEADER_BYTES) / PAIR_BYTES);
    if (room < 1) throw damaged("xfs", this.#where, "has no room for a root");
    const view = viewOf(root);
    const level = view.getUint16(0);
    const count = view.getUint16(2);
    if (level < 1 || level > MAX_LEVEL) throw damaged("xfs", this.#where, `has ${level} levels`);
    if (count < 1 || count > room) throw damaged("xfs", this.#where, `has ${count} records in its root`);
    const whole = { level, from: 0, to: Number.POSITIVE_INFINITY };
    return this.#choose(viewOf(root.subarray(ROOT_HEADER_BYTES)), { count, room }, whole, block);
  }

  #branchInNode(node: Uint8Array, parent: Branch, block: number): Branch {
    const { body, count } = this.#openBlock(node, parent);
    const room = Math.floor(body.length / PAIR_BYTES);
    if (count > room) throw damaged("xfs", this.#where, `has ${count} records in a node`);
    return this.#choose(viewOf(body), { count, room }, parent, block);
  }

  #decodeLeaf(bytes: Uint8Array, branch: Branch): Leaf {
    const { body, count } = this.#openBlock(bytes, branch);
    if (count * EXTENT_BYTES > body.length) throw damaged("xfs", this.#where, `has ${count} records in a leaf`);
    const { from, to } = branch;
    return { from, to, extents: decodeExtents(viewOf(body), count, this.#volume, { from, to, where: this.#where }) };
  }

  /** Keys first, then as many addresses; the child of the last key that is not above `block`, or of the first. */
  #choose(
    view: DataView,
    { count, room }: { count: number; room: number },
    parent: Pick<Branch, "level" | "from" | "to">,
    block: number,
  ): Branch {
    let chosen = 0;
    let previous = -1;
    let { from, to } = parent;
    for (let i = 0; i < count; i++) {
      const key = uint64At(view, i * 8);
      if (key <= previous || key < parent.from || key >= parent.to) {
        throw damaged("xfs", this.#where, "has keys out of order", { key, from: parent.from });
      }
      previous = key;
      if (i > 0 && key <= block) {
        chosen = i;
        from = key;
      } else if (i > 0) {
        to = key;
        break;
      }
    }
    return { address: uint64At(view, (room + chosen) * 8), level: parent.level - 1, from, to };
  }

  async #readBlock({ address }: Branch, options?: ReadOptions): Promise<Uint8Array> {
    const { blockBytes, features } = this.#volume.superblock;
    if (!this.#volume.holdsBlocks(address, 1)) {
      throw damaged("xfs", this.#where, "points outside the file system", { address });
    }
    const byteOffset = this.#volume.byteOffset(address);
    const block = await this.#volume.read(byteOffset, blockBytes, this.#where, options);
    if (features.version5) {
      this.#volume.checkHeader(block, { places: PLACES, byteOffset, owner: this.#owner, where: this.#where });
    }
    return block;
  }

  #openBlock(block: Uint8Array, { level }: Branch): { body: Uint8Array; count: number } {
    const { version5 } = this.#volume.superblock.features;
    const view = viewOf(block);
    if (view.getUint32(0) !== (version5 ? MAGIC_VERSION_5 : MAGIC)) {
      throw damaged("xfs", this.#where, "has a block without its magic number");
    }
    if (view.getUint16(4) !== level) throw damaged("xfs", this.#where, "has a block of another level");
    const count = view.getUint16(6);
    if (count === 0) throw damaged("xfs", this.#where, "has an empty block");
    return { body: block.subarray(version5 ? HEADER_BYTES_VERSION_5 : HEADER_BYTES), count };
  }
}
