// What a partition table says, whatever its format. GPT first: a protective MBR stands before it.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { readGpt } from "./gpt.js";
import { identify } from "./identify.js";
import { readMbr } from "./mbr.js";

export interface Partition {
  /** As the kernel numbers it: `sda3` is 3. */
  number: number;
  offsetBytes: number;
  sizeBytes: number;
  /** For people: "Linux filesystem", "EFI system", "type 0x42". */
  type: string;
  /** Of a GPT; empty without. */
  label: string;
  /** Of a GPT, lower case; empty without. */
  uuid: string;
  bootable: boolean;
}

export interface PartitionTable {
  kind: "gpt" | "mbr";
  /** In order of their numbers. Each lies inside the disk. */
  partitions: readonly Partition[];
  /** For people: "primary GPT damaged: backup used". */
  remarks: readonly string[];
}

/**
 * Null when the disk has no partition table. A boot sector of a file system ends like an MBR, so a whole disk that holds
 * something known has none. A table that is there but damaged beyond use: FILESYSTEM_DAMAGED.
 */
export async function readPartitionTable(disk: BlockReader, options: ReadOptions = {}): Promise<PartitionTable | null> {
  const gpt = await readGpt(disk, options);
  if (gpt !== null) return gpt;
  const { kind } = await identify(disk, options);
  return kind === "unknown" || kind === "empty" ? await readMbr(disk, options) : null;
}
