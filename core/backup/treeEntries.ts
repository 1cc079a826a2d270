// From what the system says of a file to its entry in a stored tree, and whether it is still the one of an earlier entry.

import type { BigIntStats } from "node:fs";
import type { TreeEntry, TreeEntryKind } from "../format/treeFolder.js";

const PERMISSIONS = 0o7777n;
const MAX_LINKS = 0xffff_ffffn;
/** Clocks of file systems stand still for so long: who changes twice within it has one time of change. */
const SETTLE_NS = 100_000_000n;

/** Null for sockets, and for what no other system knows: there is nothing to keep of them. */
export function kindOf(stats: BigIntStats): TreeEntryKind | null {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isFIFO() ? "fifo" : null;
}

/** Without contents. */
export function entryOf(
  name: Uint8Array,
  stats: BigIntStats,
  device: number,
  attributes: TreeEntry["attributes"],
): TreeEntry {
  return {
    name,
    kind: kindOf(stats) ?? "fifo",
    mode: Number(stats.mode & PERMISSIONS),
    uid: Number(BigInt.asUintN(32, stats.uid)),
    gid: Number(BigInt.asUintN(32, stats.gid)),
    linkCount: Number(stats.nlink > MAX_LINKS ? MAX_LINKS : stats.nlink),
    device,
    inode: BigInt.asUintN(64, stats.ino),
    modifiedAtNs: stats.mtimeNs,
    changedAtNs: stats.ctimeNs,
    createdAtNs: stats.birthtimeNs > 0n ? stats.birthtimeNs : null,
    incomplete: false,
    unsettled: false,
    sizeBytes: 0,
    entryCount: 0,
    content: null,
    folder: null,
    target: null,
    rdev: null,
    attributes,
  };
}

/** Whether an entry is about the same bytes: every write changes the time of change, and nobody can set that back. */
export function isSameFile(before: TreeEntry, stats: BigIntStats): boolean {
  return (
    before.kind === kindOf(stats) &&
    before.inode === BigInt.asUintN(64, stats.ino) &&
    before.modifiedAtNs === stats.mtimeNs &&
    before.changedAtNs === stats.ctimeNs &&
    (before.kind !== "file" || before.sizeBytes === Number(stats.size))
  );
}

/** Whether a later change must show in the time of change. */
export function isSettled(stats: BigIntStats, nowMs: number): boolean {
  const ageNs = BigInt(nowMs) * 1_000_000n - stats.ctimeNs;
  return ageNs >= SETTLE_NS || ageNs <= -SETTLE_NS;
}

/** As the kernel of Linux packs them. */
export function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xffff_f000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffff_ff00n);
  return { major: Number(BigInt.asUintN(32, major)), minor: Number(BigInt.asUintN(32, minor)) };
}
