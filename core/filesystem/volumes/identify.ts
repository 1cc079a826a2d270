// What lies on a partition, volume or whole disk, by its signatures. Says what it is not able to read, too: a person who
// looks for files must not be told "nothing" where something encrypted or foreign is.

import type { BlockReader, ReadOptions } from "../blockReader.js";

export type Content =
  | { kind: "filesystem"; type: "ext" | "xfs" | "btrfs" | "ntfs" | "fat" | "exfat" | "folder" }
  | { kind: "physical-volume" }
  /** Named, not read: `what` is for people. */
  | { kind: "foreign"; what: string }
  /** Nothing that we know. */
  | { kind: "unknown" }
  /** The places where signatures stand hold only zeros. */
  | { kind: "empty" };

interface Signature {
  offset: number;
  bytes: Uint8Array;
  content: Content;
}

function signature(offset: number, bytes: string | readonly number[], content: Content): Signature {
  const given = typeof bytes === "string" ? Array.from(bytes, (char) => char.charCodeAt(0)) : bytes;
  return { offset, bytes: Uint8Array.from(given), content };
}

function foreign(offset: number, bytes: string | readonly number[], what: string): Signature {
  return signature(offset, bytes, { kind: "foreign", what });
}

const RAID = "member of a Linux software RAID";
const BTRFS_SUPERBLOCK = 0x1_0000;
/** Everything up to the end of btrfs' first superblock; the first label of ZFS reaches further and is looked at apart. */
const HEAD_BYTES = BTRFS_SUPERBLOCK + 4096;

/** In order: what stands in a container (RAID, encryption) before what may shine through from an older use. */
const SIGNATURES: readonly Signature[] = [
  foreign(0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe], "LUKS, encrypted"),
  foreign(3, "-FVE-FS-", "BitLocker, encrypted"),
  foreign(3, "ReFS\0", "ReFS"),
  foreign(0, [0xfc, 0x4e, 0x2b, 0xa9], RAID),
  foreign(4096, [0xfc, 0x4e, 0x2b, 0xa9], RAID),
  ...[0, 512, 1024, 1536].map((at) => signature(at, "LABELONE", { kind: "physical-volume" })),
  signature(3, "NTFS    ", { kind: "filesystem", type: "ntfs" }),
  signature(3, "EXFAT   ", { kind: "filesystem", type: "exfat" }),
  signature(0, "XFSB", { kind: "filesystem", type: "xfs" }),
  signature(BTRFS_SUPERBLOCK + 64, "_BHRfS_M", { kind: "filesystem", type: "btrfs" }),
  signature(1024 + 56, [0x53, 0xef], { kind: "filesystem", type: "ext" }),
  ...[4096, 8192, 16384, 65536].flatMap((page) => [
    foreign(page - 10, "SWAPSPACE2", "swap space"),
    foreign(page - 10, "SWAP-SPACE", "swap space (old form)"),
  ]),
  foreign(4096 + 24, [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca], "bcache"),
  foreign(4096 + 24, [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9], "bcachefs"),
  foreign(0, "bluestore block device", "Ceph BlueStore"),
  foreign(0, "hsqs", "squashfs"),
  foreign(1024, [0x10, 0x20, 0xf5, 0xf2], "F2FS"),
  foreign(1024, [0xe2, 0xe1, 0xf5, 0xe0], "EROFS"),
  foreign(1024, "H+", "HFS+"),
  foreign(1024, "HX", "HFSX"),
  foreign(32, "NXSB", "APFS"),
  foreign(32768, "JFS1", "JFS"),
  foreign(32769, "CD001", "ISO 9660"),
  foreign(65536 + 52, "ReIsEr", "ReiserFS"),
  foreign(1024 + 6, [0x34, 0x34], "NILFS2"),
];

/**
 * Whether what begins in the first sector leaves no room for a partition table there, although boot sectors end like one.
 * A signature further behind may be left from an older use of the disk.
 */
export async function ownsFirstSector(reader: BlockReader, options: ReadOptions = {}): Promise<boolean> {
  const head = new Uint8Array(Math.min(512, reader.sizeBytes));
  await reader.read(head, 0, options);
  return isFat(head) || SIGNATURES.some((candidate) => stands(head, candidate));
}

/** Looks at the first 68 KiB, and where ZFS and old RAID metadata stand. */
export async function identify(reader: BlockReader, options: ReadOptions = {}): Promise<Content> {
  const head = new Uint8Array(Math.min(HEAD_BYTES, reader.sizeBytes));
  await reader.read(head, 0, options);
  const found = SIGNATURES.find((candidate) => stands(head, candidate));
  if (found !== undefined && found.content.kind !== "foreign") return found.content;
  if (found === undefined && isFat(head)) return { kind: "filesystem", type: "fat" };
  if (found !== undefined) return found.content;
  if (await hasZfsLabel(reader, options)) return { kind: "foreign", what: "member of a ZFS pool" };
  if (await hasRaidTail(reader, options)) return { kind: "foreign", what: RAID };
  return { kind: head.every((byte) => byte === 0) ? "empty" : "unknown" };
}

function stands(head: Uint8Array, { offset, bytes }: Signature): boolean {
  return offset + bytes.length <= head.length && bytes.every((byte, i) => head[offset + i] === byte);
}

/** A BIOS parameter block that makes sense: FAT has no signature of its own (Microsoft's FAT specification, 3.1). */
function isFat(head: Uint8Array): boolean {
  if (head.length < 512 || head[510] !== 0x55 || head[511] !== 0xaa) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const jumps = head[0] === 0xe9 || (head[0] === 0xeb && head[2] === 0x90);
  const sectorBytes = view.getUint16(11, true);
  const clusterSectors = head[13] as number;
  const media = head[21] as number;
  return (
    jumps &&
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    clusterSectors > 0 &&
    (clusterSectors & (clusterSectors - 1)) === 0 &&
    view.getUint16(14, true) > 0 &&
    (head[16] === 1 || head[16] === 2) &&
    (media === 0xf0 || media >= 0xf8)
  );
}

/** Uberblocks stand at 128 KiB and every KiB after; their magic may be of either byte order (ZFS On-Disk Specification). */
async function hasZfsLabel(reader: BlockReader, options: ReadOptions): Promise<boolean> {
  const [start, length] = [128 * 1024, 128 * 1024];
  if (reader.sizeBytes < start + length) return false;
  const uberblocks = new Uint8Array(length);
  await reader.read(uberblocks, start, options);
  const view = new DataView(uberblocks.buffer);
  for (let at = 0; at < length; at += 1024) {
    if (view.getBigUint64(at, true) === 0x00bab10cn || view.getBigUint64(at, false) === 0x00bab10cn) return true;
  }
  return false;
}

/** Versions 0.90 and 1.0 of the RAID metadata stand near the end (md(4)). */
async function hasRaidTail(reader: BlockReader, options: ReadOptions): Promise<boolean> {
  const ends = [
    Math.floor(reader.sizeBytes / 65536) * 65536 - 65536,
    Math.floor((reader.sizeBytes - 8192) / 4096) * 4096,
  ];
  for (const at of ends) {
    if (at < 0) continue;
    const magic = new Uint8Array(4);
    await reader.read(magic, at, options);
    if (new DataView(magic.buffer).getUint32(0, true) === 0xa92b4efc) return true;
  }
  return false;
}
