// The first sector of an NTFS volume, or its copy in the last one.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";

export interface NtfsGeometry {
  sectorBytes: number;
  clusterBytes: number;
  clusterCount: number;
  totalBytes: number;
  /** Cluster numbers of $MFT and of the copy of its first records. */
  mftCluster: number;
  mirrorCluster: number;
  recordBytes: number;
  serial: bigint;
  /** The first sector is damaged. */
  fromBackup: boolean;
}

const BOOT_BYTES = 512;
const MAX_CLUSTER_BYTES = 2 * 1024 * 1024;
const MAX_RECORD_BYTES = 64 * 1024;
const ORIGIN = { type: "ntfs", where: "boot sector" };

function refuse(problem: string): never {
  throw damaged(ORIGIN.type, ORIGIN.where, problem);
}

/** Throws FILESYSTEM_DAMAGED when there is no NTFS file system. */
export async function readNtfsBootSector(reader: BlockReader, options: ReadOptions): Promise<NtfsGeometry> {
  const first = await readRange(reader, 0, BOOT_BYTES, ORIGIN, options);
  try {
    return decodeBootSector(first);
  } catch (error) {
    const last = Math.floor(reader.sizeBytes / BOOT_BYTES) - 1;
    const copy = await readRange(reader, last * BOOT_BYTES, BOOT_BYTES, ORIGIN, options);
    try {
      return { ...decodeBootSector(copy), fromBackup: true };
    } catch {
      throw error;
    }
  }
}

function isPowerOfTwo(value: number, minimum: number, maximum: number): boolean {
  return value >= minimum && value <= maximum && 2 ** Math.round(Math.log2(value)) === value;
}

/** Small numbers count clusters; negative ones are the power of two, in bytes. */
function recordSize(coded: number, clusterBytes: number): number {
  return coded > 0 ? coded * clusterBytes : 2 ** -coded;
}

function decodeBootSector(sector: Uint8Array): NtfsGeometry {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length);
  if (new TextDecoder("latin1").decode(sector.subarray(3, 11)) !== "NTFS    ") refuse("has no NTFS signature");
  const sectorBytes = view.getUint16(11, true);
  if (!isPowerOfTwo(sectorBytes, 256, 4096)) refuse(`sectors of ${sectorBytes} bytes`);
  const coded = view.getUint8(13);
  const clusterBytes = sectorBytes * (coded > 0x80 ? 2 ** (256 - coded) : coded);
  if (!isPowerOfTwo(clusterBytes, sectorBytes, MAX_CLUSTER_BYTES)) refuse(`clusters of ${clusterBytes} bytes`);
  const recordBytes = recordSize(view.getInt8(64), clusterBytes);
  if (!isPowerOfTwo(recordBytes, 512, MAX_RECORD_BYTES)) refuse(`file records of ${recordBytes} bytes`);
  const totalBytes = Number(view.getBigUint64(40, true)) * sectorBytes;
  const clusterCount = Math.floor(totalBytes / clusterBytes);
  if (!Number.isSafeInteger(totalBytes) || clusterCount < 1) refuse(`a volume of ${totalBytes} bytes`);
  const mftCluster = Number(view.getBigUint64(48, true));
  const mirrorCluster = Number(view.getBigUint64(56, true));
  if (mftCluster < 1 || mftCluster >= clusterCount) refuse(`the file table at cluster ${mftCluster}`);
  return {
    sectorBytes,
    clusterBytes,
    clusterCount,
    totalBytes,
    mftCluster,
    mirrorCluster,
    recordBytes,
    serial: view.getBigUint64(72, true),
    fromBackup: false,
  };
}
