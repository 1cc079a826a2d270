// btrfs, read-only. What is read and what is refused: docs/filesystems/btrfs.md. The log tree is not replayed.

import { loadChecksum } from "../../hash/checksum.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { FileSystem, FileSystemInfo, OpenFileSystemOptions } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { BtrfsFileSystem } from "./btrfsFileSystem.js";
import { type Chunk, damagedChunk, decodeChunk } from "./chunkMap.js";
import { DataReader } from "./dataReader.js";
import { type Devices, findDevices } from "./devices.js";
import { FIRST_CHUNK_TREE, KEY_BYTES, keyAt, TREE, TYPE } from "./key.js";
import { formatUuid, viewOf } from "./littleEndian.js";
import { Subvolumes } from "./subvolumes.js";
import type { BtrfsSuperblock, FoundSuperblock } from "./superblock.js";
import { Tree } from "./tree.js";
import { BtrfsVolume } from "./volume.js";

/**
 * Reads few bytes at a time: give it a CachedReader, and such companions. Throws FILESYSTEM_DAMAGED when superblock, chunks or root
 * are broken, FILESYSTEM_UNSUPPORTED for features that would be read wrongly and for devices that are missing.
 */
export async function openBtrfs(reader: BlockReader, options: OpenFileSystemOptions = {}): Promise<FileSystem> {
  await loadChecksum();
  const devices = await findDevices(reader, options.companions ?? [], options);
  const found = devices.newest();
  const { superblock } = found;
  const volume = new BtrfsVolume(devices, superblock);
  await addChunks(volume, options);
  const subvolumes = new Subvolumes(volume);
  const info: FileSystemInfo = {
    type: "btrfs",
    label: superblock.label,
    uuid: formatUuid(superblock.uuid),
    sizeBytes: superblock.totalBytes,
    usedBytes: superblock.usedBytes,
    blockBytes: superblock.sectorBytes,
    remarks: [...remarksOf(found, devices), ...(await defaultSubvolume(subvolumes, options))],
  };
  const data = new DataReader(volume, await subvolumes.tree(TREE.checksums, options));
  const fileSystem = new BtrfsFileSystem(reader, volume, subvolumes, data, info);
  const root = await fileSystem.stat(fileSystem.root, options);
  if (root.kind !== "directory") throw damaged("btrfs", "root", "is not a directory");
  return fileSystem;
}

/** First those of the superblock, in which the chunk tree itself lies, then all. */
async function addChunks(volume: BtrfsVolume, options: ReadOptions): Promise<void> {
  const { superblock, chunks } = volume;
  for (const chunk of systemChunks(superblock)) chunks.add(chunk);
  const tree = new Tree(volume, superblock.chunkTree);
  const all: Chunk[] = [];
  for await (const { offset, data } of tree.of(FIRST_CHUNK_TREE, TYPE.chunk, 0, options)) {
    all.push(decodeChunk(data, offset, superblock.sectorBytes));
  }
  for (const chunk of all) chunks.add(chunk);
}

function* systemChunks({ systemChunks: bytes, sectorBytes }: BtrfsSuperblock): Generator<Chunk> {
  for (let at = 0; at < bytes.length; ) {
    if (at + KEY_BYTES > bytes.length) throw damagedChunk(0, "of the system is cut off");
    const key = keyAt(viewOf(bytes), at);
    if (key.type !== TYPE.chunk) throw damagedChunk(key.offset, `of the system is of type ${key.type}`);
    const chunk = decodeChunk(bytes.subarray(at + KEY_BYTES), key.offset, sectorBytes);
    yield chunk;
    at += KEY_BYTES + chunk.itemBytes;
  }
}

function remarksOf({ superblock, isFirst }: FoundSuperblock, devices: Devices): string[] {
  const remarks: string[] = [];
  if (superblock.hasLog) remarks.push("log tree not empty: recent fsynced changes may be missing");
  if (!isFirst) remarks.push("the first superblock is damaged or old: a later copy was used");
  const missing = superblock.deviceCount - devices.count;
  if (missing > 0) remarks.push(`${missing} of ${superblock.deviceCount} devices missing: not all can be read`);
  if (devices.staleCount > 0) remarks.push(`${devices.staleCount} of its devices older than the others`);
  if (devices.shortened > 0) remarks.push("a device is smaller than the file system expects");
  return remarks;
}

/** The root shown here is the top level, from which everything can be reached; whoever mounts it sees another one. */
async function defaultSubvolume(subvolumes: Subvolumes, options: ReadOptions): Promise<string[]> {
  const id = await subvolumes.defaultId(options);
  if (id === null || id === TREE.topLevel) return [];
  const path = await subvolumes.pathOf(id, options);
  return [`mounted by default: ${path ?? `subvolume ${id}`}`];
}
