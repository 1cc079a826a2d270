// The throw-away layers that machines write to: one qcow2 file a disk in the folder of the run, over a source that is only
// read. Its file has a fixed length, so that a guest that writes without end fills its own disk and not this host's.

import { statfs, truncate } from "node:fs/promises";
import { NbdClient } from "../nbd/client.js";
import { runToolChecked } from "../platform/tool.js";
import { openSource } from "../source/openSource.js";
import type { AttachedDisk } from "./diskArguments.js";
import { hypervisorError } from "./hypervisorErrors.js";

export interface OverlayOptions {
  /** The most that the machine may write to this disk; default: 90 % of what is free there now. */
  maxBytes?: number;
  signal?: AbortSignal;
}

const MIN_BYTES = 16 * 1024 * 1024;

/** Creates the overlay and answers how long its file may be. RUN_FOLDER_UNUSABLE without space; errors of the source. */
export async function createOverlay(disk: AttachedDisk, path: string, options: OverlayOptions = {}): Promise<number> {
  const { signal } = options;
  const sizeBytes = await virtualSize(disk, signal);
  await runToolChecked("qemu-img", ["create", "-q", "-f", "qcow2", path, `${sizeBytes}`], { signal });
  const { bavail, bsize } = await statfs(path);
  const free = Math.floor(bavail * bsize * 0.9);
  const most = Math.min(options.maxBytes ?? free, free);
  if (most < MIN_BYTES) {
    throw hypervisorError("RUN_FOLDER_UNUSABLE", `no space for what the machine writes to its disk ${disk.name}`, {
      data: { freeBytes: bavail * bsize },
      hint: "set TMPDIR to a folder with enough free space",
    });
  }
  // A whole disk, its tables and a little more is all that an overlay can need.
  const needed = sizeBytes + Math.ceil(sizeBytes / 1024) + MIN_BYTES;
  const length = Math.floor(Math.min(most, needed) / 65_536) * 65_536;
  await truncate(path, length);
  return length;
}

async function virtualSize(disk: AttachedDisk, signal?: AbortSignal): Promise<number> {
  if (disk.way === "nbd") {
    const { socketPath, exportName } = disk;
    const client = await NbdClient.connect({ socketPath }, { exportName, signal });
    await client.close();
    return client.sizeBytes;
  }
  // Refuses images that name other files.
  const opened = await openSource(disk.path, { format: disk.format, signal });
  await opened.close();
  return opened.source.sizeBytes;
}
