// The names of one folder, read once and kept for the next page.

import {
  type FileNode,
  formatTreePath,
  type MachineTree,
  RepriseError,
  type TreeEntry,
  type TreeNode,
} from "../../core/index.js";
import type { CallContext, FolderListing, Session } from "./session.js";

/** More names than this are not held in memory. */
const MAX_ENTRIES = 2_000_000;

/** FILE_KIND_WRONG for what is no folder, SERVICE_FOLDER_LOOP for one that is among its own parents. */
export async function listingOf(
  session: Session,
  snapshot: string,
  tree: MachineTree,
  node: FileNode,
  context: CallContext,
): Promise<FolderListing> {
  const key = `${snapshot}${formatTreePath(node.path)}`;
  const known = session.listings.get(key);
  if (known !== undefined) return known;
  await refuseLoop(tree, node, context);
  const entries: TreeEntry[] = [];
  for await (const entry of tree.list(node, context)) {
    entries.push(entry);
    if (entries.length > MAX_ENTRIES) throw tooMany(node);
    context.signal.throwIfAborted();
  }
  entries.sort((a, b) => rank(a) - rank(b) || Buffer.compare(a.name, b.name));
  const listing: FolderListing = { node, entries };
  session.listings.set(key, listing, Math.max(1, entries.length));
  return listing;
}

function rank({ kind }: TreeEntry): number {
  return kind === "directory" ? 0 : 1;
}

/** A program that walks down folders would never come to the end of this one. */
async function refuseLoop(tree: MachineTree, folder: FileNode, context: CallContext): Promise<void> {
  const identity = identityOf(folder);
  for (let depth = 2; depth < folder.path.length; depth++) {
    const parent = await tree.resolve(folder.path.slice(0, depth), context);
    if (identityOf(parent) !== identity) continue;
    const [here, there] = [formatTreePath(folder.path), formatTreePath(parent.path)];
    throw new RepriseError("usage", "SERVICE_FOLDER_LOOP", `${here} is the same folder as ${there}, which it is in`, {
      data: { path: here, same: there },
      hint: "look into that one",
    });
  }
}

function identityOf(node: TreeNode): string {
  return "stat" in node ? `${node.volume.disk}/${node.volume.name}/${node.node}` : formatTreePath(node.path);
}

function tooMany(node: FileNode): RepriseError {
  const path = formatTreePath(node.path);
  return new RepriseError("unsupported", "SERVICE_FOLDER_TOO_LARGE", `${path} has more than ${MAX_ENTRIES} entries`, {
    hint: "restore it with reprise restore, which needs no list of it",
  });
}
