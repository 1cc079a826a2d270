// The tree of an ext2, ext3 or ext4 file system, as fileSystem.ts wants it. Node ids are inode numbers.

import { equalBytes } from "../../format/bytes.js";
import type { ReadOptions } from "../blockReader.js";
import { forbiddenMark, isForbiddenName } from "../entryName.js";
import type {
  DataRange,
  DirectoryEntry,
  FileExtent,
  FileKind,
  FileStat,
  FileSystem,
  FileSystemInfo,
  NamedBytes,
  NodeId,
} from "../fileSystem.js";
import { fileNotFound, wrongKind } from "../filesystemErrors.js";
import { readAttributes } from "./attributes.js";
import { foldName } from "./caseFolding.js";
import { DirectoryReader } from "./directory.js";
import type { RawEntry } from "./directoryBlock.js";
import { INCOMPAT } from "./features.js";
import { FileContents } from "./fileContents.js";
import { FLAG, hasFlag, type Inode, KIND, kindOf } from "./inode.js";
import { type InodeTable, ROOT_INODE } from "./inodeTable.js";
import { u32 } from "./littleEndian.js";
import type { ExtVolume } from "./volume.js";

const MAX_LINK_BYTES = 64 * 1024;

const kinds = new Map<number, FileKind>([
  [KIND.file, "file"],
  [KIND.directory, "directory"],
  [KIND.symlink, "symlink"],
  [KIND.characterDevice, "character-device"],
  [KIND.blockDevice, "block-device"],
  [KIND.fifo, "fifo"],
  [KIND.socket, "socket"],
]);

/** By the type that directory entries store. */
const entryKinds: readonly (FileKind | null)[] = [
  null,
  "file",
  "directory",
  "character-device",
  "block-device",
  "fifo",
  "socket",
  "symlink",
];

