// A disk in memory that lets no read outside pass, and partition tables to put on it.

import { crc32 } from "node:zlib";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";

export class MemoryDisk implements BlockReader {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array | number) {
    this.bytes = typeof bytes === "number" ? new Uint8Array(bytes) : bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  get view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + buffer.length > this.bytes.length)
      throw new Error(`read of ${buffer.length} bytes at ${offset}, outside the disk`);
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
  }

  write(offset: number, bytes: Uint8Array | string | readonly number[]): this {
    this.bytes.set(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, offset);
    return this;
  }
}

export interface GptPartition {
  first: number;
  last: number;
  name?: string;
}

export interface GptOptions {
  sectorBytes?: number;
  /** What the headers say; default: 128. */
  entryCount?: number;
  entryBytes?: number;
}

/** Both copies and a protective MBR, from the UEFI specification. Type: Linux filesystem. */
export function writeGpt(disk: MemoryDisk, partitions: readonly GptPartition[], options: GptOptions = {}): MemoryDisk {
  const { sectorBytes = 512, entryCount = 128, entryBytes = 128 } = options;
  const lastSector = disk.sizeBytes / sectorBytes - 1;
  const entries = new Uint8Array(128 * 128);
  const view = new DataView(entries.buffer);
  partitions.forEach(({ first, last, name = "" }, i) => {
    entries.set(Buffer.from("af3dc60f838472478e793d69d8477de4", "hex"), i * 128);
    entries.fill(0x11 * (i + 1), i * 128 + 16, i * 128 + 32);
    view.setBigUint64(i * 128 + 32, BigInt(first), true);
    view.setBigUint64(i * 128 + 40, BigInt(last), true);
    entries.set(Buffer.from(name, "utf16le"), i * 128 + 56);
  });
  const entrySectors = Math.ceil(entries.length / sectorBytes);
  const copies = [
    { at: 1, entriesAt: 2 },
    { at: lastSector, entriesAt: lastSector - entrySectors },
  ];
  for (const { at, entriesAt } of copies) {
    const header = new Uint8Array(92);
    const fields = new DataView(header.buffer);
    header.set(Buffer.from("EFI PART"));
    fields.setUint32(8, 0x10000, true);
    fields.setUint32(12, 92, true);
    fields.setBigUint64(24, BigInt(at), true);
    fields.setBigUint64(72, BigInt(entriesAt), true);
    fields.setUint32(80, entryCount, true);
    fields.setUint32(84, entryBytes, true);
    fields.setUint32(88, crc32(entries.subarray(0, Math.min(entries.length, entryCount * entryBytes))), true);
    fields.setUint32(16, crc32(header), true);
    disk.write(at * sectorBytes, header).write(entriesAt * sectorBytes, entries);
  }
  return writeMbr(disk, 0, [{ type: 0xee, first: 1, count: lastSector }]);
}

export interface MbrEntry {
  type: number;
  first: number;
  count: number;
  flag?: number;
}

export function writeMbr(disk: MemoryDisk, sector: number, entries: readonly MbrEntry[]): MemoryDisk {
  const { view } = disk;
  entries.forEach(({ type, first, count, flag = 0 }, i) => {
    const at = sector * 512 + 446 + i * 16;
    view.setUint8(at, flag);
    view.setUint8(at + 4, type);
    view.setUint32(at + 8, first, true);
    view.setUint32(at + 12, count, true);
  });
  return disk.write(sector * 512 + 510, [0x55, 0xaa]);
}
