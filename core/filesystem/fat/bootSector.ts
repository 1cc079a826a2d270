// The first sector of a FAT volume (Microsoft's "FAT32 File System Specification" 1.03): where its table, its root
// directory and its clusters are. docs/filesystems/fat.md says what is refused.

import { damaged } from "../filesystemErrors.js";
import { entriesIn, type TableKind } from "./allocationTable.js";

export interface FatGeometry {
  kind: Exclude<TableKind, "exfat">;
  sectorBytes: number;
  clusterBytes: number;
  totalBytes: number;
  tableOffset: number;
  tableBytes: number;
  /** Of FAT12 and FAT16: a fixed area before the clusters. Null: the root is a chain. */
  fixedRoot: { offset: number; sizeBytes: number } | null;
  /** Of FAT32. */
  rootCluster: number;
  dataOffset: number;
  clusterCount: number;
  /** Of FAT32; null when there is none. */
  fsInfoOffset: number | null;
  serial: number;
  /** Of the boot sector; padded with spaces. */
  label: Uint8Array;
  mountedFlag: boolean;
}

const ENTRY_BYTES = 32;
const MAX_FAT12_CLUSTERS = 4084;
const MAX_FAT16_CLUSTERS = 65524;
const MAX_FAT32_CLUSTERS = 0x0ffffff5;

function isPowerOfTwo(value: number, minimum: number, maximum: number): boolean {
  return value >= minimum && value <= maximum && (value & (value - 1)) === 0;
}

function refuse(problem: string, data: Record<string, unknown> = {}): never {
  throw damaged("fat", "boot sector", problem, data);
}

/** The fields every FAT has, checked. */
function decodeCommon(view: DataView) {
  const sectorBytes = view.getUint16(11, true);
  const sectorsPerCluster = view.getUint8(13);
  const reserved = view.getUint16(14, true);
  const tables = view.getUint8(16);
  const rootEntries = view.getUint16(17, true);
  const totalSectors = view.getUint16(19, true) || view.getUint32(32, true);
  const media = view.getUint8(21);
  const shortTable = view.getUint16(22, true);
  const tableSectors = shortTable || view.getUint32(36, true);
  if (view.getUint16(510, true) !== 0xaa55) refuse("has no signature");
  if (!isPowerOfTwo(sectorBytes, 512, 4096)) refuse(`sectors of ${sectorBytes} bytes`);
  if (!isPowerOfTwo(sectorsPerCluster, 1, 128)) refuse(`clusters of ${sectorsPerCluster} sectors`);
  if (reserved === 0) refuse("no reserved sectors");
  if (tables === 0 || tableSectors === 0) refuse("no allocation table");
  if (media < 0xf8 && media !== 0xf0) refuse(`media type ${media}`);
  if ((rootEntries * ENTRY_BYTES) % sectorBytes !== 0) refuse(`${rootEntries} root entries do not fill sectors`);
  return { sectorBytes, sectorsPerCluster, reserved, tables, rootEntries, totalSectors, shortTable, tableSectors };
}

/** `sector`: at least 512 bytes. Throws FILESYSTEM_DAMAGED for anything but the boot sector of a FAT volume. */
export function decodeFatBootSector(sector: Uint8Array): FatGeometry {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length);
  const common = decodeCommon(view);
  const { sectorBytes, sectorsPerCluster, reserved, tables, rootEntries, totalSectors, tableSectors } = common;
  const isFat32 = common.shortTable === 0;
  const rootSectors = (rootEntries * ENTRY_BYTES) / sectorBytes;
  const rootSector = reserved + tables * tableSectors;
  const dataSector = rootSector + rootSectors;
  if (dataSector >= totalSectors) refuse(`${totalSectors} sectors leave no room for files`);
  const inVolume = Math.floor((totalSectors - dataSector) / sectorsPerCluster);
  const kind = isFat32 ? "fat32" : inVolume <= MAX_FAT12_CLUSTERS ? "fat12" : "fat16";
  // as Linux: the table may be too short for the last clusters, which then do not exist
  const clusterCount = Math.min(inVolume, entriesIn(kind, tableSectors * sectorBytes) - 2);
  if (clusterCount < 1) refuse("no clusters");
  if (clusterCount > (isFat32 ? MAX_FAT32_CLUSTERS : MAX_FAT16_CLUSTERS)) refuse(`${clusterCount} clusters`);
  if (isFat32 && rootEntries !== 0) refuse("a FAT32 volume with a fixed root directory");
  if (isFat32 && view.getUint16(42, true) !== 0) refuse("a FAT32 volume of unknown version");
  if (!isFat32 && rootEntries === 0) refuse("no root directory");
  const extended = isFat32 ? 64 : 36;
  const hasExtension = view.getUint8(extended + 2) === 0x29;
  const fsInfoSector = isFat32 ? view.getUint16(48, true) : 0;
  return {
    kind,
    sectorBytes,
    clusterBytes: sectorsPerCluster * sectorBytes,
    totalBytes: totalSectors * sectorBytes,
    tableOffset: activeTable(view, isFat32, common) * sectorBytes,
    tableBytes: tableSectors * sectorBytes,
    fixedRoot: isFat32 ? null : { offset: rootSector * sectorBytes, sizeBytes: rootSectors * sectorBytes },
    rootCluster: isFat32 ? view.getUint32(44, true) : 0,
    dataOffset: dataSector * sectorBytes,
    clusterCount,
    fsInfoOffset: fsInfoSector > 0 && fsInfoSector < reserved ? fsInfoSector * sectorBytes : null,
    serial: hasExtension || view.getUint8(extended + 2) === 0x28 ? view.getUint32(extended + 3, true) : 0,
    label: hasExtension ? sector.slice(extended + 7, extended + 18) : new Uint8Array(0),
    mountedFlag: (view.getUint8(extended + 1) & 1) !== 0,
  };
}

/** The sector of the table in use: FAT32 may switch mirroring off and name one. */
function activeTable(view: DataView, isFat32: boolean, common: ReturnType<typeof decodeCommon>): number {
  const flags = isFat32 ? view.getUint16(40, true) : 0;
  const active = (flags & 0x80) !== 0 ? flags & 0x0f : 0;
  if (active >= common.tables) refuse(`allocation table ${active} of ${common.tables} is said to be in use`);
  return common.reserved + active * common.tableSectors;
}
