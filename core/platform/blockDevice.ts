// What Linux knows about a block device: its size and its place in /sys. Nothing here opens the device.

import { readFile } from "node:fs/promises";
import { runToolChecked } from "./tool.js";

/** `major:minor` of a device number as stat reports it in `rdev`, in the encoding of glibc. */
export function deviceNumbers(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** Folder of the device in /sys, the same for every path that leads to it. */
export function sysFolder(rdev: bigint): string {
  return `/sys/dev/block/${deviceNumbers(rdev)}`;
}

/** Size in bytes; from /sys, else from `blockdev`. TOOL_MISSING or TOOL_FAILED when neither knows. */
export async function blockDeviceBytes(path: string, rdev: bigint): Promise<number> {
  const sectors = await readFile(`${sysFolder(rdev)}/size`, "utf8").catch(() => undefined);
  // The kernel counts in units of 512 bytes whatever the device's own block size is.
  if (sectors !== undefined && /^\d+\s*$/.test(sectors)) return Number(sectors) * 512;
  return Number((await runToolChecked("blockdev", ["--getsize64", "--", path])).trim());
}
