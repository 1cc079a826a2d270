// XFS, versions 4 and 5, read-only. What is read and what is refused: docs/filesystems/xfs.md. The log is not replayed.

import { isOurError } from "../../errors.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { FileSystem, FileSystemInfo, OpenFileSystemOptions } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";
import { countFreeBlocks } from "./freeSpace.js";
import { inspectLog, type LogState } from "./log.js";
import { checkSuperblock, decodeSuperblock, formatUuid, SUPERBLOCK_BYTES, type XfsSuperblock } from "./superblock.js";
import { XfsVolume } from "./volume.js";
import { XfsFileSystem } from "./xfsFileSystem.js";

/**
 * Reads few bytes at a time: give it a CachedReader. Throws FILESYSTEM_DAMAGED when superblock or root are broken,
 * FILESYSTEM_UNSUPPORTED for features that would be read wrongly.
 */
export async function openXfs(reader: BlockReader, options: OpenFileSystemOptions = {}): Promise<FileSystem> {
  const superblock = await readSuperblock(reader, options);
  const volume = new XfsVolume(reader, superblock);
  if (volume.inodeOffset(superblock.rootInode) === null)
    throw damaged("xfs", "superblock", "has no place for the root");
  const log = await inspectLog(volume, options);
  const isClean = log.kind === "clean";
  const freeBlocks =
    isClean || !superblock.features.lazyCounters ? superblock.freeBlocks : await countedOrUnknown(volume, options);
  const info: FileSystemInfo = {
    type: "xfs",
    label: superblock.label,
    uuid: formatUuid(superblock.uuid),
    sizeBytes: superblock.blockCount * superblock.blockBytes,
    usedBytes: freeBlocks === null ? null : (superblock.blockCount - freeBlocks) * superblock.blockBytes,
    blockBytes: superblock.blockBytes,
    remarks: remarksOf(volume, log),
  };
  const fileSystem = new XfsFileSystem(volume, info, isClean);
  const root = await fileSystem.stat(fileSystem.root, options);
  if (root.kind !== "directory") throw damaged("xfs", "root", "is not a directory");
  return fileSystem;
}

async function readSuperblock(reader: BlockReader, options: ReadOptions): Promise<XfsSuperblock> {
  const origin = { type: "xfs", where: "superblock" };
  const superblock = decodeSuperblock(await readRange(reader, 0, SUPERBLOCK_BYTES, origin, options));
  checkSuperblock(superblock, await readRange(reader, 0, superblock.sectorBytes, origin, options));
  return superblock;
}

/** A number for people: damage of a group is no reason not to read files. */
async function countedOrUnknown(volume: XfsVolume, options: ReadOptions): Promise<number | null> {
  try {
    return await countFreeBlocks(volume, options);
  } catch (error) {
    if (isOurError(error, "FILESYSTEM_DAMAGED")) return null;
    throw error;
  }
}

function remarksOf({ superblock, reader }: XfsVolume, log: LogState): string[] {
  const remarks: string[] = [];
  if (log.kind === "pending") {
    const size = log.bytes === null ? "" : ` (${Math.ceil(log.bytes / 1024)} KiB)`;
    remarks.push(`log not empty${size}: recent changes may be missing`);
  } else if (log.kind === "elsewhere") {
    remarks.push("log on another device: recent changes may be missing");
  } else if (log.kind === "unreadable") {
    remarks.push("log not readable: recent changes may be missing");
  }
  if (superblock.features.needsRepair) remarks.push("marked as needing xfs_repair");
  if (superblock.realtimeBlocks > 0) remarks.push("has a real-time device, whose files cannot be read");
  if (superblock.blockCount * superblock.blockBytes > reader.sizeBytes) {
    remarks.push("the device is smaller than the file system");
  }
  return remarks;
}
