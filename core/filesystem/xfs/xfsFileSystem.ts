// The tree of an opened XFS. Inodes are read anew each time; only the extents of files that are being read are kept.

import type { ReadOptions } from "../blockReader.js";
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
import { fileNotFound, unsupported, wrongKind } from "../filesystemErrors.js";
import { readAttributes } from "./attributes.js";
import { Directory } from "./directory.js";
import { Fork } from "./fork.js";
import { decodeInode, statOf, type XfsInode } from "./inode.js";
import { readSymlink } from "./symlink.js";
import type { XfsVolume } from "./volume.js";

/** Files kept with the last leaf of their extents: enough for a few that are read at once. */
const MAX_OPEN_FORKS = 32;

export class XfsFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root: NodeId;
  readonly #volume: XfsVolume;
  readonly #isClean: boolean;
  /** Data forks of files by inode number, in order of use. */
  readonly #forks = new Map<number, { inode: XfsInode; fork: Fork }>();

  /** `isClean`: the log was empty, so that the indexes of directories agree with what they index. */
  constructor(volume: XfsVolume, info: FileSystemInfo, isClean: boolean) {
    this.#volume = volume;
    this.info = info;
    this.#isClean = isClean;
    this.root = String(volume.superblock.rootInode) as NodeId;
  }

  async stat(node: NodeId, options?: ReadOptions): Promise<FileStat> {
    return statOf(await this.#readInode(node, options), node, this.info.blockBytes);
  }

  async *readDirectory(node: NodeId, options?: ReadOptions): AsyncGenerator<DirectoryEntry> {
    yield* (await this.#openDirectory(node, options)).entries(options);
  }

  async lookup(directory: NodeId, name: Uint8Array, options?: ReadOptions): Promise<DirectoryEntry | null> {
    return await (await this.#openDirectory(directory, options)).lookup(name, this.#isClean, options);
  }

  async read(file: NodeId, buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<number> {
    const { inode, fork } = await this.#openFile(file, options);
    const length = Math.max(0, Math.min(buffer.length, inode.sizeBytes - offset));
    await fork.read(buffer.subarray(0, length), offset, options);
    return length;
  }

  async *dataRanges(file: NodeId, options?: ReadOptions): AsyncGenerator<DataRange> {
    const { inode, fork } = await this.#openFile(file, options);
    const { blockBytes } = this.info;
    const end = Math.ceil(inode.sizeBytes / blockBytes);
    let start = 0;
    let next = 0;
    for (let block = 0; block < end; ) {
      options?.signal?.throwIfAborted();
      const extent = await fork.find(block, options);
      if (extent === null || extent.start >= end) break;
      block = extent.start + extent.count;
      if (extent.unwritten) continue;
      if (extent.start > next) {
        if (next > start) yield { offset: start * blockBytes, length: (next - start) * blockBytes };
        start = extent.start;
      }
      next = block;
    }
    const length = Math.min(next * blockBytes, inode.sizeBytes) - start * blockBytes;
    if (length > 0) yield { offset: start * blockBytes, length };
  }

  async *extents(file: NodeId, options?: ReadOptions): AsyncGenerator<FileExtent> {
    const { inode, fork } = await this.#openFile(file, options);
    const { blockBytes } = this.info;
    for (let block = 0; block * blockBytes < inode.sizeBytes; ) {
      options?.signal?.throwIfAborted();
      const extent = await fork.find(block, options);
      if (extent === null || extent.start * blockBytes >= inode.sizeBytes) return;
      block = extent.start + extent.count;
      if (extent.unwritten) continue;
      const offset = extent.start * blockBytes;
      const length = Math.min(extent.count * blockBytes, inode.sizeBytes - offset);
      yield { offset, length, deviceOffset: this.#volume.byteOffset(extent.address) };
    }
  }

  async readLink(symlink: NodeId, options?: ReadOptions): Promise<Uint8Array> {
    const inode = await this.#readInode(symlink, options);
    if (inode.kind !== "symlink") throw wrongKind(`inode ${inode.number}`, "a symbolic link");
    return await readSymlink(this.#volume, inode, options);
  }

  async attributes(node: NodeId, options?: ReadOptions): Promise<NamedBytes[]> {
    return await readAttributes(this.#volume, await this.#readInode(node, options), options);
  }

  async #readInode(node: NodeId, options?: ReadOptions): Promise<XfsInode> {
    const number = /^\d{1,16}$/.test(node) ? Number(node) : Number.NaN;
    const offset = this.#volume.inodeOffset(number);
    if (offset === null) throw fileNotFound(`inode ${node}`);
    const { superblock } = this.#volume;
    const bytes = await this.#volume.read(offset, superblock.inodeBytes, `inode ${number}`, options);
    return decodeInode(bytes, number, superblock);
  }

  async #openDirectory(node: NodeId, options?: ReadOptions): Promise<Directory> {
    const inode = await this.#readInode(node, options);
    if (inode.kind !== "directory") throw wrongKind(`inode ${inode.number}`, "a directory");
    return new Directory(this.#volume, inode);
  }

  async #openFile(node: NodeId, options?: ReadOptions): Promise<{ inode: XfsInode; fork: Fork }> {
    const known = this.#forks.get(Number(node));
    if (known !== undefined) {
      this.#forks.delete(known.inode.number);
      this.#forks.set(known.inode.number, known);
      return known;
    }
    const inode = await this.#readInode(node, options);
    if (inode.special !== undefined) throw unsupported("xfs", `a file ${inode.special}`, { inode: inode.number });
    if (inode.kind !== "file") throw wrongKind(`inode ${inode.number}`, "a file");
    const opened = { inode, fork: new Fork(this.#volume, inode.number, "data", inode.data) };
    this.#forks.set(inode.number, opened);
    if (this.#forks.size > MAX_OPEN_FORKS) {
      const [oldest] = this.#forks.keys();
      this.#forks.delete(oldest as number);
    }
    return opened;
  }
}
