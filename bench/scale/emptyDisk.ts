// A 1 TiB disk that holds nothing: what a backup costs when there is nothing to read.

import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../disks.js";
import { type Cost, measure } from "../measure.js";
import { initReprise, repriseBackup } from "../tools/reprise.js";

export async function measureEmptyDisk(sizeBytes: number): Promise<Cost> {
  const folder = join(cacheFolder, `empty-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const disk = join(folder, "empty.raw");
    const file = await open(disk, "w");
    await file.truncate(sizeBytes);
    await file.close();
    await initReprise(folder);
    return await measure(repriseBackup(folder, disk, "empty"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
