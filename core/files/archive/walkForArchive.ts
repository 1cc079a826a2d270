// The files of a folder in the order of an archive: each folder before what is in it, with names relative to the top.

import type { ReadOptions } from "../../filesystem/blockReader.js";
import { identityOf, problemOf } from "../listFiles.js";
import type { FileNode, MachineTree, TreeNode } from "../machineTree.js";
import { formatTreePath, type TreePath } from "../treePath.js";

export interface ArchivedNode {
  /** At least one name. */
  names: readonly Uint8Array[];
  /** Null: a disk, or the machine itself. */
  node: FileNode | null;
}

export interface ArchiveOptions extends ReadOptions {
  /** Hears of each file that is not in the archive. */
  onSkipped: (file: { path: string; reason: string }) => void;
}

const MAX_DEPTH = 1024;

export async function* walkForArchive(
  tree: MachineTree,
  source: TreeNode,
  name: Uint8Array | null,
  options: ArchiveOptions,
): AsyncIterable<ArchivedNode> {
  yield* visit(tree, source, name === null ? [] : [name], new Set(), options);
}

async function* visit(
  tree: MachineTree,
  source: TreeNode,
  names: readonly Uint8Array[],
  entered: Set<string>,
  options: ArchiveOptions,
): AsyncIterable<ArchivedNode> {
  options.signal?.throwIfAborted();
  const isFolder = !("stat" in source) || source.stat.kind === "directory";
  const skip = (path: TreePath, reason: string) => options.onSkipped({ path: formatTreePath(path), reason });
  if (isFolder && entered.has(identityOf(source))) return skip(source.path, "this folder is in another place, too");
  if (names.length > MAX_DEPTH) return skip(source.path, `more than ${MAX_DEPTH} folders deep`);
  if (names.length > 0) yield { names, node: "stat" in source ? source : null };
  if (!isFolder) return;
  entered.add(identityOf(source));
  try {
    for await (const entry of tree.list(source, options)) {
      const path = [...source.path, entry.name];
      if (entry.forbidden) {
        skip(path, "a name that no file can have");
        continue;
      }
      const child = await open(tree, source, entry, path, options, skip);
      if (child !== null) yield* visit(tree, child, [...names, entry.name], entered, options);
    }
  } catch (error) {
    skip(source.path, problemOf(error).message);
  }
}

async function open(
  tree: MachineTree,
  source: TreeNode,
  entry: { name: Uint8Array; id: FileNode["node"] | null; volume: FileNode["volume"] | null },
  path: TreePath,
  options: ReadOptions,
  skip: (path: TreePath, reason: string) => void,
): Promise<TreeNode | null> {
  try {
    if ("stat" in source && entry.id !== null)
      return await tree.child(source, { name: entry.name, id: entry.id }, options);
    const content = entry.volume?.content.kind;
    if (content !== undefined && content !== "filesystem" && content !== "foreign" && entry.volume?.problem === null)
      return null;
    return await tree.resolve(path, options);
  } catch (error) {
    skip(path, problemOf(error).message);
    return null;
  }
}
