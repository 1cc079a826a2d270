// The tree of files of one snapshot, closed when the verb is done.

import {
  type Catalog,
  type MachineTree,
  openChunkFetcher,
  openSnapshotTree,
  type Repository,
  resolveSnapshot,
  type Snapshot,
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
