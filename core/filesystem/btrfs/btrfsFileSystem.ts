// The tree of an opened btrfs: the top-level subvolume, with all others as directories where they appear in it. Nodes are
// named `SUBVOLUME.INODE`.

import { attributeName } from "../attributeName.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import { forbiddenMark, isForbiddenName, sameBytes } from "../entryName.js";
import type {
  DataRange,
  DirectoryEntry,
  FileExtent,
  FileStat,
  FileSystem,
  FileSystemInfo,
  NamedBytes,
  NodeId,
} from "../fileSystem.js";
import { damaged, fileNotFound, wrongKind } from "../filesystemErrors.js";
import type { DataReader } from "./dataReader.js";
import { COMPRESSION } from "./decompress.js";
import { FileContents } from "./fileContents.js";
import { FileExtents } from "./fileExtents.js";
import { type BtrfsInode, damagedInode, decodeInode, statOf } from "./inode.js";
import { TREE, TYPE } from "./key.js";
import { decodeNameItems, kindOfEntry, type NameItem, nameHash } from "./nameItems.js";
import type { Subvolumes } from "./subvolumes.js";
import type { Tree } from "./tree.js";
import type { BtrfsVolume } from "./volume.js";

/** Files kept with their inodes: enough for a few that are read at once. */
const MAX_OPEN_FILES = 32;
const MAX_TARGET_BYTES = 64 * 1024;
const MAX_ATTRIBUTE_BYTES = 16 * 1024 * 1024;
/** BTRFS_EMPTY_SUBVOL_DIR_OBJECTID: stands where a snapshot has no subvolume. No file has this number. */
const EMPTY_DIRECTORY = 2;

interface Place {
  subvolume: number;
  number: number;
  tree: Tree;
}

