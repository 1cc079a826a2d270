// Listing the tree with what each entry is: one folder, or everything below it.

import { isAbort, isOurError, type RepriseError } from "../errors.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import type { FileKind, FileStat, FileSystemInfo } from "../filesystem/fileSystem.js";
import { fileNotFound } from "../filesystem/filesystemErrors.js";
import type { FileNode, MachineTree, TreeEntry, TreeNode } from "./machineTree.js";
import type { Volume } from "./machineVolumes.js";
import { formatTreePath, type TreePath } from "./treePath.js";

export interface ListedFile {
  path: TreePath;
  kind: "disk" | "volume" | FileKind | "unreadable";
  sizeBytes: number | null;
  /** Of files and the tops of volumes. */
  stat: FileStat | null;
  /** Of symbolic links, as stored. */
  target: Uint8Array | null;
  /** Of volumes. */
  volume: Volume | null;
  fileSystem: FileSystemInfo | null;
  /** Why it cannot be looked at; the listing goes on. */
  problem: RepriseError | null;
}

export interface ListOptions extends ReadOptions {
  /** Everything below, folders first named and then entered. Default: false. */
  recursive?: boolean;
}

/** Entries looked up at once: their inodes lie near each other. */
const LOOK_AHEAD = 64;
/** Deeper than any real tree; a damaged one must not recurse for ever. */
const MAX_DEPTH = 1024;

/** A file lists itself, a folder what is in it. Entries of one folder are in order of their names' bytes. */
export async function* listFiles(
  tree: MachineTree,
  node: TreeNode,
  options: ListOptions = {},
): AsyncIterable<ListedFile> {
  if ("stat" in node && node.stat.kind !== "directory") yield await listed(node, options);
  else yield* listFolder(tree, node, options, new Set());
}

async function* listFolder(
  tree: MachineTree,
  node: TreeNode,
  options: ListOptions,
  above: ReadonlySet<string>,
): AsyncIterable<ListedFile> {
  const entries: TreeEntry[] = [];
  for await (const entry of tree.list(node, options)) entries.push(entry);
  if ("stat" in node) entries.sort((a, b) => compareBytes(a.name, b.name));
  for (let start = 0; start < entries.length; start += LOOK_AHEAD) {
    options.signal?.throwIfAborted();
    const part = entries.slice(start, start + LOOK_AHEAD);
    const children = await Promise.all(part.map((entry) => openEntry(tree, node, entry, options)));
    for (const child of children) {
      yield child.listed;
      if (options.recursive && child.node !== null && above.size < MAX_DEPTH)
        yield* enter(tree, child.node, child.listed, options, above);
    }
  }
}

/** A folder that is inside itself is not entered a second time: the file system is damaged. */
async function* enter(
  tree: MachineTree,
  node: TreeNode,
  itself: ListedFile,
  options: ListOptions,
  above: ReadonlySet<string>,
): AsyncIterable<ListedFile> {
  const identity = "stat" in node ? `${node.volume.disk}/${node.volume.name}/${node.node}` : formatTreePath(node.path);
  if (above.has(identity)) return;
  try {
    yield* listFolder(tree, node, options, new Set([...above, identity]));
  } catch (error) {
    yield { ...itself, kind: "unreadable", problem: problemOf(error) };
  }
}

interface Opened {
  listed: ListedFile;
  /** Of what can be entered. */
  node: TreeNode | null;
}

async function openEntry(tree: MachineTree, parent: TreeNode, entry: TreeEntry, options: ListOptions): Promise<Opened> {
  const path = [...parent.path, entry.name];
  const nothing = { path, sizeBytes: null, stat: null, target: null, volume: null, fileSystem: null, problem: null };
  try {
    if (entry.kind === "disk") return { listed: { ...nothing, kind: "disk" }, node: await tree.resolve(path, options) };
    if (entry.volume !== null && !("stat" in parent)) return await openVolume(tree, path, entry.volume, options);
    if (!("stat" in parent) || entry.id === null) throw fileNotFound("entry");
    const child = await tree.child(parent, { name: entry.name, id: entry.id }, options);
    return { listed: await listed(child, options), node: child.stat.kind === "directory" ? child : null };
  } catch (error) {
    return { listed: { ...nothing, kind: "unreadable", problem: problemOf(error) }, node: null };
  }
}

async function openVolume(tree: MachineTree, path: TreePath, volume: Volume, options: ListOptions): Promise<Opened> {
  const { sizeBytes, problem } = volume;
  const fileSystem = await tree.volumes.describe(volume);
  const itself: ListedFile = { path, kind: "volume", sizeBytes, stat: null, target: null, volume, fileSystem, problem };
  if (fileSystem === null) return { listed: itself, node: null };
  return { listed: itself, node: await tree.resolve(path, options) };
}

async function listed(node: FileNode, options: ReadOptions): Promise<ListedFile> {
  const { stat, fileSystem, path, node: id } = node;
  const target = stat.kind === "symlink" ? await fileSystem.readLink(id, options) : null;
  const { sizeBytes, kind } = stat;
  return { path, kind, sizeBytes, stat, target, volume: null, fileSystem: null, problem: null };
}

function problemOf(error: unknown): RepriseError {
  if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
  return error;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
