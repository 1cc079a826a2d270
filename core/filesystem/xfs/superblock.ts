// The superblock: geometry, features, counters. Follows "XFS Algorithms & Data Structures", chapter Superblocks. Everything
// that a later calculation relies on is checked here.

import { crc32c } from "../../hash/crc32c.js";
import { sameBytes } from "../entryName.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { uint64At, viewOf } from "./bigEndian.js";
import { decodeFeatures, type XfsFeatures } from "./features.js";

export const SUPERBLOCK_BYTES = 512;
/** "XFSB" */
export const SUPERBLOCK_MAGIC = 0x58465342;
const CRC_AT = 224;

export interface XfsSuperblock {
  features: XfsFeatures;
  blockBytes: number;
  blockCount: number;
  sectorBytes: number;
  inodeBytes: number;
  inodesPerBlockLog: number;
  agBlocks: number;
  /** Bits of a block number inside its allocation group. */
  agBlockLog: number;
  agCount: number;
  /** Of a directory block: a power of two times the block. */
  directoryBlockBytes: number;
  rootInode: number;
  /** Block address as in extents; 0: the log is on another device. */
  logStart: number;
  logBlocks: number;
  /** Blocks on the real-time device. */
  realtimeBlocks: number;
  freeBlocks: number;
  /** Cycle and 512-byte block of the log record that wrote this superblock; zeros when unknown. */
  lastLogWrite: { cycle: number; block: number };
  label: string;
  uuid: Uint8Array;
  /** What metadata of version 5 bear. */
  metaUuid: Uint8Array;
}

/** `bytes`: the first sector, at least SUPERBLOCK_BYTES. The checksum covers a whole sector: see checkSuperblock. */
export function decodeSuperblock(bytes: Uint8Array): XfsSuperblock {
  const view = viewOf(bytes);
  if (view.getUint32(0) !== SUPERBLOCK_MAGIC) throw damagedSuperblock("has no magic number");
  if (view.getUint8(126) !== 0) throw damagedSuperblock("mkfs never finished");
  const features = decodeFeatures({
    versionNumber: view.getUint16(100),
    features2: view.getUint32(200),
    badFeatures2: view.getUint32(204),
    incompatible: view.getUint32(216),
  });
  const uuid = bytes.slice(32, 48);
  const superblock: XfsSuperblock = {
    features,
    ...decodeGeometry(view),
    rootInode: uint64At(view, 56),
    logStart: uint64At(view, 48),
    logBlocks: view.getUint32(96),
    realtimeBlocks: uint64At(view, 16),
    freeBlocks: uint64At(view, 144),
    lastLogWrite: features.version5
      ? { cycle: view.getUint32(240), block: view.getUint32(244) }
      : { cycle: 0, block: 0 },
    label: decodeLabel(bytes.subarray(108, 120)),
    uuid,
    metaUuid: features.metaUuid ? bytes.slice(248, 264) : uuid,
  };
  checkNumbers(superblock);
  return superblock;
}

type Geometry = Pick<
  XfsSuperblock,
  | "blockBytes"
  | "blockCount"
  | "sectorBytes"
  | "inodeBytes"
  | "inodesPerBlockLog"
  | "agBlocks"
  | "agBlockLog"
  | "agCount"
  | "directoryBlockBytes"
>;

function decodeGeometry(view: DataView): Geometry {
  const blockBytes = powerOfTwo("block size", view.getUint32(4), view.getUint8(120), 9, 16);
  const sectorBytes = powerOfTwo("sector size", view.getUint16(102), view.getUint8(121), 9, 15);
  const inodeBytes = powerOfTwo("inode size", view.getUint16(104), view.getUint8(122), 8, 11);
  const inodesPerBlockLog = view.getUint8(123);
  if (inodeBytes * 2 ** inodesPerBlockLog !== blockBytes) throw damagedSuperblock("inodes do not fill a block");
  const directoryBlockBytes = blockBytes * 2 ** view.getUint8(192);
  if (directoryBlockBytes > 1 << 16) throw damagedSuperblock("directory blocks are larger than 64 KiB");
  if (sectorBytes > blockBytes) throw damagedSuperblock("a sector is larger than a block");
  return {
    blockBytes,
    sectorBytes,
    inodeBytes,
    inodesPerBlockLog,
    directoryBlockBytes,
    blockCount: uint64At(view, 8),
    agBlocks: view.getUint32(84),
    agBlockLog: view.getUint8(124),
    agCount: view.getUint32(88),
  };
}

function powerOfTwo(name: string, value: number, log: number, minimumLog: number, maximumLog: number): number {
  if (log < minimumLog || log > maximumLog || value !== 2 ** log) {
    throw damagedSuperblock(`${name} ${value} with logarithm ${log}`);
  }
  return value;
}

function checkNumbers(superblock: XfsSuperblock): void {
  const { agBlocks, agBlockLog, agCount, blockCount, blockBytes, inodesPerBlockLog } = superblock;
  // 64 blocks: XFS_MIN_AG_BLOCKS
  if (agBlocks < 64 || agBlocks > 2 ** agBlockLog || agBlocks <= 2 ** (agBlockLog - 1)) {
    throw damagedSuperblock(`allocation groups of ${agBlocks} blocks with logarithm ${agBlockLog}`);
  }
  if (agCount < 1 || blockCount > agCount * agBlocks || blockCount <= (agCount - 1) * agBlocks) {
    throw damagedSuperblock(`${agCount} allocation groups do not hold ${blockCount} blocks`);
  }
  if (superblock.freeBlocks > blockCount) throw damagedSuperblock("more free blocks than blocks");
  if (superblock.logBlocks > blockCount && superblock.logStart !== 0) {
    throw damagedSuperblock("the log is larger than the file system");
  }
  const largestInode = agCount * 2 ** (agBlockLog + inodesPerBlockLog);
  if (blockCount * blockBytes > Number.MAX_SAFE_INTEGER || largestInode > Number.MAX_SAFE_INTEGER) {
    throw unsupported("xfs", "more than 8 PiB");
  }
}

/** `sector`: the whole first sector. */
export function checkSuperblock(superblock: XfsSuperblock, sector: Uint8Array): void {
  if (superblock.features.version5 && !hasChecksum(sector, CRC_AT)) {
    throw damagedSuperblock("does not match its checksum");
  }
}

/** CRC-32C of all bytes with the four at `at` taken as zeros; stored little-endian, unlike everything else. */
export function hasChecksum(bytes: Uint8Array, at: number): boolean {
  let register = crc32c(bytes.subarray(0, at), 0xffff_ffff);
  register = crc32c(fourZeros, register);
  register = crc32c(bytes.subarray(at + 4), register);
  return (register ^ 0xffff_ffff) >>> 0 === viewOf(bytes).getUint32(at, true);
}

const fourZeros = new Uint8Array(4);

function decodeLabel(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** In the spelling of blkid; empty for zeros. */
export function formatUuid(uuid: Uint8Array): string {
  if (sameBytes(uuid, new Uint8Array(16))) return "";
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function damagedSuperblock(problem: string): Error {
  return damaged("xfs", "superblock", problem);
}
