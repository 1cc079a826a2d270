// Files by name, path, size, time and kind, in one snapshot.

import type { ReadOptions } from "../filesystem/blockReader.js";
import { formatName } from "../filesystem/nameText.js";
import { type ListedFile, listFiles } from "./listFiles.js";
import type { MachineTree, TreeEntry, TreeNode } from "./machineTree.js";
import { formatTreePath, type TreePath } from "./treePath.js";

export interface FileQuery {
  /** Of names as they are shown. Absent: all. */
  name?: (name: string) => boolean;
  /** Of paths, from the root of the tree or of the volume. */
  path?: (path: string) => boolean;
  /** Of plain files; from and to, both included. */
  sizeBytes?: { from: number; to: number };
  /** Modified after this. */
  newerThanNs?: bigint;
  kinds?: ReadonlySet<ListedFile["kind"]>;
}

/** Below a folder, not itself; a file answers for itself. Folders that cannot be read are answered with their problem. */
export async function* findFiles(
  tree: MachineTree,
  node: TreeNode,
  query: FileQuery,
  options: ReadOptions = {},
): AsyncIterable<ListedFile> {
  const select = (entry: TreeEntry, folder: TreePath) => mayFit(query, entry, folder);
  for await (const file of listFiles(tree, node, { ...options, recursive: true, select }))
    if (file.problem !== null || fits(query, file)) yield file;
}

/** What the directory alone can tell. */
function mayFit({ kinds, name, path }: FileQuery, entry: TreeEntry, folder: TreePath): boolean {
  if (kinds !== undefined && entry.kind !== null && !kinds.has(entry.kind)) return false;
  if (name !== undefined && !name(formatName(entry.name))) return false;
  return path === undefined || pathFits(path, [...folder, entry.name]);
}

function fits({ kinds, name, path, sizeBytes, newerThanNs }: FileQuery, file: ListedFile): boolean {
  if (kinds !== undefined && !kinds.has(file.kind)) return false;
  if (name !== undefined && !name(formatName(file.path.at(-1) ?? new Uint8Array(0)))) return false;
  if (path !== undefined && !pathFits(path, file.path)) return false;
  if (sizeBytes !== undefined) {
    if (file.kind !== "file" || file.sizeBytes === null) return false;
    if (file.sizeBytes < sizeBytes.from || file.sizeBytes > sizeBytes.to) return false;
  }
  if (newerThanNs === undefined) return true;
  const modified = file.stat?.modifiedAtNs ?? null;
  return modified !== null && modified > newerThanNs;
}

function pathFits(path: (path: string) => boolean, names: TreePath): boolean {
  return path(formatTreePath(names)) || (names.length > 2 && path(formatTreePath(names.slice(2))));
}
