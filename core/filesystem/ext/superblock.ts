// The superblock of ext2, ext3 and ext4: geometry and features. Everything that others divide by, shift by or allocate from
// is checked here. Layout: Linux documentation, filesystems/ext4, "Super Block".

import { crc32c } from "../../hash/crc32c.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { INCOMPAT, RO_COMPAT, typeFromFeatures, unreadableFeatures } from "./features.js";
import { fromHalves, u16, u32 } from "./littleEndian.js";

export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_BYTES = 1024;

const MAGIC = 0xef53;
const CHECKSUM_OFFSET = 0x3fc;
const CHECKSUM_CRC32C = 1;
const REVISION_WITH_SIZES = 1;
const OLD_INODE_BYTES = 128;
const OLD_FIRST_INODE = 11;
const MAX_BLOCK_SHIFT = 6;
const FLAG_UNSIGNED_HASH = 2;
const STATE_CLEAN = 1;
const STATE_ERRORS = 2;

export interface Superblock {
  type: "ext2" | "ext3" | "ext4";
  compat: number;
  incompat: number;
  roCompat: number;
  blockBytes: number;
  clusterBytes: number;
  blockCount: number;
  freeBlocks: number;
  inodeCount: number;
  firstDataBlock: number;
  blocksPerGroup: number;
  inodesPerGroup: number;
  groupCount: number;
  inodeBytes: number;
  /** The first inode number that is not reserved. */
  firstInode: number;
  descriptorBytes: number;
  /** The first descriptor block that lies in its own groups (meta_bg). */
  firstMetaBlock: number;
  /** Groups with a copy of the superblock, with sparse_super2. */
  backupGroups: readonly [number, number];
  uuid: Uint8Array;
  label: string;
  journalInode: number;
  /** 16 bytes that the hashes of names start from. */
  hashSeed: Uint8Array;
  hasUnsignedHashes: boolean;
  /** Unmounted, or never mounted for writing; says nothing where there is a journal. */
  isClean: boolean;
  /** The kernel met damage and nobody has repaired it. */
  hasErrors: boolean;
  /** Which copy this is: the number of its group. */
  ownGroup: number;
  /** What every checksum of this file system starts from. */
  checksumSeed: number;
  hasMetadataChecksums: boolean;
}

/** FILESYSTEM_DAMAGED, or FILESYSTEM_UNSUPPORTED for a feature that cannot be read. */
export function decodeSuperblock(bytes: Uint8Array): Superblock {
  if (u16(bytes, 0x38) !== MAGIC) throw broken("wrong magic");
  const features = { compat: u32(bytes, 0x5c), incompat: u32(bytes, 0x60), roCompat: u32(bytes, 0x64) };
  if (u32(bytes, 0x4c) < REVISION_WITH_SIZES) Object.assign(features, { compat: 0, incompat: 0, roCompat: 0 });
  const { compat, incompat, roCompat } = features;
  const type = typeFromFeatures(compat, incompat, roCompat);
  const hasMetadataChecksums = (roCompat & RO_COMPAT.metadataCsum) !== 0;
  if (hasMetadataChecksums) verifyChecksum(bytes);
  const [unreadable] = unreadableFeatures(incompat);
  if (unreadable !== undefined) throw unsupported(type, unreadable);
  const superblock = {
    type,
    ...features,
    ...decodeGeometry(bytes, incompat, roCompat),
    ...decodeInodeSizes(bytes),
    backupGroups: [u32(bytes, 0x24c), u32(bytes, 0x250)] as const,
    firstMetaBlock: u32(bytes, 0x104),
    uuid: bytes.slice(0x68, 0x78),
    label: textUntilNul(bytes.subarray(0x78, 0x88)),
    journalInode: u32(bytes, 0xe0),
    hashSeed: bytes.slice(0xec, 0xfc),
    hasUnsignedHashes: (u32(bytes, 0x160) & FLAG_UNSIGNED_HASH) !== 0,
    isClean: (u16(bytes, 0x3a) & STATE_CLEAN) !== 0,
    hasErrors: (u16(bytes, 0x3a) & STATE_ERRORS) !== 0,
    ownGroup: u16(bytes, 0x5a),
    checksumSeed: seedOf(bytes, incompat),
    hasMetadataChecksums,
  };
  checkInodes(superblock);
  return superblock;
}

