// Reads the partition table of a disk, whatever its format. GPT first: a protective MBR stands before it.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { readGpt } from "./gpt.js";
import { identify, ownsFirstSector } from "./identify.js";
import { readMbr } from "./mbr.js";
import type { PartitionTable } from "./partition.js";

/**
 * Null when the disk has no partition table. A boot sector of a file system ends like an MBR, so a whole disk that is one
 * has none. A table that is there but damaged beyond use: FILESYSTEM_DAMAGED.
 */
export async function readPartitionTable(disk: BlockReader, options: ReadOptions = {}): Promise<PartitionTable | null> {
  const gpt = await readGpt(disk, options);
  if (gpt !== null) return gpt;
  if (await ownsFirstSector(disk, options)) return null;
  const mbr = await readMbr(disk, options);
  if (mbr === null || mbr.partitions.length > 0) return mbr;
  const { kind } = await identify(disk, options);
  return kind === "unknown" || kind === "empty" ? mbr : null;
}
