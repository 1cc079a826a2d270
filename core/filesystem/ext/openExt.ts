// Opens an ext2, ext3 or ext4 file system: superblock, what its journal has not written in place yet, root. What is read
// and what is refused: docs/filesystems/ext.md.

import { isOurError } from "../../errors.js";
import type { BlockReader } from "../blockReader.js";
import type { FileSystem, FileSystemInfo, OpenFileSystemOptions } from "../fileSystem.js";
import { ExtFileSystem } from "./extFileSystem.js";
import { COMPAT, INCOMPAT } from "./features.js";
import { FileContents } from "./fileContents.js";
import { GroupTable } from "./groups.js";
import { InodeTable } from "./inodeTable.js";
import { type Journal, openJournal } from "./journal.js";
import { openSuperblock } from "./openSuperblock.js";
import { decodeSuperblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, type Superblock } from "./superblock.js";
import { ExtVolume } from "./volume.js";

/**
 * `reader` is best a CachedReader: nothing is cached here but what has been decoded. FILESYSTEM_DAMAGED when there is no
 * usable superblock, FILESYSTEM_UNSUPPORTED for a feature that cannot be read.
 */
export async function openExt(reader: BlockReader, options: OpenFileSystemOptions = {}): Promise<FileSystem> {
  const { superblock: found, firstIsDamaged } = await openSuperblock(reader, options);
  const remarks: string[] = [];
  const remark = (text: string) => remarks.push(text);
  if (firstIsDamaged !== null) remark(`a copy of the superblock is used, the first one is damaged (${firstIsDamaged})`);
  if (found.blockCount * found.blockBytes > reader.sizeBytes) remark("the device ends before the file system does");
  const journal = await recover(reader, found, firstIsDamaged !== null, remark, options);
  const superblock = firstIsDamaged === null ? await newestSuperblock(reader, found, journal, options) : found;
  const hasJournal = (superblock.compat & COMPAT.hasJournal) !== 0;
  if (!hasJournal && !superblock.isClean)
    remark("not unmounted cleanly, and without a journal: it may be inconsistent");
  if (superblock.hasErrors) remark("the system that it came from found errors in it that were not repaired");
  const volume = new ExtVolume(reader, superblock, journal);
  const inodes = new InodeTable(volume, new GroupTable(volume, remark));
  const fileSystem = new ExtFileSystem(infoOf(superblock, remarks), volume, inodes);
  const root = await fileSystem.stat(fileSystem.root, options);
  if (root.kind !== "directory" && root.kind !== "special")
    throw volume.damaged("inode 2", "the root is not a directory");
  return fileSystem;
}

/** Null when there is nothing to recover. Copies of the superblock do not know, so then the journal itself is asked. */
async function recover(
  reader: BlockReader,
  superblock: Superblock,
  isCopy: boolean,
  remark: (text: string) => void,
  options: OpenFileSystemOptions,
): Promise<Journal | null> {
  const hasJournal = (superblock.compat & COMPAT.hasJournal) !== 0;
  const isNeeded = (superblock.incompat & INCOMPAT.recover) !== 0;
  if (!hasJournal || !(isNeeded || isCopy)) return null;
  if (superblock.journalInode === 0) {
    if (isNeeded) remark("not unmounted cleanly, and its journal is on another device: last changes may be missing");
    return null;
  }
  const volume = new ExtVolume(reader, superblock);
  const inodes = new InodeTable(volume, new GroupTable(volume, remark));
  try {
    const inode = await inodes.read(superblock.journalInode, options);
    const journal = await openJournal(volume, new FileContents(volume), inode, options);
    describe(journal, remark);
    return journal;
  } catch (error) {
    if (!isOurError(error, "FILESYSTEM_DAMAGED")) throw error;
    remark(`not unmounted cleanly, and its journal cannot be followed: last changes may be missing (${error.message})`);
    return null;
  }
}

function describe(journal: Journal, remark: (text: string) => void): void {
  const { transactionCount, size } = journal;
  if (transactionCount > 0) remark(`journal replayed: ${size} blocks of ${transactionCount} transactions`);
  if (journal.endsWithFastCommits) {
    remark("fast commits after the last transaction are not replayed: the last seconds may be missing");
  }
}

/** The superblock is a block like others: the journal may hold a newer one. */
async function newestSuperblock(
  reader: BlockReader,
  superblock: Superblock,
  journal: Journal | null,
  options: OpenFileSystemOptions,
): Promise<Superblock> {
  const volume = new ExtVolume(reader, superblock, journal);
  return decodeSuperblock(await volume.readBytes(SUPERBLOCK_OFFSET, SUPERBLOCK_BYTES, "superblock", options));
}

function infoOf(superblock: Superblock, remarks: readonly string[]): FileSystemInfo {
  const { type, label, uuid, blockBytes, blockCount, freeBlocks } = superblock;
  return {
    type,
    label,
    uuid: uuidText(uuid),
    sizeBytes: blockCount * blockBytes,
    usedBytes: Math.max(0, blockCount - freeBlocks) * blockBytes,
    blockBytes,
    remarks,
  };
}

function uuidText(uuid: Uint8Array): string {
  if (uuid.every((byte) => byte === 0)) return "";
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
