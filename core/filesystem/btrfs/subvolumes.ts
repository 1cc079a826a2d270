// The root tree: where the trees of subvolumes and snapshots are, and in which directory each one appears. Layout: btrfs-progs,
// On-disk-format.rst; what a directory shows for a subvolume that is not there: fs/btrfs/inode.c.

import type { ReadOptions } from "../blockReader.js";
import { sameBytes } from "../entryName.js";
import { damaged } from "../filesystemErrors.js";
import { LAST_OFFSET, TREE, TYPE } from "./key.js";
import { uint64At, viewOf } from "./littleEndian.js";
import { decodeNameItems, nameHash } from "./nameItems.js";
import { MAX_LEVEL, type TreeRoot } from "./superblock.js";
import { Tree } from "./tree.js";
import type { BtrfsVolume } from "./volume.js";

const ROOT_ITEM_BYTES = 239;
/** Of a reference: directory, sequence, length of the name. */
const REFERENCE_BYTES = 18;
const MAX_OPEN = 1024;
/** Of nested subvolumes, and of directories inside each: for the path of the default one. */
const MAX_DEPTH = 256;

export class Subvolumes {
  readonly #volume: BtrfsVolume;
  readonly #rootTree: Tree;
  readonly #open = new Map<number, Tree | null>();

  constructor(volume: BtrfsVolume) {
    this.#volume = volume;
    this.#rootTree = new Tree(volume, volume.superblock.rootTree);
  }

  /** Null when there is no such tree. Throws FILESYSTEM_DAMAGED. */
  async tree(id: number, options?: ReadOptions): Promise<Tree | null> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const item = await this.#rootTree.floor({ objectId: id, type: TYPE.root, offset: LAST_OFFSET }, options);
    const isThere = item !== null && item.objectId === id && item.type === TYPE.root;
    const tree = isThere ? new Tree(this.#volume, decodeRoot(item.data, id)) : null;
    if (this.#open.size >= MAX_OPEN) this.#open.clear();
    this.#open.set(id, tree);
    return tree;
  }

  /**
   * Whether the entry `name` of a directory stands for a subvolume. It does not in a snapshot of the subvolume that holds it: there
   * it is an empty directory.
   */
  async isAt(id: number, parent: number, directory: number, name: Uint8Array, options?: ReadOptions): Promise<boolean> {
    const item = await this.#rootTree.find({ objectId: parent, type: TYPE.rootReference, offset: id }, options);
    if (item === null) return false;
    const reference = decodeReference(item.data, id);
    return reference.directory === directory && sameBytes(reference.name, name);
  }

  /** The subvolume that is mounted when none is named; null when nothing says so. */
  async defaultId(options?: ReadOptions): Promise<number | null> {
    const name = new TextEncoder().encode("default");
    const key = { objectId: TREE.rootDirectory, type: TYPE.directoryItem, offset: nameHash(name) };
    const item = await this.#rootTree.find(key, options);
    if (item === null) return null;
    const entry = decodeNameItems(item.data, "default subvolume").find((candidate) => sameBytes(candidate.name, name));
    return entry?.location.objectId ?? null;
  }

  /** From the top level, `/@/snapshot`; null when it leads nowhere. */
  async pathOf(id: number, options?: ReadOptions): Promise<string | null> {
    let path = "";
    let subvolume = id;
    for (let depth = 0; subvolume !== TREE.topLevel; depth++) {
      const item = await this.#rootTree.floor(
        { objectId: subvolume, type: TYPE.rootBackReference, offset: LAST_OFFSET },
        options,
      );
      const isThere = item !== null && item.objectId === subvolume && item.type === TYPE.rootBackReference;
      if (!isThere || depth > MAX_DEPTH) return null;
      const { directory, name } = decodeReference(item.data, subvolume);
      const folder = await this.#pathInside(item.offset, directory, options);
      if (folder === null) return null;
      path = `${folder}/${new TextDecoder().decode(name)}${path}`;
      subvolume = item.offset;
    }
    return path;
  }

  /** Empty for the root of the subvolume. */
  async #pathInside(subvolume: number, directory: number, options?: ReadOptions): Promise<string | null> {
    const tree = await this.tree(subvolume, options);
    let path = "";
    for (let depth = 0; directory !== TREE.firstFree; depth++) {
      const key = { objectId: directory, type: TYPE.inodeReference, offset: LAST_OFFSET };
      const item = (await tree?.floor(key, options)) ?? null;
      if (item === null || item.objectId !== directory || item.type !== TYPE.inodeReference) return null;
      if (depth > MAX_DEPTH || item.data.length < 10) return null;
      const length = viewOf(item.data).getUint16(8, true);
      path = `/${new TextDecoder().decode(item.data.subarray(10, 10 + length))}${path}`;
      directory = item.offset;
    }
    return path;
  }
}

function decodeRoot(data: Uint8Array, id: number): TreeRoot {
  const where = `root of tree ${id}`;
  if (data.length < ROOT_ITEM_BYTES) throw damaged("btrfs", where, "is cut off", { tree: id });
  const view = viewOf(data);
  const level = view.getUint8(238);
  if (level > MAX_LEVEL) throw damaged("btrfs", where, `is of level ${level}`, { tree: id });
  return { address: uint64At(view, 176), generation: uint64At(view, 160), level };
}

function decodeReference(data: Uint8Array, id: number): { directory: number; name: Uint8Array } {
  const view = viewOf(data);
  const length = data.length < REFERENCE_BYTES ? Number.NaN : view.getUint16(16, true);
  if (!(REFERENCE_BYTES + length <= data.length)) {
    throw damaged("btrfs", `reference to subvolume ${id}`, "is cut off", { tree: id });
  }
  return { directory: uint64At(view, 0), name: data.slice(REFERENCE_BYTES, REFERENCE_BYTES + length) };
}
