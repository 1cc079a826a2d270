// One block of a directory, or the inline form of a small one: entries in a row. Blocks of the hash index look like blocks
// with nothing in them, so that listing needs no hashes.

import { INCOMPAT } from "./features.js";
import { FLAG, hasFlag, type Inode } from "./inode.js";
import { u16, u32 } from "./littleEndian.js";
import type { ExtVolume } from "./volume.js";

export interface RawEntry {
  inode: number;
  name: Uint8Array;
  /** As stored; 0 when the file system does not store it. */
  type: number;
}

const HEADER_BYTES = 8;
const SMALLEST_ENTRY = 12;
const TAIL_BYTES = 12;
const TAIL_TYPE = 0xde;
const INLINE_FIRST_BYTES = 60;
const PARENT_BYTES = 4;
const ROOT_INFO_OFFSET = 24;
const ROOT_COUNT_OFFSET = 32;
const NODE_COUNT_OFFSET = 8;
const INDEX_ENTRY_BYTES = 8;

/** Every used entry but `.` and `..`. `logical`: which block of the directory it is. */
export function decodeDirectoryBlock(
  volume: ExtVolume,
  directory: Inode,
  bytes: Uint8Array,
  logical: number,
): RawEntry[] {
  const where = `inode ${directory.number}, directory block ${logical}`;
  if (volume.superblock.hasMetadataChecksums) {
    const isIndex = isIndexBlock(directory, bytes, logical);
    const fits = isIndex ? indexChecksumFits(directory, volume, bytes) : leafChecksumFits(directory, volume, bytes);
    if (!fits) throw volume.damaged(where, "wrong checksum");
  }
  return decodeEntries(volume, bytes, where);
}

/** The two parts of an inline directory: what its inode holds in place of block pointers, and what its attributes hold. */
export function decodeInlineDirectory(volume: ExtVolume, directory: Inode, bytes: Uint8Array): RawEntry[] {
  const where = `inode ${directory.number}, inline directory`;
  const first = decodeEntries(volume, bytes.subarray(PARENT_BYTES, INLINE_FIRST_BYTES), where);
  return [...first, ...decodeEntries(volume, bytes.subarray(INLINE_FIRST_BYTES), where)];
}

function decodeEntries(volume: ExtVolume, bytes: Uint8Array, where: string): RawEntry[] {
  const { incompat, inodeCount } = volume.superblock;
  const hasTypes = (incompat & INCOMPAT.filetype) !== 0;
  const entries: RawEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) throw volume.damaged(where, `half an entry at byte ${at}`);
    const length = entryLength(u16(bytes, at + 4), bytes.length);
    const nameBytes = hasTypes ? (bytes[at + 6] as number) : u16(bytes, at + 6);
    if (
      length < SMALLEST_ENTRY ||
      length % 4 !== 0 ||
      at + length > bytes.length ||
      HEADER_BYTES + nameBytes > length
    ) {
      throw volume.damaged(where, `an entry of ${length} bytes with a name of ${nameBytes} at byte ${at}`);
    }
    const inode = u32(bytes, at);
    const name = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + nameBytes);
    if (inode > inodeCount) throw volume.damaged(where, `an entry for inode ${inode}`);
    if (inode !== 0 && !isSelfOrParent(name)) {
      entries.push({ inode, name, type: hasTypes ? (bytes[at + 7] as number) : 0 });
    }
    at += length;
  }
  return entries;
}

/** Blocks of 64 KiB need a trick: their length does not fit into 16 bits. */
function entryLength(stored: number, blockBytes: number): number {
  if (blockBytes < 65536) return stored;
  if (stored === 65535 || stored === 0) return blockBytes;
  return (stored & 65532) | ((stored & 3) << 16);
}

function isSelfOrParent(name: Uint8Array): boolean {
  return (name.length === 1 && name[0] === 0x2e) || (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e);
}

function isIndexBlock(directory: Inode, bytes: Uint8Array, logical: number): boolean {
  if (!hasFlag(directory, FLAG.index)) return false;
  return logical === 0 || entryLength(u16(bytes, 4), bytes.length) === bytes.length;
}

function leafChecksumFits(directory: Inode, volume: ExtVolume, bytes: Uint8Array): boolean {
  const tail = bytes.length - TAIL_BYTES;
  const isTail = u32(bytes, tail) === 0 && u16(bytes, tail + 4) === TAIL_BYTES && bytes[tail + 7] === TAIL_TYPE;
  if (!isTail) return false;
  return volume.checksum([bytes.subarray(0, tail)], directory.checksumSeed) === u32(bytes, tail + 8);
}

function indexChecksumFits(directory: Inode, volume: ExtVolume, bytes: Uint8Array): boolean {
  const isNode = entryLength(u16(bytes, 4), bytes.length) === bytes.length;
  if (!isNode && (u32(bytes, ROOT_INFO_OFFSET) !== 0 || bytes[ROOT_INFO_OFFSET + 5] !== 8)) return false;
  const start = isNode ? NODE_COUNT_OFFSET : ROOT_COUNT_OFFSET;
  const limit = u16(bytes, start);
  const count = u16(bytes, start + 2);
  const tail = start + limit * INDEX_ENTRY_BYTES;
  if (count > limit || tail + 8 > bytes.length) return false;
  const parts = [
    bytes.subarray(0, start + count * INDEX_ENTRY_BYTES),
    bytes.subarray(tail, tail + 4),
    new Uint8Array(4),
  ];
  return volume.checksum(parts, directory.checksumSeed) === u32(bytes, tail + 4);
}