export class BtrfsFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root = nodeId(TREE.topLevel, TREE.firstFree);
  readonly #reader: BlockReader;
  readonly #volume: BtrfsVolume;
  readonly #subvolumes: Subvolumes;
  readonly #contents: FileContents;
  /** In order of use. */
  readonly #files = new Map<NodeId, FileExtents>();

  /** `reader`: the device that extents are told of. */
  constructor(
    reader: BlockReader,
    volume: BtrfsVolume,
    subvolumes: Subvolumes,
    data: DataReader,
    info: FileSystemInfo,
  ) {
    this.#reader = reader;
    this.#volume = volume;
    this.#subvolumes = subvolumes;
    this.#contents = new FileContents(data, volume.superblock.sectorBytes);
    this.info = info;
  }

  async stat(node: NodeId, options?: ReadOptions): Promise<FileStat> {
    const place = await this.#place(node, options);
    return statOf(await this.#inode(place, options), node);
  }

  async *readDirectory(node: NodeId, options?: ReadOptions): AsyncGenerator<DirectoryEntry> {
    const place = await this.#directory(node, options);
    const where = `directory ${place.number}`;
    for await (const { data } of place.tree.of(place.number, TYPE.directoryIndex, 0, options)) {
      for (const item of decodeNameItems(data, where)) yield await this.#entry(place, item, options);
    }
  }

  async lookup(directory: NodeId, name: Uint8Array, options?: ReadOptions): Promise<DirectoryEntry | null> {
    const place = await this.#directory(directory, options);
    if (isForbiddenName(name)) return null;
    const key = { objectId: place.number, type: TYPE.directoryItem, offset: nameHash(name) };
    const found = await place.tree.find(key, options);
    if (found === null) return null;
    const items = decodeNameItems(found.data, `directory ${place.number}`);
    const item = items.find((candidate) => sameBytes(candidate.name, name));
    return item === undefined ? null : await this.#entry(place, item, options);
  }

  async read(file: NodeId, buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<number> {
    const extents = await this.#file(file, options);
    const length = Math.max(0, Math.min(buffer.length, extents.inode.sizeBytes - offset));
    await this.#contents.read(extents, buffer.subarray(0, length), offset, options);
    return length;
  }

  async *dataRanges(file: NodeId, options?: ReadOptions): AsyncGenerator<DataRange> {
    const extents = await this.#file(file, options);
    const { sizeBytes } = extents.inode;
    let pending: DataRange | null = null;
    for await (const { kind, start, length } of extents.all(options)) {
      if (start >= sizeBytes) break;
      if (kind === "hole") continue;
      const clipped = Math.min(length, sizeBytes - start);
      if (pending !== null && pending.offset + pending.length === start) {
        pending.length += clipped;
        continue;
      }
      if (pending !== null) yield pending;
      pending = { offset: start, length: clipped };
    }
    if (pending !== null) yield pending;
  }

  async *extents(file: NodeId, options?: ReadOptions): AsyncGenerator<FileExtent> {
    const extents = await this.#file(file, options);
    const { sizeBytes } = extents.inode;
    for await (const extent of extents.all(options)) {
      if (extent.start >= sizeBytes) return;
      if (extent.kind !== "extent" || extent.compression !== COMPRESSION.none) continue;
      const total = Math.min(extent.length, sizeBytes - extent.start);
      for (let done = 0; done < total; ) {
        const from = extent.address + extent.inside + done;
        const { length, offset } = this.#volume.locate(from, total - done, this.#reader);
        if (offset !== null) yield { offset: extent.start + done, length, deviceOffset: offset };
        done += length;
      }
    }
  }

  async readLink(symlink: NodeId, options?: ReadOptions): Promise<Uint8Array> {
    const place = await this.#place(symlink, options);
    const inode = await this.#inode(place, options);
    if (inode.kind !== "symlink") throw wrongKind(`inode ${inode.number}`, "a symbolic link");
    if (inode.sizeBytes > MAX_TARGET_BYTES) throw damagedInode(inode.number, "has a target that is too long");
    const target = new Uint8Array(inode.sizeBytes);
    const extents = new FileExtents(place.tree, inode, this.#volume.superblock.sectorBytes);
    await this.#contents.read(extents, target, 0, options);
    return target;
  }

  async attributes(node: NodeId, options?: ReadOptions): Promise<NamedBytes[]> {
    const place = await this.#place(node, options);
    await this.#inode(place, options);
    const attributes: NamedBytes[] = [];
    let bytes = 0;
    for await (const { data } of place.tree.of(place.number, TYPE.attribute, 0, options)) {
      bytes += data.length;
      if (bytes > MAX_ATTRIBUTE_BYTES) throw damagedInode(place.number, "has too many attributes");
      for (const { name, value } of decodeNameItems(data, `inode ${place.number}`)) {
        attributes.push({ ...attributeName(name), value });
      }
    }
    return attributes;
  }

  async #entry(place: Place, item: NameItem, options?: ReadOptions): Promise<DirectoryEntry> {
    const { location, name } = item;
    const common = { name, ...forbiddenMark(name) };
    if (location.type === TYPE.inode) {
      return { ...common, id: nodeId(place.subvolume, location.objectId), kind: kindOfEntry(item) };
    }
    if (location.type !== TYPE.root) {
      throw damaged("btrfs", `directory ${place.number}`, `has an entry of type ${location.type}`);
    }
    const { subvolume, number } = place;
    const isThere = await this.#subvolumes.isAt(location.objectId, subvolume, number, name, options);
    const id = isThere ? nodeId(location.objectId, TREE.firstFree) : nodeId(subvolume, EMPTY_DIRECTORY);
    return { ...common, id, kind: "directory" };
  }

  async #place(node: NodeId, options?: ReadOptions): Promise<Place> {
    const [, subvolume, number] = /^(\d{1,16})\.(\d{1,16})$/.exec(node) ?? [];
    const id = Number(subvolume);
    const isFiles = id === TREE.topLevel || id >= TREE.firstFree;
    const tree = isFiles ? await this.#subvolumes.tree(id, options) : null;
    if (tree === null) throw fileNotFound(`inode ${node}`);
    return { subvolume: id, number: Number(number), tree };
  }

  async #inode({ number, tree }: Place, options?: ReadOptions): Promise<BtrfsInode> {
    if (number === EMPTY_DIRECTORY) return emptyDirectory();
    const item = await tree.find({ objectId: number, type: TYPE.inode, offset: 0 }, options);
    if (item === null) throw damagedInode(number, "is not there");
    return decodeInode(item.data, number);
  }

  async #directory(node: NodeId, options?: ReadOptions): Promise<Place> {
    const place = await this.#place(node, options);
    const { kind, number } = await this.#inode(place, options);
    if (kind !== "directory") throw wrongKind(`inode ${number}`, "a directory");
    return place;
  }

  async #file(node: NodeId, options?: ReadOptions): Promise<FileExtents> {
    let file = this.#files.get(node);
    this.#files.delete(node);
    if (file === undefined) {
      const place = await this.#place(node, options);
      const inode = await this.#inode(place, options);
      if (inode.kind !== "file") throw wrongKind(`inode ${inode.number}`, "a file");
      file = new FileExtents(place.tree, inode, this.#volume.superblock.sectorBytes);
    }
    this.#files.set(node, file);
    if (this.#files.size > MAX_OPEN_FILES) {
      const [oldest] = this.#files.keys();
      this.#files.delete(oldest as NodeId);
    }
    return file;
  }
}

function nodeId(subvolume: number, inode: number): NodeId {
  return `${subvolume}.${inode}` as NodeId;
}

/** As the kernel makes it up; its times are those of the moment there. */
function emptyDirectory(): BtrfsInode {
  const times = { accessed: null, changed: null, modified: null, created: null };
  return {
    number: EMPTY_DIRECTORY,
    kind: "directory",
    sizeBytes: 0,
    allocatedBytes: 0,
    linkCount: 1,
    uid: 0,
    gid: 0,
    mode: 0o755,
    device: null,
    hasChecksums: true,
    times,
  };
}
