// What is known about an exFAT volume once it is open: geometry, label, serial number, how full it is, its up-case table.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import type { UpcaseTable } from "../entryName.js";
import { AllocationTable } from "../fat/allocationTable.js";
import type { ClusterMap } from "../fat/clusterChain.js";
import { ClusterSpace } from "../fat/clusterSpace.js";
import { formatSerial } from "../fat/openVolume.js";
import type { FileSystemInfo } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { encodeWtf8 } from "../wtf8.js";
import { type ExfatGeometry, readBootRegion } from "./bootRegion.js";
import { entrySets, MAX_DIRECTORY_BYTES, PRIMARY } from "./entrySet.js";

/** One of the volume's own files, named in the root directory. */
interface SystemFile {
  firstCluster: number;
  sizeBytes: number;
  checksum: number;
}

export interface ExfatVolume {
  reader: BlockReader;
  geometry: ExfatGeometry;
  space: ClusterSpace;
  rootMap: ClusterMap;
  upcase: SystemFile | null;
}

const MAX_UPCASE_BYTES = 128 * 1024;
const MAX_COUNTED_BITMAP_BYTES = 8 * 1024 * 1024;
const LABEL_UNITS = 11;
const COUNT_STEP_BYTES = 64 * 1024;

export async function openExfatVolume(
  reader: BlockReader,
  options: ReadOptions,
): Promise<{ volume: ExfatVolume; info: FileSystemInfo }> {
  const geometry = await readBootRegion(reader, options);
  const { tableOffset, tableBytes, clusterCount, dataOffset, clusterBytes } = geometry;
  const layout = { kind: "exfat" as const, offset: tableOffset, sizeBytes: tableBytes, clusterCount };
  const space = new ClusterSpace(reader, new AllocationTable(reader, layout), dataOffset, clusterBytes);
  const rootMap = space.chain(geometry.rootCluster);
  let label = "";
  let upcase: SystemFile | null = null;
  let bitmap: SystemFile | null = null;
  const pieces = space.pieces(rootMap, MAX_DIRECTORY_BYTES, "root directory", options);
  for await (const [entry] of entrySets(pieces, "root directory")) {
    const bytes = entry?.bytes as Uint8Array;
    if (bytes[0] === PRIMARY.label) label = decodeLabel(bytes);
    if (bytes[0] === PRIMARY.upcase) upcase ??= decodeSystemFile(bytes);
    if (bytes[0] === PRIMARY.bitmap) bitmap ??= decodeSystemFile(bytes);
  }
  const volume = { reader, geometry, space, rootMap, upcase };
  const usedClusters = bitmap === null ? null : await countUsed(volume, bitmap, options);
  const info: FileSystemInfo = {
    type: "exfat",
    label,
    uuid: formatSerial(geometry.serial),
    sizeBytes: geometry.totalBytes,
    usedBytes: usedClusters === null ? null : usedClusters * clusterBytes,
    blockBytes: clusterBytes,
    remarks: remarksOn(reader, geometry),
  };
  return { volume, info };
}

function remarksOn(reader: BlockReader, geometry: ExfatGeometry): string[] {
  const remarks: string[] = [];
  if (geometry.dirty) remarks.push("not unmounted cleanly");
  if (geometry.fromBackup) remarks.push("the boot region is damaged: its backup is used");
  if (geometry.totalBytes > reader.sizeBytes) remarks.push("the device is smaller than the file system");
  return remarks;
}

function decodeLabel(entry: Uint8Array): string {
  const units = new Uint16Array(Math.min(LABEL_UNITS, entry[1] as number));
  for (let i = 0; i < units.length; i++) units[i] = (entry[2 + i * 2] as number) | ((entry[3 + i * 2] as number) << 8);
  return new TextDecoder().decode(encodeWtf8(units));
}

function decodeSystemFile(entry: Uint8Array): SystemFile {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  return {
    checksum: view.getUint32(4, true),
    firstCluster: view.getUint32(20, true),
    sizeBytes: Number(view.getBigUint64(24, true)),
  };
}

/** Null where the bitmap is so large that opening the volume should not read it. */
async function countUsed(volume: ExfatVolume, bitmap: SystemFile, options: ReadOptions): Promise<number | null> {
  const { space, geometry } = volume;
  const length = Math.ceil(geometry.clusterCount / 8);
  if (bitmap.sizeBytes < length) throw damaged("exfat", "allocation bitmap", "is too short", { ...bitmap });
  if (length > MAX_COUNTED_BITMAP_BYTES) return null;
  const chain = space.chain(bitmap.firstCluster);
  let used = 0;
  for (let offset = 0; offset < length; offset += COUNT_STEP_BYTES) {
    const bytes = new Uint8Array(Math.min(COUNT_STEP_BYTES, length - offset));
    await space.read(chain, bytes, offset, "allocation bitmap", options);
    for (let rest of bytes) for (; rest !== 0; rest &= rest - 1) used++;
  }
  return Math.min(used, geometry.clusterCount);
}

/** The table that names are compared with: runs of units that map to themselves are stored as 0xFFFF and their number. */
export async function readUpcaseTable(volume: ExfatVolume, options: ReadOptions): Promise<UpcaseTable> {
  const { upcase, space } = volume;
  if (upcase === null || upcase.sizeBytes > MAX_UPCASE_BYTES || upcase.sizeBytes % 2 !== 0) {
    throw damaged("exfat", "up-case table", "is missing or has a wrong size");
  }
  const bytes = new Uint8Array(upcase.sizeBytes);
  await space.read(space.chain(upcase.firstCluster), bytes, 0, "up-case table", options);
  let sum = 0;
  for (const byte of bytes) sum = (((sum << 31) | (sum >>> 1)) + byte) >>> 0;
  if (sum !== upcase.checksum) throw damaged("exfat", "up-case table", "does not have its checksum");
  const table = Uint16Array.from({ length: 0x10000 }, (_, unit) => unit);
  const view = new DataView(bytes.buffer);
  for (let at = 0, unit = 0; at + 2 <= bytes.length && unit < table.length; at += 2) {
    const value = view.getUint16(at, true);
    if (value === 0xffff && at + 4 <= bytes.length) {
      at += 2;
      unit += view.getUint16(at, true);
    } else {
      table[unit++] = value;
    }
  }
  return table;
}
