// exFAT, read-only. A file is named by the places of its first two directory entries: exFAT has no inodes.
// docs/filesystems/fat.md says how fields are read and what is refused.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { findEntry, forbiddenMark, type UpcaseTable } from "../entryName.js";
import { type ClusterMap, ContiguousClusters } from "../fat/clusterChain.js";
import { ATTRIBUTE, shownAttributes } from "../fat/dosAttributes.js";
import { allocatedBytesOf, dosStat, isDirectory, requireDosFile } from "../fat/dosNode.js";
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
import { fileNotFound, wrongKind } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";
import { decodeFileSet, ENTRY_BYTES, entrySets, MAX_DIRECTORY_BYTES, PRIMARY } from "./entrySet.js";
import { decodeNode, type ExfatNode } from "./node.js";
import { type ExfatVolume, openExfatVolume, readUpcaseTable } from "./openVolume.js";

const ROOT = "exfat:root" as NodeId;

/** Throws FILESYSTEM_DAMAGED when there is no exFAT file system. */
export async function openExfat(reader: BlockReader, options: OpenFileSystemOptions = {}): Promise<FileSystem> {
  const { volume, info } = await openExfatVolume(reader, options);
  return new ExfatFileSystem(volume, info);
}

class ExfatFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly root = ROOT;
  readonly #volume: ExfatVolume;
  #upcase: UpcaseTable | undefined;

  constructor(volume: ExfatVolume, info: FileSystemInfo) {
    this.#volume = volume;
    this.info = info;
  }

  async stat(id: NodeId, options: ReadOptions = {}): Promise<FileStat> {
    const node = await this.#node(id, options);
    const { clusterBytes } = this.#volume.geometry;
    const allocatedBytes = node === null ? null : allocatedBytesOf(node, clusterBytes);
    return dosStat(id, node, { sizeBytes: node?.sizeBytes ?? 0, allocatedBytes });
  }

  async *readDirectory(id: NodeId, options: ReadOptions = {}): AsyncIterable<DirectoryEntry> {
    const where = id === ROOT ? "root directory" : `directory at ${id}`;
    const { space } = this.#volume;
    const map = await this.#directoryMap(id, options);
    for await (const set of entrySets(space.pieces(map, MAX_DIRECTORY_BYTES, where, options), where)) {
      options.signal?.throwIfAborted();
      if (set[0]?.bytes[0] !== PRIMARY.file) continue;
      const { file, stream, name } = decodeFileSet(set, where);
      const isFolder = ((file.bytes[4] as number) & ATTRIBUTE.directory) !== 0;
      const entryId = `exfat:${file.offset}:${stream.offset}` as NodeId;
      yield { name, id: entryId, kind: isFolder ? "directory" : "file", ...forbiddenMark(name) };
    }
  }

  async lookup(directory: NodeId, name: Uint8Array, options: ReadOptions = {}): Promise<DirectoryEntry | null> {
    this.#upcase ??= await readUpcaseTable(this.#volume, options);
    return await findEntry(this.readDirectory(directory, options), name, this.#upcase);
  }

  async read(file: NodeId, buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<number> {
    const node = await this.#file(file, options);
    const wanted = buffer.subarray(0, Math.max(0, node.sizeBytes - offset));
    const stored = wanted.subarray(0, Math.max(0, node.validBytes - offset));
    if (stored.length > 0) {
      await this.#volume.space.read(this.#map(node), stored, offset, `file at ${file}`, options);
    }
    wanted.fill(0, stored.length);
    return wanted.length;
  }

  async *dataRanges(file: NodeId, options: ReadOptions = {}): AsyncIterable<DataRange> {
    const { validBytes } = await this.#file(file, options);
    if (validBytes > 0) yield { offset: 0, length: validBytes };
  }

  async *extents(file: NodeId, options: ReadOptions = {}): AsyncIterable<FileExtent> {
    const node = await this.#file(file, options);
    if (node.validBytes === 0) return;
    yield* this.#volume.space.extents(this.#map(node), node.validBytes, `file at ${file}`, options);
  }

  async readLink(id: NodeId): Promise<Uint8Array> {
    throw wrongKind(id, "a symbolic link");
  }

  async attributes(id: NodeId, options: ReadOptions = {}): Promise<NamedBytes[]> {
    return shownAttributes((await this.#node(id, options))?.attributes ?? 0);
  }

  #map(node: ExfatNode): ClusterMap {
    const { space, geometry } = this.#volume;
    if (!node.contiguous) return space.chain(node.firstCluster);
    return new ContiguousClusters(node.firstCluster, Math.ceil(node.sizeBytes / geometry.clusterBytes));
  }

  async #directoryMap(id: NodeId, options: ReadOptions): Promise<ClusterMap> {
    const node = await this.#node(id, options);
    if (node === null) return this.#volume.rootMap;
    if (!isDirectory(node)) throw wrongKind(id, "a directory");
    return node.sizeBytes === 0 ? new ContiguousClusters(0, 0) : this.#map(node);
  }

  async #file(id: NodeId, options: ReadOptions): Promise<ExfatNode> {
    return requireDosFile(await this.#node(id, options), id);
  }

  /** Null: the root, which has no entry. */
  async #node(id: NodeId, options: ReadOptions): Promise<ExfatNode | null> {
    if (id === ROOT) return null;
    const [, file, stream] = /^exfat:(\d{1,16}):(\d{1,16})$/.exec(id) ?? [];
    if (file === undefined || stream === undefined) throw fileNotFound(id);
    const { reader, geometry } = this.#volume;
    const origin = { type: "exfat", where: `file at ${id}` };
    const fileBytes = await readRange(reader, Number(file), ENTRY_BYTES, origin, options);
    const streamBytes = await readRange(reader, Number(stream), ENTRY_BYTES, origin, options);
    return decodeNode(fileBytes, streamBytes, geometry, origin.where);
  }
}
