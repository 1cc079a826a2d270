// An inode: its fixed part and where its two forks lie. Follows "XFS Algorithms & Data Structures", chapter On-Disk Inode;
// bigtime and nrext64 by the public header xfs_format.h.

import { sameBytes } from "../entryName.js";
import type { FileKind, FileStat, NodeId } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { uint64At, viewOf } from "./bigEndian.js";
import { hasChecksum, type XfsSuperblock } from "./superblock.js";

/** "IN" */
const INODE_MAGIC = 0x494e;
const CRC_AT = 100;
const CORE_BYTES = 100;
const CORE_BYTES_VERSION_3 = 176;

const FLAG_REALTIME = 0x1;
/** In the low half of the 64-bit flags of version 3. */
const FLAG2_BIGTIME = 0x8;
const FLAG2_MANY_EXTENTS = 0x10;

const NS_PER_SECOND = 1_000_000_000n;
/** Big times count from the smallest old time: -2^31 seconds. */
const BIGTIME_EPOCH_NS = (1n << 31n) * NS_PER_SECOND;

export type ForkFormat = "device" | "local" | "extents" | "tree";

export interface ForkPlace {
  format: ForkFormat;
  bytes: Uint8Array;
  extentCount: number;
}

export interface XfsInode {
  number: number;
  kind: FileKind;
  special: string | undefined;
  mode: number;
  uid: number;
  gid: number;
  linkCount: number;
  /** May be above Number.MAX_SAFE_INTEGER: then `special` is set. */
  sizeBytes: number;
  blockCount: number;
  times: Record<"accessed" | "modified" | "changed" | "created", bigint | null>;
  device: { major: number; minor: number } | null;
  data: ForkPlace;
  /** Null when there are no attributes. */
  attributes: ForkPlace | null;
}

const kindByType = new Map<number, FileKind>([
  [0o01, "fifo"],
  [0o02, "character-device"],
  [0o04, "directory"],
  [0o06, "block-device"],
  [0o10, "file"],
  [0o12, "symlink"],
  [0o14, "socket"],
]);

const formats: readonly (ForkFormat | undefined)[] = ["device", "local", "extents", "tree"];

/** `bytes`: one whole inode of `superblock.inodeBytes`, which the result keeps. */
export function decodeInode(bytes: Uint8Array, number: number, superblock: XfsSuperblock): XfsInode {
  const view = viewOf(bytes);
  const { version5 } = superblock.features;
  const version = view.getUint8(4);
  if (view.getUint16(0) !== INODE_MAGIC) throw damagedInode(number, "has no magic number");
  if (version5 ? version !== 3 : version !== 1 && version !== 2) throw damagedInode(number, `has version ${version}`);
  if (version5) checkVersion3(bytes, number, superblock);

  const mode = view.getUint16(2);
  const kind = kindByType.get(mode >>> 12);
  if (mode === 0) throw damagedInode(number, "is not in use");
  if (kind === undefined) throw damagedInode(number, `has mode 0o${mode.toString(8)}`);
  const flags2 = version5 ? view.getUint32(124) : 0;
  const forks = decodeForks(bytes, number, version5, (flags2 & FLAG2_MANY_EXTENTS) !== 0);
  const inode: XfsInode = {
    number,
    kind,
    special: undefined,
    mode: mode & 0o7777,
    uid: view.getUint32(8),
    gid: view.getUint32(12),
    linkCount: version === 1 ? view.getUint16(6) : view.getUint32(16),
    sizeBytes: uint64At(view, 56),
    blockCount: uint64At(view, 64),
    times: decodeTimes(view, version5, (flags2 & FLAG2_BIGTIME) !== 0),
    device: null,
    ...forks,
  };
  checkKind(inode);
  if (inode.data.format === "device") inode.device = decodeDevice(inode.data.bytes);
  inode.special = specialName(inode, view.getUint16(90));
  if (inode.special !== undefined) inode.kind = "special";
  return inode;
}

function checkVersion3(bytes: Uint8Array, number: number, superblock: XfsSuperblock): void {
  if (!hasChecksum(bytes, CRC_AT)) throw damagedInode(number, "does not match its checksum");
  if (uint64At(viewOf(bytes), 152) !== number) throw damagedInode(number, "was written for another place");
  if (!sameBytes(bytes.subarray(160, 176), superblock.metaUuid)) {
    throw damagedInode(number, "belongs to another file system");
  }
}

