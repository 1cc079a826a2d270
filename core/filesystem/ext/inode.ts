// One inode: decoded, checked, its checksum verified. Layout: Linux documentation, filesystems/ext4, "Index Nodes".

import { INCOMPAT, RO_COMPAT } from "./features.js";
import { fromHalves, le32Bytes, u16, u32 } from "./littleEndian.js";
import type { ExtVolume } from "./volume.js";

export const MODE_KIND = 0o170000;
export const KIND = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  directory: 0o040000,
  blockDevice: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

export const FLAG = {
  encrypt: 0x800,
  index: 0x1000,
  hugeFile: 0x4_0000,
  extents: 0x8_0000,
  eaInode: 0x20_0000,
  inlineData: 0x1000_0000,
  casefold: 0x4000_0000,
} as const;

const OLD_BYTES = 128;
const I_BLOCK_OFFSET = 0x28;
const I_BLOCK_BYTES = 60;
/** Up to which byte i_extra_isize has to reach for a field to be there. */
const CHECKSUM_HIGH_END = 0x84;
const MAX_BLOCKS = 2 ** 32;

export interface Inode {
  number: number;
  mode: number;
  flags: number;
  sizeBytes: number;
  uid: number;
  gid: number;
  linkCount: number;
  generation: number;
  allocatedBytes: number;
  attributeBlock: number;
  modifiedAtNs: bigint | null;
  accessedAtNs: bigint | null;
  changedAtNs: bigint | null;
  createdAtNs: bigint | null;
  /** Block pointers, the root of an extent tree, inline data, the target of a short link, or a device number. */
  iBlock: Uint8Array;
  /** Attributes stored behind the fields; empty when there is no room for any. */
  attributeArea: Uint8Array;
  /** What the checksums of its blocks start from. */
  checksumSeed: number;
  /** Seconds as stored: attribute inodes keep other things there. */
  rawTimes: { accessed: number; changed: number; modified: number };
}

export function kindOf(inode: Inode): number {
  return inode.mode & MODE_KIND;
}

export function hasFlag(inode: Inode, flag: number): boolean {
  return (inode.flags & flag) !== 0;
}

/** `bytes`: all of it, as long as the superblock says; kept. FILESYSTEM_DAMAGED for a free one too. */
export function decodeInode(volume: ExtVolume, number: number, bytes: Uint8Array): Inode {
  const where = `inode ${number}`;
  const mode = u16(bytes, 0x00);
  if (mode === 0 && u16(bytes, 0x1a) === 0) throw volume.damaged(where, "is used, but free");
  const extraEnd = OLD_BYTES + (bytes.length > OLD_BYTES ? u16(bytes, 0x80) : 0);
  if (extraEnd > bytes.length || extraEnd % 4 !== 0) throw volume.damaged(where, "more fields than it has room for");
  const generation = u32(bytes, 0x64);
  const checksumSeed = volume.checksum([le32Bytes(number), le32Bytes(generation)]);
  if (volume.superblock.hasMetadataChecksums && !checksumFits(volume, bytes, extraEnd, checksumSeed)) {
    throw volume.damaged(where, "wrong checksum");
  }
  const inode: Inode = {
    number,
    mode,
    flags: u32(bytes, 0x20),
    sizeBytes: sizeOf(volume, mode, bytes),
    uid: u16(bytes, 0x02) + u16(bytes, 0x78) * 2 ** 16,
    gid: u16(bytes, 0x18) + u16(bytes, 0x7a) * 2 ** 16,
    linkCount: u16(bytes, 0x1a),
    generation,
    allocatedBytes: allocatedBytesOf(volume, bytes),
    attributeBlock: fromHalves(hasIncompat(volume, INCOMPAT.is64bit) ? u16(bytes, 0x76) : 0, u32(bytes, 0x68)),
    ...timesOf(bytes, extraEnd),
    iBlock: bytes.subarray(I_BLOCK_OFFSET, I_BLOCK_OFFSET + I_BLOCK_BYTES),
    attributeArea: extraEnd > OLD_BYTES ? bytes.subarray(extraEnd) : new Uint8Array(0),
    checksumSeed,
    rawTimes: { accessed: u32(bytes, 0x08), changed: u32(bytes, 0x0c), modified: u32(bytes, 0x10) },
  };
  if (inode.sizeBytes > MAX_BLOCKS * volume.superblock.blockBytes) {
    throw volume.damaged(where, `a size of ${inode.sizeBytes} bytes`);
  }
  return inode;
}

function hasIncompat(volume: ExtVolume, feature: number): boolean {
  return (volume.superblock.incompat & feature) !== 0;
}

function checksumFits(volume: ExtVolume, bytes: Uint8Array, extraEnd: number, seed: number): boolean {
  const hasHigh = extraEnd >= CHECKSUM_HIGH_END;
  const stored = u16(bytes, 0x7c) + (hasHigh ? u16(bytes, 0x82) * 2 ** 16 : 0);
  // as zeros; nobody wants these fields later
  bytes.fill(0, 0x7c, 0x7e);
  if (hasHigh) bytes.fill(0, 0x82, 0x84);
  const actual = volume.checksum([bytes], seed);
  return (hasHigh ? actual : actual & 0xffff) === stored;
}

function sizeOf(volume: ExtVolume, mode: number, bytes: Uint8Array): number {
  const kind = mode & MODE_KIND;
  const isWide = kind === KIND.file || (kind === KIND.directory && hasIncompat(volume, INCOMPAT.largeDir));
  return fromHalves(isWide ? u32(bytes, 0x6c) : 0, u32(bytes, 0x04));
}

function allocatedBytesOf(volume: ExtVolume, bytes: Uint8Array): number {
  const low = u32(bytes, 0x1c);
  if ((volume.superblock.roCompat & RO_COMPAT.hugeFile) === 0) return low * 512;
  const blocks = fromHalves(u16(bytes, 0x74), low);
  return blocks * ((u32(bytes, 0x20) & FLAG.hugeFile) !== 0 ? volume.superblock.blockBytes : 512);
}

function timesOf(bytes: Uint8Array, extraEnd: number) {
  const extra = (at: number) => (at + 4 <= extraEnd ? u32(bytes, at) : 0);
  return {
    modifiedAtNs: timeOf(u32(bytes, 0x10), extra(0x88)),
    accessedAtNs: timeOf(u32(bytes, 0x08), extra(0x8c)),
    changedAtNs: timeOf(u32(bytes, 0x0c), extra(0x84)),
    createdAtNs: 0x98 <= extraEnd ? timeOf(u32(bytes, 0x90), extra(0x94)) : null,
  };
}

/** Seconds are signed 32 bits with two more above them; nanoseconds take the other 30 bits of the extra field. */
function timeOf(seconds: number, extra: number): bigint | null {
  const nanoseconds = extra >>> 2;
  if (nanoseconds >= 1e9) return null;
  return BigInt((seconds | 0) + (extra & 3) * 2 ** 32) * 1_000_000_000n + BigInt(nanoseconds);
}
