// The boot region of exFAT (Microsoft's "exFAT file system specification", part 3): eleven sectors under a checksum, and a
// backup of them that counts when the first copy is damaged.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { tableBytesFor } from "../fat/allocationTable.js";
import { damaged } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";

export interface ExfatGeometry {
  sectorBytes: number;
  clusterBytes: number;
  totalBytes: number;
  tableOffset: number;
  tableBytes: number;
  dataOffset: number;
  clusterCount: number;
  rootCluster: number;
  serial: number;
  dirty: boolean;
  /** The first copy of the boot region is damaged. */
  fromBackup: boolean;
}

const SUMMED_SECTORS = 11;
const REGION_SECTORS = 12;
const MAX_CLUSTER_SHIFT = 25;
const MAX_CLUSTERS = 0xfffffff5;
/** Volume flags and the percentage in use change without a new checksum. */
const NOT_SUMMED = [106, 107, 112];
const ORIGIN = { type: "exfat", where: "boot region" };

function refuse(problem: string): never {
  throw damaged(ORIGIN.type, ORIGIN.where, problem);
}

/** Throws FILESYSTEM_DAMAGED when there is no exFAT file system or both copies of the boot region are damaged. */
export async function readBootRegion(reader: BlockReader, options: ReadOptions): Promise<ExfatGeometry> {
  try {
    return await readCopy(reader, 0, options);
  } catch (error) {
    const backup = await readBackup(reader, options);
    if (backup === null) throw error;
    return { ...backup, fromBackup: true };
  }
}

/** The sector size is known from the boot region only: the backup is where its own sector size says. */
async function readBackup(reader: BlockReader, options: ReadOptions): Promise<ExfatGeometry | null> {
  options.signal?.throwIfAborted();
  for (const sectorBytes of [512, 4096, 1024, 2048]) {
    try {
      const geometry = await readCopy(reader, REGION_SECTORS * sectorBytes, options);
      if (geometry.sectorBytes === sectorBytes) return geometry;
    } catch {
      options.signal?.throwIfAborted();
    }
  }
  return null;
}

async function readCopy(reader: BlockReader, offset: number, options: ReadOptions): Promise<ExfatGeometry> {
  const sector = await readRange(reader, offset, 512, ORIGIN, options);
  if (new TextDecoder("latin1").decode(sector.subarray(3, 11)) !== "EXFAT   ") refuse("has no exFAT signature");
  const shift = sector[108] as number;
  if (shift < 9 || shift > 12) refuse(`sectors of 2^${shift} bytes`);
  const region = await readRange(reader, offset, REGION_SECTORS << shift, ORIGIN, options);
  const view = new DataView(region.buffer);
  const stored = view.getUint32(SUMMED_SECTORS << shift, true);
  const sum = bootChecksum(region.subarray(0, SUMMED_SECTORS << shift));
  if (sum !== stored) refuse("does not have its checksum");
  return decodeGeometry(view);
}

function bootChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (!NOT_SUMMED.includes(i)) sum = (((sum << 31) | (sum >>> 1)) + (bytes[i] as number)) >>> 0;
  }
  return sum;
}

function decodeGeometry(view: DataView): ExfatGeometry {
  const sectorShift = view.getUint8(108);
  const clusterShift = view.getUint8(109) + sectorShift;
  const sectorBytes = 2 ** sectorShift;
  const totalSectors = Number(view.getBigUint64(72, true));
  const tableSectors = view.getUint32(84, true);
  const clusterCount = view.getUint32(92, true);
  const tables = view.getUint8(110);
  const flags = view.getUint16(106, true);
  if (view.getUint16(510, true) !== 0xaa55) refuse("has no signature");
  if (view.getUint8(105) !== 1) refuse(`version ${view.getUint8(105)}`);
  if (clusterShift > MAX_CLUSTER_SHIFT) refuse(`clusters of 2^${clusterShift} bytes`);
  if (tables !== 1 && tables !== 2) refuse(`${tables} allocation tables`);
  if (clusterCount < 1 || clusterCount > MAX_CLUSTERS) refuse(`${clusterCount} clusters`);
  if (!Number.isSafeInteger(totalSectors * sectorBytes)) refuse(`${totalSectors} sectors`);
  const tableBytes = tableSectors * sectorBytes;
  if (tableBytes < tableBytesFor("exfat", clusterCount + 2)) refuse("the allocation table is too small");
  const activeTable = tables === 2 ? flags & 1 : 0;
  return {
    sectorBytes,
    clusterBytes: 2 ** clusterShift,
    totalBytes: totalSectors * sectorBytes,
    tableOffset: (view.getUint32(80, true) + activeTable * tableSectors) * sectorBytes,
    tableBytes,
    dataOffset: view.getUint32(88, true) * sectorBytes,
    clusterCount,
    rootCluster: view.getUint32(96, true),
    serial: view.getUint32(100, true),
    dirty: (flags & 2) !== 0,
    fromBackup: false,
  };
}
