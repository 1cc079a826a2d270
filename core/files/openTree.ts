// The tree of one snapshot, and the tree of plain images.

import type { ReadOptions } from "../filesystem/blockReader.js";
import type { Archive } from "../format/manifest.js";
import type { Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { MachineTree } from "./machineTree.js";
import type { MachineDisk } from "./machineVolumes.js";
import { ChunkFetcher, SnapshotDisk } from "./snapshotDisk.js";
import { StoredTree } from "./storedTree.js";

export interface OpenTreeOptions extends ReadOptions {
  onWarning: OnWarning;
}

/** Reads nothing but the maps' roots before it is asked. Several trees may share a fetcher; close that when done. */
export async function openSnapshotTree(
  snapshot: Snapshot,
  fetcher: ChunkFetcher,
  options: ReadOptions = {},
): Promise<MachineTree> {
  return new MachineTree(await openMachineDisks(snapshot, fetcher, options));
}

/** Its disks, and the folders that were backed up file by file. */
export async function openMachineDisks(
  snapshot: Snapshot,
  fetcher: ChunkFetcher,
  options: ReadOptions = {},
): Promise<MachineDisk[]> {
  const archives = snapshot.manifest.archives.filter(({ kind }) => kind !== "file");
  return await Promise.all(archives.map((archive) => openArchive(archive, fetcher, options)));
}

async function openArchive(archive: Archive, fetcher: ChunkFetcher, options: ReadOptions): Promise<MachineDisk> {
  const { name, sizeBytes } = archive;
  if (archive.kind === "tree") return { name, sizeBytes, openFolder: () => StoredTree.open(archive, fetcher) };
  return { name, reader: await SnapshotDisk.open(archive, fetcher, options.signal) };
}

export async function openChunkFetcher(repository: Repository, options: OpenTreeOptions): Promise<ChunkFetcher> {
  return await ChunkFetcher.open(repository, options);
}
