// A disk inside a snapshot as an NBD export: any hypervisor or tool can attach it, read-only, without a restore.

import { RepriseError } from "../errors.js";
import type { NbdExport, NbdExtent } from "../nbd/export.js";
import type { Snapshot } from "../repository/catalog.js";
import { type ChunkFetcher, SnapshotDisk } from "./snapshotDisk.js";

/** One look at the map; a client asks again behind it. */
const MAX_EXTENT_BYTES = 64 * 1024 * 1024 * 1024;

/** Every disk of the snapshot, or those that are named. ARCHIVE_UNKNOWN for a name that it does not have. */
export async function exportSnapshot(
  snapshot: Snapshot,
  fetcher: ChunkFetcher,
  names: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<NbdExport[]> {
  const { group, time, archives } = snapshot.manifest;
  const images = archives.filter(({ kind }) => kind === "image");
  const unknown = names.find((name) => !images.some((image) => image.name === name));
  if (unknown !== undefined) {
    throw new RepriseError("usage", "ARCHIVE_UNKNOWN", `${group}@${time} has no disk ${unknown}`, {
      data: { name: unknown },
      hint: `its disks: ${images.map(({ name }) => name).join(", ")}`,
    });
  }
  const wanted = images.filter(({ name }) => names.length === 0 || names.includes(name));
  return await Promise.all(
    wanted.map(async (archive) => {
      const disk = await SnapshotDisk.open(archive, fetcher, options.signal);
      return exportOfDisk(disk, archive.name, `${archive.name} of ${group}@${time}`);
    }),
  );
}

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
