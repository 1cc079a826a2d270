// The tree of one snapshot, and the tree of plain images.

import type { ReadOptions } from "../filesystem/blockReader.js";
import type { Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { MachineTree } from "./machineTree.js";
import { ChunkFetcher, SnapshotDisk } from "./snapshotDisk.js";

export interface OpenTreeOptions extends ReadOptions {
  onWarning: OnWarning;
}

/** Reads nothing but the maps' roots before it is asked. Several trees may share a fetcher; close that when done. */
export async function openSnapshotTree(
  snapshot: Snapshot,
  fetcher: ChunkFetcher,
  options: ReadOptions = {},
): Promise<MachineTree> {
  const images = snapshot.manifest.archives.filter(({ kind }) => kind === "image");
  const disks = images.map(async (archive) => ({
    name: archive.name,
    reader: await SnapshotDisk.open(archive, fetcher, options.signal),
  }));
  return new MachineTree(await Promise.all(disks));
}

export async function openChunkFetcher(repository: Repository, options: OpenTreeOptions): Promise<ChunkFetcher> {
  return await ChunkFetcher.open(repository, options);
}
