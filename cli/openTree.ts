// The tree of files of one snapshot, closed when the verb is done.

import { type MachineTree, openChunkFetcher, openSnapshotTree, resolveSnapshot, type Snapshot } from "../core/index.js";
import type { Context } from "./context.js";

export async function openTree(context: Context, name: string): Promise<{ snapshot: Snapshot; tree: MachineTree }> {
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(name, catalog);
  const fetcher = context.closeLater(await openChunkFetcher(repository, context.options));
  return { snapshot, tree: await openSnapshotTree(snapshot, fetcher, context.options) };
}
