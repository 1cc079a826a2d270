// What is known about a FAT volume once it is open: its geometry, label, serial number and how full it is.

import type { BlockReader } from "../blockReader.js";
import type { FileSystemInfo, OpenFileSystemOptions } from "../fileSystem.js";
import { readRange } from "../readRange.js";
import { AllocationTable } from "./allocationTable.js";
import { decodeFatBootSector, type FatGeometry } from "./bootSector.js";
import { ClusterSpace } from "./clusterSpace.js";
import { rawEntries } from "./directory.js";
import { ATTRIBUTE } from "./dosAttributes.js";
import { decodeCodePage437 } from "./shortName.js";
import { type FatVolume, rootPieces } from "./volume.js";

const BOOT_BYTES = 512;
const FSINFO_BYTES = 512;
/** A larger table is not counted through to learn how full the volume is. */
const MAX_COUNTED_TABLE_BYTES = 4 * 1024 * 1024;

export async function openFatVolume(
  reader: BlockReader,
  options: OpenFileSystemOptions,
): Promise<{ volume: FatVolume; info: FileSystemInfo }> {
  const geometry = decodeFatBootSector(
    await readRange(reader, 0, BOOT_BYTES, { type: "fat", where: "boot sector" }, options),
  );
  const { kind, tableOffset, tableBytes, clusterCount, dataOffset, clusterBytes } = geometry;
  const layout = { kind, offset: tableOffset, sizeBytes: tableBytes, clusterCount };
  const table = new AllocationTable(reader, layout);
  const space = new ClusterSpace(reader, table, dataOffset, clusterBytes);
  const volume = { reader, geometry, table, space };
  return { volume, info: await describe(volume, options) };
}

async function describe(volume: FatVolume, options: OpenFileSystemOptions): Promise<FileSystemInfo> {
  const { reader, geometry } = volume;
  const remarks: string[] = [];
  if (geometry.mountedFlag || !(await wasShutDown(volume, options))) remarks.push("not unmounted cleanly");
  if (geometry.totalBytes > reader.sizeBytes) remarks.push("the device is smaller than the file system");
  const free = await freeClusters(volume, options);
  return {
    type: geometry.kind,
    label: await readLabel(volume, options),
    uuid: formatSerial(geometry.serial),
    sizeBytes: geometry.totalBytes,
    usedBytes: free === null ? null : (geometry.clusterCount - free) * geometry.clusterBytes,
    blockBytes: geometry.clusterBytes,
    remarks,
  };
}

/** As `blkid` writes it: `1A2B-3C4D`; empty for zero. */
export function formatSerial(serial: number): string {
  if (serial === 0) return "";
  const digits = serial.toString(16).toUpperCase().padStart(8, "0");
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** Entry 1 of the table has a bit for it, which FAT12 is too short for. */
async function wasShutDown({ table }: FatVolume, options: OpenFileSystemOptions): Promise<boolean> {
  const { kind } = table.layout;
  if (kind === "fat12") return true;
  const value = (await table.window(2, options)).value(1);
  return (value & (kind === "fat32" ? 0x08000000 : 0x8000)) !== 0;
}

/** The root directory's label counts; the boot sector's is a copy that tools forget to update. */
async function readLabel(volume: FatVolume, options: OpenFileSystemOptions): Promise<string> {
  for await (const { bytes } of rawEntries(rootPieces(volume, options))) {
    const attributes = bytes[11] as number;
    if ((attributes & (ATTRIBUTE.label | ATTRIBUTE.directory)) === ATTRIBUTE.label)
      return labelText(bytes.slice(0, 11));
  }
  return labelText(volume.geometry.label);
}

function labelText(raw: Uint8Array): string {
  if (raw[0] === 0x05) raw[0] = 0xe5;
  const text = decodeCodePage437(raw).trimEnd();
  return text === "NO NAME" ? "" : text;
}

/** From the sector that FAT32 keeps for it, else counted where the table is small, else null. */
async function freeClusters(volume: FatVolume, options: OpenFileSystemOptions): Promise<number | null> {
  const { geometry, table } = volume;
  const stored = await storedFreeClusters(volume, geometry, options);
  if (stored !== null) return stored;
  return geometry.tableBytes <= MAX_COUNTED_TABLE_BYTES ? await table.countFree(options) : null;
}

async function storedFreeClusters(
  { reader }: FatVolume,
  { fsInfoOffset, kind, clusterCount }: FatGeometry,
  options: OpenFileSystemOptions,
): Promise<number | null> {
  if (fsInfoOffset === null) return null;
  const bytes = await readRange(reader, fsInfoOffset, FSINFO_BYTES, { type: kind, where: "FSInfo" }, options);
  const view = new DataView(bytes.buffer);
  const isFsInfo = view.getUint32(0, true) === 0x41615252 && view.getUint32(484, true) === 0x61417272;
  const free = view.getUint32(488, true);
  return isFsInfo && free <= clusterCount ? free : null;
}