export class ExtFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root = nodeId(ROOT_INODE);
  readonly #volume: ExtVolume;
  readonly #inodes: InodeTable;
  readonly #contents: FileContents;
  readonly #directories: DirectoryReader;

  constructor(info: FileSystemInfo, volume: ExtVolume, inodes: InodeTable) {
    this.info = info;
    this.#volume = volume;
    this.#inodes = inodes;
    this.#contents = new FileContents(volume);
    this.#directories = new DirectoryReader(volume, this.#contents);
  }

  async stat(node: NodeId, options: ReadOptions = {}): Promise<FileStat> {
    const inode = await this.#inode(node, options);
    const special = specialOf(inode);
    return {
      id: node,
      kind: special === undefined ? (kinds.get(kindOf(inode)) as FileKind) : "special",
      ...(special === undefined ? {} : { special }),
      sizeBytes: inode.sizeBytes,
      allocatedBytes: inode.allocatedBytes,
      mode: inode.mode & 0o7777,
      uid: inode.uid,
      gid: inode.gid,
      linkCount: inode.linkCount,
      modifiedAtNs: inode.modifiedAtNs,
      accessedAtNs: inode.accessedAtNs,
      changedAtNs: inode.changedAtNs,
      createdAtNs: inode.createdAtNs,
      device: deviceOf(inode),
    };
  }

  async *readDirectory(node: NodeId, options: ReadOptions = {}): AsyncIterable<DirectoryEntry> {
    const directory = await this.#directory(node, options);
    for await (const entries of this.#directories.entries(directory, options)) {
      for (const entry of entries) yield this.#entry(directory, entry);
    }
  }

  async lookup(node: NodeId, name: Uint8Array, options: ReadOptions = {}): Promise<DirectoryEntry | null> {
    const directory = await this.#directory(node, options);
    if (isForbiddenName(name)) return null;
    const ignoresCase =
      hasFlag(directory, FLAG.casefold) && (this.#volume.superblock.incompat & INCOMPAT.casefold) !== 0;
    const indexed = await this.#directories.findByIndex(directory, name, options);
    if (indexed !== null) return this.#entry(directory, indexed);
    const folded = ignoresCase ? foldName(name) : null;
    let other: DirectoryEntry | null = null;
    for await (const entries of this.#directories.entries(directory, options)) {
      for (const entry of entries) {
        if (equalBytes(entry.name, name)) return this.#entry(directory, entry);
        if (other !== null || folded === null || foldName(entry.name) !== folded) continue;
        if (isForbiddenName(entry.name)) continue;
        other = this.#entry(directory, entry);
      }
    }
    return other;
  }

  async read(node: NodeId, buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<number> {
    return await this.#contents.read(await this.#file(node, options), buffer, offset, options);
  }

  async *dataRanges(node: NodeId, options: ReadOptions = {}): AsyncIterable<DataRange> {
    yield* this.#contents.dataRanges(await this.#file(node, options), options);
  }

  async *extents(node: NodeId, options: ReadOptions = {}): AsyncIterable<FileExtent> {
    yield* this.#contents.extents(await this.#file(node, options), options);
  }

  async readLink(node: NodeId, options: ReadOptions = {}): Promise<Uint8Array> {
    const inode = await this.#inode(node, options);
    if (kindOf(inode) !== KIND.symlink) throw wrongKind(whereOf(inode), "a symbolic link");
    this.#refuseEncrypted(inode);
    if (inode.sizeBytes > MAX_LINK_BYTES) throw this.#volume.damaged(whereOf(inode), "too long for a link");
    if (this.#isStoredInInode(inode)) {
      if (inode.sizeBytes >= inode.iBlock.length) throw this.#volume.damaged(whereOf(inode), "a link without a block");
      return inode.iBlock.slice(0, inode.sizeBytes);
    }
    return await this.#readWhole(inode, inode.sizeBytes, options);
  }

  async attributes(node: NodeId, options: ReadOptions = {}): Promise<NamedBytes[]> {
    const values = {
      readInode: (number: number) => this.#inodes.read(number, options),
      readWhole: (inode: Inode, length: number) => this.#readWhole(inode, length, options),
    };
    return await readAttributes(this.#volume, await this.#inode(node, options), values, options);
  }

  #entry(directory: Inode, { inode, name, type }: RawEntry): DirectoryEntry {
    if (!this.#inodes.isOrdinary(inode)) {
      throw this.#volume.damaged(`inode ${directory.number}, directory`, `names the reserved inode ${inode}`);
    }
    const kind = entryKinds[type] ?? null;
    // whether one of these is encrypted stands in its inode
    const mayBeEncrypted = (this.#volume.superblock.incompat & INCOMPAT.encrypt) !== 0;
    const isCertain = !mayBeEncrypted || (kind !== "file" && kind !== "directory" && kind !== "symlink");
    return { name: name.slice(), id: nodeId(inode), kind: isCertain ? kind : null, ...forbiddenMark(name) };
  }

  async #inode(node: NodeId, options: ReadOptions): Promise<Inode> {
    const number = Number(node);
    if (!this.#inodes.isOrdinary(number)) throw fileNotFound(`inode ${node}`);
    const inode = await this.#inodes.read(number, options);
    if (!kinds.has(kindOf(inode))) throw this.#volume.damaged(whereOf(inode), `mode ${inode.mode.toString(8)}`);
    return inode;
  }

  async #directory(node: NodeId, options: ReadOptions): Promise<Inode> {
    const inode = await this.#inode(node, options);
    if (kindOf(inode) !== KIND.directory) throw wrongKind(whereOf(inode), "a directory");
    return inode;
  }

  async #file(node: NodeId, options: ReadOptions): Promise<Inode> {
    const inode = await this.#inode(node, options);
    if (kindOf(inode) !== KIND.file) throw wrongKind(whereOf(inode), "a file");
    this.#refuseEncrypted(inode);
    return inode;
  }

  #refuseEncrypted(inode: Inode): void {
    if (hasFlag(inode, FLAG.encrypt)) throw this.#volume.unsupported("an encrypted file", { inode: inode.number });
  }

  /** Short targets stand in place of block pointers; the kernel tells them so, too. */
  #isStoredInInode(inode: Inode): boolean {
    if (hasFlag(inode, FLAG.inlineData)) return false;
    const { incompat, clusterBytes } = this.#volume.superblock;
    if ((incompat & INCOMPAT.eaInode) !== 0) return inode.sizeBytes > 0 && inode.sizeBytes < inode.iBlock.length;
    return inode.allocatedBytes === (inode.attributeBlock === 0 ? 0 : clusterBytes);
  }

  async #readWhole(inode: Inode, length: number, options: ReadOptions): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.#contents.read(inode, bytes, 0, options);
    return bytes;
  }
}

function nodeId(inode: number): NodeId {
  return String(inode) as NodeId;
}

function specialOf(inode: Inode): string | undefined {
  return hasFlag(inode, FLAG.encrypt) ? "encrypted" : undefined;
}

/** Old numbers have 8 and 8 bits, new ones 12 and 20. */
function deviceOf(inode: Inode): FileStat["device"] {
  const kind = kindOf(inode);
  if (kind !== KIND.characterDevice && kind !== KIND.blockDevice) return null;
  const old = u32(inode.iBlock, 0);
  if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
  const number = u32(inode.iBlock, 4);
  return { major: (number >>> 8) & 0xfff, minor: (number & 0xff) | ((number >>> 12) & 0xfff00) };
}

function whereOf(inode: Inode): string {
  return `inode ${inode.number}`;
}
