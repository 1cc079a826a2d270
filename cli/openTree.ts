// The tree of files of one snapshot, closed when the verb is done.

import {
  type Catalog,
  type ChunkFetcher,
  type MachineTree,
  openChunkFetcher,
  openSnapshotTree,
  type Repository,
  resolveSnapshot,
  type Snapshot,
  snapshotsOfMachine,
} from "../core/index.js";
import type { Context } from "./context.js";

export interface OpenedTree {
  snapshot: Snapshot;
  tree: MachineTree;
}

export async function openTree(context: Context, name: string): Promise<OpenedTree> {
  const { repository, catalog } = await context.openCatalog();
  return await openTreeOf(context, repository, catalog, name);
}

/** In a repository that is open already. */
export async function openTreeOf(
  context: Context,
  repository: Repository,
  catalog: Catalog,
  name: string,
): Promise<OpenedTree> {
  const snapshot = resolveSnapshot(name, catalog);
  const fetcher = context.closeLater(await openChunkFetcher(repository, context.options));
  return { snapshot, tree: await openSnapshotTree(snapshot, fetcher, context.options) };
}

/** The trees of two snapshots, which share what they read. */
export async function openTrees(context: Context, names: readonly [string, string]): Promise<[OpenedTree, OpenedTree]> {
  const { repository, catalog } = await context.openCatalog();
  const [first, second] = names.map((name) => resolveSnapshot(name, catalog)) as [Snapshot, Snapshot];
  const fetcher = context.closeLater(await openChunkFetcher(repository, context.options));
  const open = async (snapshot: Snapshot) => {
    return { snapshot, tree: await openSnapshotTree(snapshot, fetcher, context.options) };
  };
  return [await open(first), await open(second)];
}

/** All snapshots of a machine, oldest first, and what their trees are opened with. */
export async function openMachine(
  context: Context,
  name: string,
): Promise<{ snapshots: Snapshot[]; fetcher: ChunkFetcher }> {
  const { repository, catalog } = await context.openCatalog();
  const snapshots = snapshotsOfMachine(name, catalog);
  return { snapshots, fetcher: context.closeLater(await openChunkFetcher(repository, context.options)) };
}
