// Owner, mode and times of what was restored, by an open handle or, for links, by name.

import { chmod, type FileHandle, lchown, lutimes } from "node:fs/promises";
import type { FileStat } from "../../filesystem/fileSystem.js";
import type { TreePath } from "../treePath.js";
import type { LeftOut } from "./leftOut.js";

const NS_PER_SECOND = 1_000_000_000;
const SETUID_SETGID = 0o6000;

export interface StatOptions {
  /** Only root can give files away. */
  owners: boolean;
  leftOut: LeftOut;
}

/** Must come before attributes and modes: giving a file away takes some of both from it. */
export async function setOwner(
  handle: FileHandle,
  path: TreePath,
  stat: FileStat,
  options: StatOptions,
): Promise<void> {
  if (!options.owners || stat.uid === null || stat.gid === null) return;
  const { uid, gid } = stat;
  await attempt(path, "owner", options, () => handle.chown(uid, gid));
}

/** Must come last. */
export async function setModeAndTimes(
  handle: FileHandle,
  path: TreePath,
  stat: FileStat,
  options: StatOptions,
): Promise<void> {
  const isFolder = stat.kind === "directory";
  let mode = stat.mode ?? (isFolder ? 0o755 : 0o644);
  // whoever runs it would run it as its new owner
  if (!options.owners && !isFolder && (mode & SETUID_SETGID) !== 0) {
    options.leftOut.attribute(path, "setuid bits", "they are kept only with the owner");
    mode &= ~SETUID_SETGID;
  }
  await attempt(path, "mode", options, () => handle.chmod(mode));
  const { modifiedAtNs } = stat;
  if (modifiedAtNs === null) return;
  const accessed = stat.accessedAtNs ?? modifiedAtNs;
  await attempt(path, "times", options, () => handle.utimes(seconds(accessed), seconds(modifiedAtNs)));
}

/** Of a device or pipe that was made as `place`, which is no link. */
export async function setSpecialStats(
  place: Buffer,
  path: TreePath,
  stat: FileStat,
  options: StatOptions,
): Promise<void> {
  await setLinkStats(place, path, stat, options);
  await attempt(path, "mode", options, () => chmod(place, stat.mode ?? 0o600));
}

/** By name, and never through a link. */
export async function setLinkStats(
  place: Buffer,
  path: TreePath,
  { uid, gid, modifiedAtNs, accessedAtNs }: FileStat,
  options: StatOptions,
): Promise<void> {
  if (options.owners && uid !== null && gid !== null)
    await attempt(path, "owner", options, () => lchown(place, uid, gid));
  if (modifiedAtNs === null) return;
  const accessed = accessedAtNs ?? modifiedAtNs;
  await attempt(path, "times", options, () => lutimes(place, seconds(accessed), seconds(modifiedAtNs)));
}

/** Node takes a double: times are exact to a fraction of a microsecond. */
function seconds(ns: bigint): number | string {
  const whole = ns / BigInt(NS_PER_SECOND);
  const value = Number(whole) + Number(ns - whole * BigInt(NS_PER_SECOND)) / NS_PER_SECOND;
  // Node takes a negative number for "now", and a Date has whole milliseconds; as text it stays what it is.
  return value < 0 ? String(value) : value;
}

async function attempt(
  path: TreePath,
  what: string,
  { leftOut }: StatOptions,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    leftOut.attribute(path, what, `cannot be set (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`);
  }
}