function decodeForks(
  bytes: Uint8Array,
  number: number,
  version5: boolean,
  manyExtents: boolean,
): Pick<XfsInode, "data" | "attributes"> {
  const view = viewOf(bytes);
  const room = bytes.subarray(version5 ? CORE_BYTES_VERSION_3 : CORE_BYTES);
  const attributesAt = view.getUint8(82) * 8;
  if (attributesAt >= room.length) throw damagedInode(number, "has its attributes outside itself");
  const format = formats[view.getUint8(5)];
  if (format === undefined) throw damagedInode(number, `has a data fork of format ${view.getUint8(5)}`);
  const data: ForkPlace = {
    format,
    bytes: attributesAt === 0 ? room : room.subarray(0, attributesAt),
    extentCount: manyExtents ? uint64At(view, 24) : view.getUint32(76),
  };
  if (attributesAt === 0) return { data, attributes: null };
  const attributeFormat = formats[view.getUint8(83)];
  if (attributeFormat === undefined || attributeFormat === "device") {
    throw damagedInode(number, `has an attribute fork of format ${view.getUint8(83)}`);
  }
  const attributes: ForkPlace = {
    format: attributeFormat,
    bytes: room.subarray(attributesAt),
    extentCount: manyExtents ? view.getUint32(76) : view.getUint16(80),
  };
  return { data, attributes };
}

/** Which formats a data fork may have depends on what the inode is. */
function checkKind({ kind, number, data, sizeBytes }: XfsInode): void {
  const allowed: Partial<Record<FileKind, readonly ForkFormat[]>> = {
    file: ["extents", "tree"],
    directory: ["local", "extents", "tree"],
    symlink: ["local", "extents"],
  };
  if (!(allowed[kind] ?? ["device"]).includes(data.format)) {
    throw damagedInode(number, `is a ${kind} with a data fork of format ${data.format}`);
  }
  if (data.format === "local" && sizeBytes > data.bytes.length) {
    throw damagedInode(number, `holds ${sizeBytes} bytes in itself`);
  }
}

function specialName(inode: XfsInode, flags: number): string | undefined {
  if (inode.kind !== "file") return undefined;
  if ((flags & FLAG_REALTIME) !== 0 && inode.data.extentCount > 0) return "on the real-time device";
  if (inode.sizeBytes > Number.MAX_SAFE_INTEGER) return "larger than 8 PiB";
  return undefined;
}

function decodeTimes(view: DataView, version5: boolean, big: boolean): XfsInode["times"] {
  const decode = big ? decodeBigTime : decodeOldTime;
  return {
    accessed: decode(view, 32),
    modified: decode(view, 40),
    changed: decode(view, 48),
    created: version5 ? decode(view, 144) : null,
  };
}

function decodeBigTime(view: DataView, at: number): bigint {
  return view.getBigUint64(at) - BIGTIME_EPOCH_NS;
}

function decodeOldTime(view: DataView, at: number): bigint | null {
  const nanoseconds = view.getUint32(at + 4);
  if (nanoseconds >= 1e9) return null;
  return BigInt(view.getInt32(at)) * NS_PER_SECOND + BigInt(nanoseconds);
}

/** As IRIX packed it: 14 bits major, 18 bits minor. */
function decodeDevice(fork: Uint8Array): { major: number; minor: number } {
  const packed = viewOf(fork).getUint32(0);
  return { major: packed >>> 18, minor: packed & 0x3ffff };
}

export function statOf(inode: XfsInode, id: NodeId, blockBytes: number): FileStat {
  const { kind, special, mode, uid, gid, linkCount, times } = inode;
  const isDevice = kind === "character-device" || kind === "block-device";
  return {
    id,
    kind,
    ...(special === undefined ? {} : { special }),
    sizeBytes: Math.min(inode.sizeBytes, Number.MAX_SAFE_INTEGER),
    allocatedBytes: Math.min(inode.blockCount * blockBytes, Number.MAX_SAFE_INTEGER),
    mode,
    uid,
    gid,
    linkCount,
    modifiedAtNs: times.modified,
    accessedAtNs: times.accessed,
    changedAtNs: times.changed,
    createdAtNs: times.created,
    device: isDevice ? inode.device : null,
  };
}

export function damagedInode(number: number, problem: string): Error {
  return damaged("xfs", `inode ${number}`, problem, { inode: number });
}
