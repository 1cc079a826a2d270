// Free blocks counted from the headers of the allocation groups, for a file system whose superblock may be behind.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./bigEndian.js";
import { hasChecksum } from "./superblock.js";
import type { XfsVolume } from "./volume.js";

/** "XAGF" */
const MAGIC = 0x58414746;
const CRC_AT = 216;
/** One read each: more would cost more than the number is worth. */
const MAX_GROUPS = 64;

/** Null when there are too many groups to ask. */
export async function countFreeBlocks(volume: XfsVolume, options?: ReadOptions): Promise<number | null> {
  const { agCount, agBlocks, blockBytes, sectorBytes, features } = volume.superblock;
  if (agCount > MAX_GROUPS) return null;
  let free = 0;
  for (let group = 0; group < agCount; group++) {
    const where = `allocation group ${group}`;
    const sector = await volume.read(group * agBlocks * blockBytes + sectorBytes, sectorBytes, where, options);
    const view = viewOf(sector);
    if (view.getUint32(0) !== MAGIC) throw damaged("xfs", where, "has no magic number");
    if (features.version5 && !hasChecksum(sector, CRC_AT)) throw damaged("xfs", where, "does not match its checksum");
    // free blocks, those kept for the trees, and those of the trees of free space
    free += view.getUint32(52) + view.getUint32(48) + view.getUint32(60);
  }
  return free <= volume.superblock.blockCount ? free : null;
}
