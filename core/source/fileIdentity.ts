// Tells whether a file is still the one that was opened, and unchanged. A hint for a warning, not a proof: a writer may
// set times back.

import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";

export interface FileIdentity {
  device: bigint;
  inode: bigint;
  sizeBytes: bigint;
  modifiedAtNs: bigint;
}

export function identityOf(stats: BigIntStats): FileIdentity {
  return { device: stats.dev, inode: stats.ino, sizeBytes: stats.size, modifiedAtNs: stats.mtimeNs };
}

/** False also when the path leads nowhere any more. */
export async function isUnchanged(path: string, known: FileIdentity): Promise<boolean> {
  try {
    const now = identityOf(await stat(path, { bigint: true }));
    return isSameFile(now, known) && now.sizeBytes === known.sizeBytes && now.modifiedAtNs === known.modifiedAtNs;
  } catch {
    return false;
  }
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.device === b.device && a.inode === b.inode;
}
