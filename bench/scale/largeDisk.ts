// First backup of the three bench disks as one: with it goes the question whether memory grows with the disk.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../disks.js";
import { type Cost, measure } from "../measure.js";
import { initReprise, repriseBackup } from "../tools/reprise.js";

export async function measureFirstBackup(diskPath: string): Promise<Cost> {
  const folder = join(cacheFolder, `large-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await initReprise(folder);
    return await measure(repriseBackup(folder, diskPath, "large"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
