// What a machine that failed has written to its disks, kept for whoever looks into it: one qcow2 file a disk, which holds
// nothing but the difference (`qemu-img rebase -u -b RESTORED -F raw` puts the disk below it).

import { constants } from "node:fs";
import { copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { RunningMachine } from "../../hypervisor/machine.js";

/** Moves them out of the folder of the run, which is about to go; answers their paths. Errors of the file system. */
export async function keepOverlays(overlays: RunningMachine["overlays"], folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const kept: string[] = [];
  for (const { disk, path } of overlays) {
    const target = join(folder, `${disk}.overlay.qcow2`);
    await rename(path, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EXDEV") throw error;
      await copyFile(path, target, constants.COPYFILE_FICLONE);
    });
    kept.push(target);
  }
  return kept;
}
