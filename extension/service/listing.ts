// The names of one folder, read once and kept for the next page.

import { type FileNode, formatTreePath, type MachineTree, RepriseError, type TreeEntry } from "../../core/index.js";
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
  await refuseLoop(node, context);
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
async function refuseLoop({ fileSystem, node, path }: FileNode, context: CallContext): Promise<void> {
  let parent = fileSystem.root;
  // a path of a node has no links in it: one walk passes all its parents
  for (let depth = 2; depth < path.length; depth++) {
    if (depth > 2) {
      const entry = await fileSystem.lookup(parent, path[depth - 1] as Uint8Array, context);
      if (entry === null) return;
      parent = entry.id;
    }
    if (parent !== node) continue;
    const [here, there] = [formatTreePath(path), formatTreePath(path.slice(0, depth))];
    throw new RepriseError("usage", "SERVICE_FOLDER_LOOP", `${here} is the same folder as ${there}, which it is in`, {
      data: { path: here, same: there },
      hint: "look into that one",
    });
  }
}

function tooMany(node: FileNode): RepriseError {
  const path = formatTreePath(node.path);
  return new RepriseError("unsupported", "SERVICE_FOLDER_TOO_LARGE", `${path} has more than ${MAX_ENTRIES} entries`, {
    hint: "restore it with reprise restore, which needs no list of it",
  });
}
