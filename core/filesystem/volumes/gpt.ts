// GUID partition tables: UEFI specification 2.10, chapter 5.3. Both copies are known; checksums decide.

import { crc32 } from "node:zlib";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { encodeWtf8 } from "../wtf8.js";
import type { Partition, PartitionTable } from "./partition.js";

/** "EFI PART", 5.3.2. */
const SIGNATURE = "EFI PART";
const SECTOR_SIZES = [512, 4096] as const;
const HEADER_BYTES = 92;
const MIN_ENTRY_BYTES = 128;
const MAX_ENTRY_BYTES = 4096;
/** The specification asks for 128 and has no limit; fdisk and the kernel accept a little more. */
const MAX_ENTRIES = 1024;
const NAME_BYTES = 72;
const EMPTY_TYPE = "00000000-0000-0000-0000-000000000000";
const PROTECTIVE_TYPE = 0xee;
const LEGACY_BOOTABLE = 1n << 2n;

const TYPE_NAMES: Record<string, string> = {
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
  "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
  "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux filesystem",
  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
  "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
  "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
  "b921b045-1df0-41c3-af44-4c6f280d3fae": "Linux root (arm64)",
  "933ac7e1-2eb4-4f13-b844-0e14e2aef915": "Linux home",
  "3b8f8425-20e0-4f3b-907f-1a25a76f98e8": "Linux server data",
  "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
  "ca7d7ccb-63ed-4c53-861c-1742536059cc": "Linux LUKS",
  "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
  "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
  "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
  "48465300-0000-11aa-aa11-00306543ecac": "Apple HFS+",
  "7c3457ef-0000-11aa-aa11-00306543ecac": "Apple APFS",
  "6a898cc3-1dd2-11b2-99a6-080020736631": "ZFS",
};

interface Header {
  sectorBytes: number;
  entriesSector: number;
  entryCount: number;
  entryBytes: number;
  entriesCrc: number;
}

/**
 * Null when there is no GPT. The backup is used, and said, when the primary one does not check; but only behind a protective
 * MBR, because the backup of a table that was replaced long ago may still stand at the end of the disk.
 */
export async function readGpt(disk: BlockReader, options: ReadOptions): Promise<PartitionTable | null> {
  let damagedCopies = 0;
  for (const sectorBytes of SECTOR_SIZES) {
    const outcome = await readCopy(disk, 1, sectorBytes, options);
    if (outcome === "damaged") damagedCopies++;
    else if (outcome !== null) return tableOf(outcome, disk, []);
  }
  if (!(await hasProtectiveMbr(disk, options))) return null;
  for (const sectorBytes of SECTOR_SIZES) {
    const outcome = await readCopy(disk, Math.floor(disk.sizeBytes / sectorBytes) - 1, sectorBytes, options);
    if (outcome === "damaged") damagedCopies++;
    else if (outcome !== null) return tableOf(outcome, disk, ["primary GPT damaged: its backup was used"]);
  }
  if (damagedCopies === 0) return null;
  throw damaged("GPT", "primary and backup", "checksums do not match");
}

async function hasProtectiveMbr(disk: BlockReader, options: ReadOptions): Promise<boolean> {
  if (disk.sizeBytes < 512) return false;
  const sector = new Uint8Array(512);
  await disk.read(sector, 0, options);
  return [450, 466, 482, 498].some((at) => sector[at] === PROTECTIVE_TYPE);
}

interface Copy {
  header: Header;
  entries: Uint8Array;
}

async function readCopy(
  disk: BlockReader,
  sector: number,
  sectorBytes: number,
  options: ReadOptions,
): Promise<Copy | "damaged" | null> {
  if (sector < 1 || (sector + 1) * sectorBytes > disk.sizeBytes) return null;
  const bytes = new Uint8Array(sectorBytes);
  await disk.read(bytes, sector * sectorBytes, options);
  if (new TextDecoder("latin1").decode(bytes.subarray(0, 8)) !== SIGNATURE) return null;
  const header = decodeHeader(bytes, sector, sectorBytes);
  if (header === null) return "damaged";
  const entries = new Uint8Array(header.entryCount * header.entryBytes);
  const offset = header.entriesSector * sectorBytes;
  if (offset + entries.length > disk.sizeBytes) return "damaged";
  await disk.read(entries, offset, options);
  return crc32(entries) === header.entriesCrc ? { header, entries } : "damaged";
}

function decodeHeader(bytes: Uint8Array, sector: number, sectorBytes: number): Header | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getUint32(12, true);
  if (headerBytes < HEADER_BYTES || headerBytes > sectorBytes) return null;
  const covered = bytes.slice(0, headerBytes);
  covered.fill(0, 16, 20);
  if (crc32(covered) !== view.getUint32(16, true)) return null;
  const [mySector, entriesSector] = [24, 72].map((at) => Number(view.getBigUint64(at, true)));
  const entryCount = view.getUint32(80, true);
  const entryBytes = view.getUint32(84, true);
  const sane =
    mySector === sector &&
    Number.isSafeInteger(entriesSector) &&
    entryCount <= MAX_ENTRIES &&
    entryBytes >= MIN_ENTRY_BYTES &&
    entryBytes <= MAX_ENTRY_BYTES &&
    entryBytes % 8 === 0;
  if (!sane) return null;
  return {
    sectorBytes,
    entriesSector: entriesSector as number,
    entryCount,
    entryBytes,
    entriesCrc: view.getUint32(88, true),
  };
}

function tableOf({ header, entries }: Copy, disk: BlockReader, remarks: string[]): PartitionTable {
  const partitions: Partition[] = [];
  for (let i = 0; i < header.entryCount; i++) {
    const entry = entries.subarray(i * header.entryBytes, (i + 1) * header.entryBytes);
    const partition = decodeEntry(entry, i + 1, header.sectorBytes);
    if (partition === null) continue;
    const inside = partition.sizeBytes > 0 && partition.offsetBytes + partition.sizeBytes <= disk.sizeBytes;
    if (inside) partitions.push(partition);
    else remarks.push(`partition ${partition.number} does not lie inside the disk: left out`);
  }
  return { kind: "gpt", partitions, remarks };
}

function decodeEntry(entry: Uint8Array, number: number, sectorBytes: number): Partition | null {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  const type = guidAt(entry, 0);
  if (type === EMPTY_TYPE) return null;
  const first = Number(view.getBigUint64(32, true));
  const last = Number(view.getBigUint64(40, true));
  return {
    number,
    offsetBytes: first * sectorBytes,
    sizeBytes: (last - first + 1) * sectorBytes,
    type: TYPE_NAMES[type] ?? `type ${type}`,
    label: nameOf(entry.subarray(56, 56 + NAME_BYTES)),
    uuid: guidAt(entry, 16),
    bootable: (view.getBigUint64(48, true) & LEGACY_BOOTABLE) !== 0n,
  };
}

/** The first three fields of a GUID are little-endian (appendix A of the specification). */
export function guidAt(bytes: Uint8Array, at: number): string {
  const order = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];
  return order.map((i) => (i < 0 ? "-" : (bytes[at + i] as number).toString(16).padStart(2, "0"))).join("");
}

function nameOf(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.slice().buffer);
  const end = units.indexOf(0);
  return new TextDecoder().decode(encodeWtf8(units.subarray(0, end < 0 ? units.length : end)));
}
