// FAT12, FAT16 and FAT32, read-only. A file is named by the place of its directory entry: FAT has no inodes.
// docs/filesystems/fat.md says how fields are read and what is refused.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { defaultUpcaseTable, findEntry, forbiddenMark } from "../entryName.js";
import type {
  DataRange,
  DirectoryEntry,
  FileExtent,
  FileStat,
  FileSystem,
  FileSystemInfo,
  NamedBytes,
  NodeId,
  OpenFileSystemOptions,
} from "../fileSystem.js";
import { damaged, fileNotFound, wrongKind } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";
import type { FatGeometry } from "./bootSector.js";
import type { PlacedBytes } from "./clusterSpace.js";
import { ENTRY_BYTES, MAX_DIRECTORY_BYTES, type RawEntry, rawEntries } from "./directory.js";
import { ATTRIBUTE, shownAttributes } from "./dosAttributes.js";
import { allocatedBytesOf, type DosNode, dosStat, isDirectory, requireDosFile } from "./dosNode.js";
import { dosTimeToNs } from "./dosTime.js";
import { openFatVolume } from "./openVolume.js";
import { type FatVolume, rootPieces } from "./volume.js";

const ROOT = "fat:root" as NodeId;

/** The parts of a directory entry that matter once its name is known. */
interface FatNode extends DosNode {
  firstCluster: number;
}

function decodeNode(entry: Uint8Array, kind: FatGeometry["kind"]): FatNode {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  const high = kind === "fat32" ? view.getUint16(20, true) : 0;
  return {
    attributes: view.getUint8(11),
    firstCluster: high * 0x10000 + view.getUint16(26, true),
    sizeBytes: view.getUint32(28, true),
    createdAtNs: dosTimeToNs(view.getUint16(16, true), view.getUint16(14, true), view.getUint8(13)),
    accessedAtNs: dosTimeToNs(view.getUint16(18, true), 0),
    modifiedAtNs: dosTimeToNs(view.getUint16(24, true), view.getUint16(22, true)),
  };
}

/** Throws FILESYSTEM_DAMAGED when there is no FAT file system. */
export async function openFat(reader: BlockReader, options: OpenFileSystemOptions = {}): Promise<FileSystem> {
  const { volume, info } = await openFatVolume(reader, options);
  return new FatFileSystem(volume, info);
}

class FatFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root = ROOT;
  readonly #volume: FatVolume;

  constructor(volume: FatVolume, info: FileSystemInfo) {
    this.#volume = volume;
    this.info = info;
  }

  async stat(id: NodeId, options: ReadOptions = {}): Promise<FileStat> {
    const node = await this.#node(id, options);
    // entries of directories have no size
    if (node === null || isDirectory(node)) return dosStat(id, node, { sizeBytes: 0, allocatedBytes: null });
    const { clusterBytes } = this.#volume.geometry;
    return dosStat(id, node, { sizeBytes: node.sizeBytes, allocatedBytes: allocatedBytesOf(node, clusterBytes) });
  }

  async *readDirectory(id: NodeId, options: ReadOptions = {}): AsyncIterable<DirectoryEntry> {
    for await (const entry of this.#entries(id, options)) {
      options.signal?.throwIfAborted();
      const attributes = entry.bytes[11] as number;
      if ((attributes & ATTRIBUTE.label) !== 0 || isDotEntry(entry)) continue;
      const { name } = entry;
      const isFolder = (attributes & ATTRIBUTE.directory) !== 0;
      yield {
        name,
        id: `fat:${entry.offset}` as NodeId,
        kind: isFolder ? "directory" : "file",
        ...forbiddenMark(name),
      };
    }
  }

  async lookup(directory: NodeId, name: Uint8Array, options: ReadOptions = {}): Promise<DirectoryEntry | null> {
    return await findEntry(this.readDirectory(directory, options), name, defaultUpcaseTable());
  }

  async read(file: NodeId, buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<number> {
    const node = await this.#file(file, options);
    const wanted = buffer.subarray(0, Math.max(0, node.sizeBytes - offset));
    if (wanted.length === 0) return 0;
    const chain = this.#volume.space.chain(node.firstCluster);
    await this.#volume.space.read(chain, wanted, offset, `file at ${file}`, options);
    return wanted.length;
  }

  async *dataRanges(file: NodeId, options: ReadOptions = {}): AsyncIterable<DataRange> {
    const { sizeBytes } = await this.#file(file, options);
    if (sizeBytes > 0) yield { offset: 0, length: sizeBytes };
  }

  async *extents(file: NodeId, options: ReadOptions = {}): AsyncIterable<FileExtent> {
    const { sizeBytes, firstCluster } = await this.#file(file, options);
    if (sizeBytes === 0) return;
    const { space } = this.#volume;
    yield* space.extents(space.chain(firstCluster), sizeBytes, `file at ${file}`, options);
  }

  async readLink(id: NodeId): Promise<Uint8Array> {
    throw wrongKind(id, "a symbolic link");
  }

  async attributes(id: NodeId, options: ReadOptions = {}): Promise<NamedBytes[]> {
    return shownAttributes((await this.#node(id, options))?.attributes ?? 0);
  }

  #entries(id: NodeId, options: ReadOptions): AsyncIterable<RawEntry> {
    return rawEntries(id === ROOT ? rootPieces(this.#volume, options) : this.#pieces(id, options));
  }

  async *#pieces(id: NodeId, options: ReadOptions): AsyncIterable<PlacedBytes> {
    const node = await this.#node(id, options);
    if (node === null || !isDirectory(node)) throw wrongKind(id, "a directory");
    const { space } = this.#volume;
    yield* space.pieces(space.chain(node.firstCluster), MAX_DIRECTORY_BYTES, `directory at ${id}`, options);
  }

  async #file(id: NodeId, options: ReadOptions): Promise<FatNode> {
    const node = requireDosFile(await this.#node(id, options), id);
    if (node.sizeBytes > 0 && node.firstCluster === 0) {
      throw damaged(this.#volume.geometry.kind, `file at ${id}`, "has a size and no clusters", { ...node });
    }
    return node;
  }

  /** Null: the root, which has no entry. */
  async #node(id: NodeId, options: ReadOptions): Promise<FatNode | null> {
    if (id === ROOT) return null;
    const offset = Number(/^fat:(\d{1,16})$/.exec(id)?.[1] ?? Number.NaN);
    if (Number.isNaN(offset)) throw fileNotFound(id);
    const { reader, geometry } = this.#volume;
    const origin = { type: geometry.kind, where: "directory entry" };
    return decodeNode(await readRange(reader, offset, ENTRY_BYTES, origin, options), geometry.kind);
  }
}

function isDotEntry({ bytes }: RawEntry): boolean {
  const [first, second, third] = bytes;
  return first === 0x2e && (second === 0x20 || (second === 0x2e && third === 0x20));
}
