// MBR partition tables with the chain of extended ones. Sectors have 512 bytes.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { Partition, PartitionTable } from "./partition.js";

const SECTOR_BYTES = 512;
const TABLE_OFFSET = 446;
const ENTRY_BYTES = 16;
const SIGNATURE_OFFSET = 510;
const BOOTABLE = 0x80;
const PROTECTIVE = 0xee;
const EXTENDED = new Set([0x05, 0x0f, 0x85]);
/** The kernel stops at 255 partitions of a disk; so do we. */
const MAX_LOGICAL = 250;
const FIRST_LOGICAL = 5;

const TYPE_NAMES: Record<number, string> = {
  1: "FAT12",
  4: "FAT16 (small)",
  6: "FAT16",
  7: "NTFS or exFAT",
  11: "FAT32",
  12: "FAT32 (LBA)",
  14: "FAT16 (LBA)",
  39: "Windows recovery",
  130: "Linux swap",
  131: "Linux",
  142: "Linux LVM",
  165: "FreeBSD",
  166: "OpenBSD",
  175: "HFS+",
  239: "EFI system",
  251: "VMFS",
  253: "Linux RAID",
};

interface Entry {
  bootable: boolean;
  type: number;
  first: number;
  count: number;
}

/** Null when the first sector is none: no signature, impossible flags, no partition, or only a protective entry. */
export async function readMbr(disk: BlockReader, options: ReadOptions): Promise<PartitionTable | null> {
  const primary = await readSector(disk, 0, options);
  if (primary === null || primary.every(({ type }) => type === 0 || type === PROTECTIVE)) return null;
  const remarks: string[] = [];
  const partitions: Partition[] = [];
  let hasExtended = false;
  for (const [i, entry] of primary.entries()) {
    if (entry.type === 0 || entry.type === PROTECTIVE || entry.count === 0) continue;
    if (!EXTENDED.has(entry.type)) add(partitions, remarks, disk, entry, i + 1);
    else if (!hasExtended) {
      hasExtended = true;
      await readLogical(disk, entry, partitions, remarks, options);
    }
  }
  partitions.sort((a, b) => a.number - b.number);
  return { kind: "mbr", partitions, remarks };
}

/** Each link of the chain: one partition relative to the link, and the next link relative to the extended partition. */
async function readLogical(
  disk: BlockReader,
  extended: Entry,
  partitions: Partition[],
  remarks: string[],
  options: ReadOptions,
): Promise<void> {
  const visited = new Set<number>();
  let link = extended.first;
  for (let number = FIRST_LOGICAL; visited.size < MAX_LOGICAL; number++) {
    const entries = visited.has(link) ? null : await readSector(disk, link, options);
    visited.add(link);
    if (entries === null) {
      remarks.push(`the chain of logical partitions is damaged after partition ${number - 1}`);
      return;
    }
    const [logical, next] = entries as [Entry, Entry, ...Entry[]];
    if (logical.type !== 0 && logical.count > 0 && !EXTENDED.has(logical.type))
      add(partitions, remarks, disk, { ...logical, first: link + logical.first }, number);
    if (!EXTENDED.has(next.type) || next.count === 0) return;
    link = extended.first + next.first;
  }
  remarks.push(`more than ${MAX_LOGICAL} logical partitions: the rest is left out`);
}

function add(partitions: Partition[], remarks: string[], disk: BlockReader, entry: Entry, number: number): void {
  const offsetBytes = entry.first * SECTOR_BYTES;
  const sizeBytes = entry.count * SECTOR_BYTES;
  if (offsetBytes === 0 || offsetBytes + sizeBytes > disk.sizeBytes) {
    remarks.push(`partition ${number} does not lie inside the disk: left out`);
    return;
  }
  const type = TYPE_NAMES[entry.type] ?? `type 0x${entry.type.toString(16).padStart(2, "0")}`;
  partitions.push({ number, offsetBytes, sizeBytes, type, label: "", uuid: "", bootable: entry.bootable });
}

/** Null when the sector is no partition table: boot code of a file system ends with the same signature. */
async function readSector(disk: BlockReader, sector: number, options: ReadOptions): Promise<Entry[] | null> {
  if ((sector + 1) * SECTOR_BYTES > disk.sizeBytes) return null;
  const bytes = new Uint8Array(SECTOR_BYTES);
  await disk.read(bytes, sector * SECTOR_BYTES, options);
  if (bytes[SIGNATURE_OFFSET] !== 0x55 || bytes[SIGNATURE_OFFSET + 1] !== 0xaa) return null;
  const view = new DataView(bytes.buffer);
  const entries: Entry[] = [];
  for (let i = 0; i < 4; i++) {
    const at = TABLE_OFFSET + i * ENTRY_BYTES;
    const flag = bytes[at] as number;
    if (flag !== 0 && flag !== BOOTABLE) return null;
    const [first, count] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    entries.push({ bootable: flag === BOOTABLE, type: bytes[at + 4] as number, first, count });
  }
  return entries;
}
