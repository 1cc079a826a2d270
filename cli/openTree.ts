// The trees of files of snapshots, closed when the verb is done.

import {
  type Catalog,
  type ChunkFetcher,
  formatTreePath,
  type MachineTree,
  openChunkFetcher,
  openSnapshotTree,
  type Repository,
  RepriseError,
  resolveSnapshot,
  type Snapshot,
  snapshotsOfMachine,
  type TreeNode,
} from "../core/index.js";
import type { Context } from "./context.js";
import type { FilePlace } from "./given/filePlace.js";

export interface OpenedTree {
  snapshot: Snapshot;
  tree: MachineTree;
}

type OpenedCatalog = { repository: Repository; catalog: Catalog };

/** `opened`: the repository when it is open already. */
export async function openTree(context: Context, name: string, opened?: OpenedCatalog): Promise<OpenedTree> {
  const [only] = await openTrees(context, [name], opened);
  return only as OpenedTree;
}

/** One for each name, in their order; they share what they read. */
export async function openTrees(
  context: Context,
  names: readonly string[],
  opened?: OpenedCatalog,
): Promise<OpenedTree[]> {
  const { repository, catalog } = opened ?? (await context.openCatalog());
  const snapshots = names.map((name) => resolveSnapshot(name, catalog));
  const fetcher = context.closeLater(await openChunkFetcher(repository, context.options));
  const trees = new Map<Snapshot, MachineTree>();
  for (const snapshot of new Set(snapshots)) {
    trees.set(snapshot, await openSnapshotTree(snapshot, fetcher, context.options));
  }
  return snapshots.map((snapshot) => ({ snapshot, tree: trees.get(snapshot) as MachineTree }));
}

/** What the path leads to. As tree.resolve; and FILE_KIND_WRONG where a slash says that it is a folder, and it is none. */
export async function resolvePlace(context: Context, tree: MachineTree, place: FilePlace): Promise<TreeNode> {
  const node = await tree.resolve(place.path, context.options);
  if (!place.isFolder || !("stat" in node) || node.stat.kind === "directory") return node;
  const what = formatTreePath(node.path);
  throw new RepriseError("usage", "FILE_KIND_WRONG", `${what} is no folder, but there is a slash behind its name`, {
    data: { what, wanted: "a folder" },
    hint: "leave the slash out",
  });
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
