// Files inside a snapshot for a word such as `vm/web1@latest:/et`: what the folder holds that is named before the last slash.

import {
  formatName,
  isGroup,
  type MachineTree,
  type TreeEntry,
  type TreeNode,
  type TreePath,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { parseFilePlace } from "../given/filePlace.js";
import { openTree } from "../openTree.js";
import type { Candidate } from "./candidates.js";

/** Nobody waits longer for a key. */
const PATIENCE_MS = 3000;
/** Nobody reads more of them. */
const MAX_CANDIDATES = 2000;
/** What a shell would take apart or understand otherwise is left out: names with blanks, quotes, `$`, backslashes. */
const PLAIN_NAME = /^[\p{L}\p{N}._+,%@:=-]+$/u;

/** Folders end with a slash. `typed` has a `:/`; a machine without a time stands for its latest snapshot. */
export async function pathCandidates(context: Context, typed: string): Promise<Candidate[]> {
  const start = typed.slice(0, typed.lastIndexOf("/") + 1);
  const { snapshot, path } = parseFilePlace(start);
  const { tree } = await openTree(context, isMachine(snapshot) ? `${snapshot}@latest` : snapshot);
  const options = { signal: AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)]) };
  const names = new Set<string>();
  for (const folder of await foldersOf(tree, path, options)) {
    for await (const entry of tree.list(folder, options)) {
      const name = formatName(entry.name);
      if (names.size === MAX_CANDIDATES) break;
      if (PLAIN_NAME.test(name) && `${start}${name}`.startsWith(typed)) names.add(isFolder(entry) ? `${name}/` : name);
    }
  }
  return [...names].sort().map((name) => ({ value: start + name, meaning: "" }));
}

function isMachine(name: string): boolean {
  return isGroup(name.slice(name.indexOf(":") + 1));
}

/** Paths may leave out the disk: at the top there are the disks, and the tops of all file systems. */
async function foldersOf(tree: MachineTree, path: TreePath, options: { signal: AbortSignal }): Promise<TreeNode[]> {
  const folder = await tree.resolve(path, options);
  if (folder.kind !== "root") return [folder];
  const folders: TreeNode[] = [folder];
  for (const { disk, name, content } of await tree.volumes.volumes()) {
    if (content.kind !== "filesystem") continue;
    const top = [disk, name].map((part) => new TextEncoder().encode(part));
    // a damaged file system has nothing to offer, and the others have
    const node = await tree.resolve(top, options).catch(() => null);
    if (node !== null) folders.push(node);
  }
  return folders;
}

function isFolder({ kind }: TreeEntry): boolean {
  return kind === "directory" || kind === "disk" || kind === "volume";
}
