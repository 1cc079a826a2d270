// Whether a file system was unmounted cleanly, as far as its reader says so. The phrases are those of core/filesystem; a test
// keeps them in step.

import type { FileSystemInfo, FileSystemType } from "../../filesystem/fileSystem.js";

/** The machine was running, or fell over: what was in its memory is missing, or comes from a journal. */
export const UNCLEAN_REMARKS = [
  "not unmounted cleanly",
  "journal replayed",
  "fast commits after the last transaction",
  "found errors in it",
  "log not empty",
  "log tree not empty",
  "marked as needing xfs_repair",
  "Windows is hibernated",
] as const;

/** The reader could not find out. */
export const UNDECIDED_REMARKS = ["log on another device", "log not readable"] as const;

const SAYS_SO: Record<FileSystemType, boolean> = {
  ext2: true,
  ext3: true,
  ext4: true,
  xfs: true,
  btrfs: true,
  ntfs: true,
  fat12: true,
  fat16: true,
  fat32: true,
  exfat: true,
  folder: false,
};

/** Null when nobody can tell. */
export function isClean({ type, remarks }: Pick<FileSystemInfo, "type" | "remarks">): boolean | null {
  const says = (phrases: readonly string[]) => remarks.some((remark) => phrases.some((each) => remark.includes(each)));
  if (says(UNCLEAN_REMARKS)) return false;
  return says(UNDECIDED_REMARKS) || !SAYS_SO[type] ? null : true;
}
