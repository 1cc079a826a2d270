// A disk inside a snapshot as an NBD export: any hypervisor or tool can attach it, read-only, without a restore.

import type { NbdExport, NbdExtent } from "../nbd/export.js";
import type { SnapshotDisk } from "./snapshotDisk.js";

/** One look at the map; a client asks again behind it. */
const MAX_EXTENT_BYTES = 64 * 1024 * 1024 * 1024;

/** `name` is what clients ask for, `description` what people read in a list. */
export function exportOfDisk(disk: SnapshotDisk, name: string, description: string): NbdExport {
  return {
    name,
    description,
    sizeBytes: disk.sizeBytes,
    read: (buffer, offset, options) => disk.read(buffer, offset, options),
    extents: (offset, length) => extentsOf(disk, offset, Math.min(length, MAX_EXTENT_BYTES)),
  };
}

async function extentsOf(disk: SnapshotDisk, offset: number, length: number): Promise<NbdExtent[]> {
  const extents: NbdExtent[] = [];
  for (const entry of await disk.entries(offset, length)) {
    const start = Math.max(entry.offset, offset);
    const end = Math.min(entry.offset + entry.length, offset + length);
    const last = extents.at(-1);
    const zero = entry.id === null;
    if (last !== undefined && last.zero === zero) last.length += end - start;
    else extents.push({ offset: start, length: end - start, zero });
  }
  return extents;
}