function verifyChecksum(bytes: Uint8Array): void {
  const kind = bytes[0x175] as number;
  if (kind !== CHECKSUM_CRC32C) throw unsupported("ext4", `checksum algorithm ${kind}`);
  if (crc32c(bytes.subarray(0, CHECKSUM_OFFSET), 0xffff_ffff) !== u32(bytes, CHECKSUM_OFFSET)) {
    throw broken("wrong checksum");
  }
}

function seedOf(bytes: Uint8Array, incompat: number): number {
  if ((incompat & INCOMPAT.csumSeed) !== 0) return u32(bytes, 0x270);
  return crc32c(bytes.subarray(0x68, 0x78), 0xffff_ffff);
}

function decodeGeometry(bytes: Uint8Array, incompat: number, roCompat: number) {
  const blockShift = u32(bytes, 0x18);
  const hasClusters = (roCompat & RO_COMPAT.bigalloc) !== 0;
  const clusterShift = hasClusters ? u32(bytes, 0x1c) : blockShift;
  if (blockShift > MAX_BLOCK_SHIFT) throw broken(`block size 1024 << ${blockShift}`);
  if (clusterShift < blockShift || clusterShift > 20) throw broken(`cluster size 1024 << ${clusterShift}`);
  const blockBytes = 1024 << blockShift;
  const is64bit = (incompat & INCOMPAT.is64bit) !== 0;
  const blockCount = fromHalves(is64bit ? u32(bytes, 0x150) : 0, u32(bytes, 0x04));
  const freeBlocks = fromHalves(is64bit ? u32(bytes, 0x158) : 0, u32(bytes, 0x0c));
  const firstDataBlock = u32(bytes, 0x14);
  const blocksPerGroup = u32(bytes, 0x20);
  const descriptorBytes = is64bit ? u16(bytes, 0xfe) : 32;
  if (blockCount * blockBytes > Number.MAX_SAFE_INTEGER) throw broken(`${blockCount} blocks`);
  if (firstDataBlock > 1 || firstDataBlock >= blockCount) throw broken(`first data block ${firstDataBlock}`);
  const blocksPerCluster = 2 ** (clusterShift - blockShift);
  if (blocksPerGroup < 8 || blocksPerGroup > blockBytes * 8 * blocksPerCluster) {
    throw broken(`${blocksPerGroup} blocks a group`);
  }
  if (
    descriptorBytes < (is64bit ? 64 : 32) ||
    descriptorBytes > 1024 ||
    (descriptorBytes & (descriptorBytes - 1)) !== 0
  ) {
    throw broken(`group descriptors of ${descriptorBytes} bytes`);
  }
  const groupCount = Math.ceil((blockCount - firstDataBlock) / blocksPerGroup);
  const clusterBytes = blockBytes * blocksPerCluster;
  return {
    blockBytes,
    clusterBytes,
    blockCount,
    freeBlocks,
    firstDataBlock,
    blocksPerGroup,
    descriptorBytes,
    groupCount,
  };
}

function decodeInodeSizes(bytes: Uint8Array) {
  const inodeCount = u32(bytes, 0x00);
  const inodesPerGroup = u32(bytes, 0x28);
  if (u32(bytes, 0x4c) < REVISION_WITH_SIZES) {
    return { inodeCount, inodesPerGroup, inodeBytes: OLD_INODE_BYTES, firstInode: OLD_FIRST_INODE };
  }
  return { inodeCount, inodesPerGroup, inodeBytes: u16(bytes, 0x58), firstInode: u32(bytes, 0x54) };
}

function checkInodes(superblock: Superblock): void {
  const { inodeBytes, blockBytes, inodesPerGroup, inodeCount, groupCount, firstInode } = superblock;
  if (inodeBytes < OLD_INODE_BYTES || inodeBytes > blockBytes || (inodeBytes & (inodeBytes - 1)) !== 0) {
    throw broken(`inodes of ${inodeBytes} bytes`);
  }
  if (firstInode < OLD_FIRST_INODE) throw broken(`first inode ${firstInode}`);
  if (inodesPerGroup < 1 || inodesPerGroup > blockBytes * 8) throw broken(`${inodesPerGroup} inodes a group`);
  if (inodeCount !== inodesPerGroup * groupCount) {
    throw broken(`${inodeCount} inodes in ${groupCount} groups of ${inodesPerGroup}`);
  }
}

function textUntilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function broken(problem: string): Error {
  return damaged("ext", "superblock", problem);
}
