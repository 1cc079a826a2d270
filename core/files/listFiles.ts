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
  /** The name is one that no file can have: for the eye only. */
  forbidden: boolean;
  kind: "disk" | "volume" | FileKind | "unreadable";
  sizeBytes: number | null;
  /** Of files and the tops of volumes. */
  stat: FileStat | null;
  /** Of symbolic links, as stored. */
  target: Uint8Array | null;
  /** Of what is in a file system: for reading it without the way from the root. */
  node: FileNode | null;
  /** Of volumes. */
  volume: Volume | null;
  fileSystem: FileSystemInfo | null;
  /** Why it cannot be looked at; the listing goes on. */
  problem: RepriseError | null;
}

export interface ListOptions extends ReadOptions {
  /** Everything below, folders first named and then entered. Default: false. */
  recursive?: boolean;
  /**
   * Which entries are looked at (their inodes read) and answered, as far as name and kind tell; folders are entered all the
   * same, and answered when they cannot be. Default: all.
   */
  select?: (entry: TreeEntry, folder: TreePath) => boolean;
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
  else yield* listFolder(tree, node, options, { entered: new Set(), depth: 0 });
}

interface Descent {
  /** Folders that were entered. No file system has links to folders: one that is met again is damage, and might have no end. */
  entered: Set<string>;
  depth: number;
}

async function* listFolder(
  tree: MachineTree,
  node: TreeNode,
  options: ListOptions,
  descent: Descent,
): AsyncIterable<ListedFile> {
  const entries: TreeEntry[] = [];
  for await (const entry of tree.list(node, options)) if (isWanted(entry, node, options)) entries.push(entry);
  if ("stat" in node) entries.sort((a, b) => compareBytes(a.name, b.name));
  for (let start = 0; start < entries.length; start += LOOK_AHEAD) {
    options.signal?.throwIfAborted();
    const part = entries.slice(start, start + LOOK_AHEAD);
    const children = await Promise.all(part.map((entry) => openEntry(tree, node, entry, options)));
    for (const child of children) {
      const isSelected = options.select?.(child.entry, node.path) ?? true;
      // what is selected may be below it
      if (isSelected || child.listed.problem !== null) yield child.listed;
      if (options.recursive && child.node !== null && descent.depth < MAX_DEPTH)
        yield* enter(tree, child.node, child.listed, options, descent);
    }
  }
}

/** What is not selected matters only when there may be something below it. */
function isWanted(entry: TreeEntry, folder: TreeNode, { select, recursive }: ListOptions): boolean {
  if (select === undefined || select(entry, folder.path)) return true;
  return recursive === true && (entry.kind === null || ["directory", "volume", "disk"].includes(entry.kind));
}

async function* enter(
  tree: MachineTree,
  node: TreeNode,
  itself: ListedFile,
  options: ListOptions,
  { entered, depth }: Descent,
): AsyncIterable<ListedFile> {
  const identity = identityOf(node);
  if (entered.has(identity)) return;
  entered.add(identity);
  try {
    yield* listFolder(tree, node, options, { entered, depth: depth + 1 });
  } catch (error) {
    yield { ...itself, kind: "unreadable", problem: problemOf(error) };
  }
}

/** The same for all paths that lead to one node. */
export function identityOf(node: TreeNode): string {
  return "stat" in node ? `${node.volume.disk}/${node.volume.name}/${node.node}` : formatTreePath(node.path);
}

interface Opened {
  entry: TreeEntry;
  listed: ListedFile;
  /** Of what can be entered. */
  node: TreeNode | null;
}

async function openEntry(tree: MachineTree, parent: TreeNode, entry: TreeEntry, options: ListOptions): Promise<Opened> {
  const path = [...parent.path, entry.name];
  const { forbidden } = entry;
  const nothing = {
    path,
    forbidden,
    sizeBytes: null,
    stat: null,
    target: null,
    node: null,
    volume: null,
    fileSystem: null,
    problem: null,
  };
  try {
    if (entry.kind === "disk") {
      const node = await tree.resolve(path, options);
      const sizeBytes =
        node.kind === "disk" ? tree.volumes.disks.find(({ name }) => name === node.disk)?.sizeBytes : null;
      return { entry, listed: { ...nothing, kind: "disk", sizeBytes: sizeBytes ?? null }, node };
    }
    if (entry.volume !== null && !("stat" in parent))
      return { entry, ...(await openVolume(tree, path, entry.volume, options)) };
    if (!("stat" in parent) || entry.id === null) throw fileNotFound("entry");
    const child = await tree.child(parent, { name: entry.name, id: entry.id }, options);
    const shown = { ...(await listed(child, options)), forbidden };
    // what is below it has no path that anybody could give
    return { entry, listed: shown, node: !forbidden && child.stat.kind === "directory" ? child : null };
  } catch (error) {
    return { entry, listed: { ...nothing, kind: "unreadable", problem: problemOf(error) }, node: null };
  }
}

async function openVolume(
  tree: MachineTree,
  path: TreePath,
  volume: Volume,
  options: ListOptions,
): Promise<Omit<Opened, "entry">> {
  const { sizeBytes } = volume;
  const { fileSystem, problem } = await tree.volumes.describe(volume);
  const itself: ListedFile = {
    ...{ path, forbidden: false, kind: "volume", sizeBytes, stat: null, target: null, node: null },
    ...{ volume, fileSystem, problem },
  };
  if (fileSystem === null) return { listed: itself, node: null };
  return { listed: itself, node: await tree.resolve(path, options) };
}

async function listed(node: FileNode, options: ReadOptions): Promise<ListedFile> {
  const { stat, fileSystem, path, node: id } = node;
  const target = stat.kind === "symlink" ? await fileSystem.readLink(id, options) : null;
  const { sizeBytes, kind } = stat;
  const nothing = { volume: null, fileSystem: null, problem: null };
  return { path, forbidden: false, kind, sizeBytes, stat, target, node, ...nothing };
}

/** What belongs to the image is answered; aborts, errors of the storage and bugs are thrown. */
export function problemOf(error: unknown): RepriseError {
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
