// What is known about an NTFS volume once it is open: label, serial number, how full it is, and how it was left.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { FileSystemInfo } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { type NtfsGeometry, readNtfsBootSector } from "./bootSector.js";
import { ATTRIBUTE_TYPE, decodeUtf16 } from "./fileRecord.js";
import { applyFixups, hasMagic } from "./fixups.js";
import { MasterFileTable } from "./masterFileTable.js";
import { NtfsFile } from "./ntfsFile.js";

export const SYSTEM_RECORD = { logFile: 2, volume: 3, root: 5, bitmap: 6, upcase: 10 };

const VOLUME_DIRTY = 1;
const MAX_COUNTED_BITMAP_BYTES = 8 * 1024 * 1024;
const COUNT_STEP_BYTES = 1024 * 1024;
const RESTART_PAGE_BYTES = 4096;
const NO_CLIENT = 0xffff;
const LOG_IS_CLEAN = 2;

export async function openNtfsVolume(
  reader: BlockReader,
  options: ReadOptions,
): Promise<{ table: MasterFileTable; info: FileSystemInfo }> {
  const geometry = await readNtfsBootSector(reader, options);
  const table = await MasterFileTable.open(reader, geometry, options);
  const volume = await NtfsFile.open(table, SYSTEM_RECORD.volume, 0, options);
  const label = await volume.value(ATTRIBUTE_TYPE.volumeName, "", 1024, options);
  const usedClusters = await countUsed(table, options);
  const info: FileSystemInfo = {
    type: "ntfs",
    label: label === null ? "" : decodeUtf16(label),
    uuid: geometry.serial === 0n ? "" : geometry.serial.toString(16).toUpperCase().padStart(16, "0"),
    sizeBytes: geometry.totalBytes,
    usedBytes: usedClusters === null ? null : usedClusters * geometry.clusterBytes,
    blockBytes: geometry.clusterBytes,
    remarks: await remarksOn(table, geometry, volume, options),
  };
  return { table, info };
}

async function remarksOn(
  table: MasterFileTable,
  geometry: NtfsGeometry,
  volume: NtfsFile,
  options: ReadOptions,
): Promise<string[]> {
  const remarks: string[] = [];
  const facts = await volume.value(ATTRIBUTE_TYPE.volumeInformation, "", 1024, options);
  const isDirty = facts !== null && facts.length >= 12 && ((facts[10] as number) & VOLUME_DIRTY) !== 0;
  if (isDirty || !(await isLogClean(table, options))) remarks.push("not unmounted cleanly: $LogFile is not replayed");
  if (geometry.fromBackup) remarks.push("the boot sector is damaged: its backup is used");
  if (table.mirrored.size > 0) remarks.push("$MFT is damaged: $MFTMirr is used");
  if (geometry.totalBytes > table.reader.sizeBytes) remarks.push("the device is smaller than the file system");
  return remarks;
}

/** Windows leaves no client in the log's newer restart page; ntfs-3g wipes the log. What cannot be read is not clean. */
async function isLogClean(table: MasterFileTable, options: ReadOptions): Promise<boolean> {
  const log = await NtfsFile.open(table, SYSTEM_RECORD.logFile, 0, options);
  const stream = await log.stream(ATTRIBUTE_TYPE.data, "", options);
  let newest = -1n;
  let isClean = false;
  for (const offset of [0, RESTART_PAGE_BYTES]) {
    const page = new Uint8Array(RESTART_PAGE_BYTES);
    if (stream === null || offset + page.length > stream.sizeBytes) break;
    await stream.read(page, offset, options);
    if (page.every((byte) => byte === 0xff)) {
      if (newest < 0n) isClean = true;
      continue;
    }
    const restart = decodeRestartPage(page);
    if (restart === null || restart.lsn <= newest) continue;
    newest = restart.lsn;
    isClean = restart.isClean;
  }
  return isClean;
}

function decodeRestartPage(page: Uint8Array): { lsn: bigint; isClean: boolean } | null {
  if (!hasMagic(page, "RSTR")) return null;
  try {
    applyFixups(page, "RSTR", "$LogFile");
  } catch {
    return null;
  }
  const view = new DataView(page.buffer);
  const area = view.getUint16(24, true);
  if (area + 16 > page.length) return null;
  const client = view.getUint16(area + 12, true);
  const flags = view.getUint16(area + 14, true);
  return { lsn: view.getBigUint64(area, true), isClean: client === NO_CLIENT || (flags & LOG_IS_CLEAN) !== 0 };
}

/** Null where the bitmap is so large that opening the volume should not read it. */
async function countUsed(table: MasterFileTable, options: ReadOptions): Promise<number | null> {
  const bitmap = await NtfsFile.open(table, SYSTEM_RECORD.bitmap, 0, options);
  const stream = await bitmap.stream(ATTRIBUTE_TYPE.data, "", options);
  const length = Math.ceil(table.geometry.clusterCount / 8);
  if (stream === null || stream.sizeBytes < length) throw damaged("ntfs", "$Bitmap", "is too short");
  if (length > MAX_COUNTED_BITMAP_BYTES) return null;
  let used = 0;
  for (let offset = 0; offset < length; offset += COUNT_STEP_BYTES) {
    const bytes = new Uint8Array(Math.min(COUNT_STEP_BYTES, length - offset));
    await stream.read(bytes, offset, options);
    if (offset + bytes.length === length) bytes[bytes.length - 1] = lastByte(bytes, table.geometry.clusterCount);
    for (let rest of bytes) for (; rest !== 0; rest &= rest - 1) used++;
  }
  return used;
}

/** Without the bits for clusters that do not exist. */
function lastByte(bytes: Uint8Array, clusterCount: number): number {
  const bits = clusterCount % 8 || 8;
  return (bytes.at(-1) as number) & (0xff >> (8 - bits));
}
