// Files by name, path, size, time and kind, in one snapshot or in all of a machine.

import { isOurError, type RepriseError } from "../errors.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import { formatName } from "../filesystem/nameText.js";
import type { OnProgress } from "../platform/progress.js";
import type { Snapshot } from "../repository/catalog.js";
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

export type OpenTree = (snapshot: Snapshot) => Promise<MachineTree>;

/** One state of one file: same path, kind, size, time and link target. */
export interface FoundVersion {
  file: ListedFile;
  /** Oldest first. */
  snapshots: Snapshot[];
}

export interface FindInSnapshotsOptions extends ReadOptions {
  onProgress?: OnProgress;
  /** Something below the path, or the whole of it, cannot be read in a snapshot. */
  onProblem: (snapshot: Snapshot, problem: RepriseError) => void;
}

/**
 * In order of path, then of the first snapshot. Snapshots in which `path` does not exist count for nothing; FILE_NOT_FOUND when
 * it is in none. A snapshot whose disks are the same as those of the one before is not read.
 */
export async function findInSnapshots(
  snapshots: readonly Snapshot[],
  open: OpenTree,
  path: TreePath,
  query: FileQuery,
  options: FindInSnapshotsOptions,
): Promise<FoundVersion[]> {
  const found = new Map<string, FoundVersion>();
  let missing: RepriseError | null = null;
  let disksBefore: string | null = null;
  let hits: ReadonlyMap<string, ListedFile> = new Map();
  for (const [i, snapshot] of snapshots.entries()) {
    options.onProgress?.({
      operation: "find",
      phase: "snapshots",
      done: i,
      total: snapshots.length,
      unit: "snapshots",
    });
    options.signal?.throwIfAborted();
    const disks = disksOf(snapshot);
    if (disksBefore !== disks) {
      const looked = await hitsOf(snapshot, await open(snapshot), path, query, options);
      if ("error" in looked) missing ??= looked.error;
      hits = "error" in looked ? new Map() : looked.files;
      disksBefore = disks;
    }
    for (const [key, file] of hits) {
      const known = found.get(key);
      if (known === undefined) found.set(key, { file, snapshots: [snapshot] });
      else known.snapshots.push(snapshot);
    }
  }
  if (found.size === 0 && missing !== null) throw missing;
  return [...found.values()].sort((a, b) => compareText(pathOf(a), pathOf(b)));
}

/** Not so when it may be in a file system that cannot be read. */
export function isSurelyMissing({ code, data }: RepriseError): boolean {
  return code === "FILE_NOT_FOUND" && (!Array.isArray(data.unreadable) || data.unreadable.length === 0);
}

/** The same text means that every byte of every disk is the same. */
export function disksOf({ manifest }: Snapshot): string {
  const images = manifest.archives.filter(({ kind }) => kind !== "file");
  return images.map(({ name, root, sizeBytes }) => `${name} ${root} ${sizeBytes}`).join("\n");
}

async function hitsOf(
  snapshot: Snapshot,
  tree: MachineTree,
  path: TreePath,
  query: FileQuery,
  options: FindInSnapshotsOptions,
): Promise<{ files: Map<string, ListedFile> } | { error: RepriseError }> {
  const files = new Map<string, ListedFile>();
  try {
    const node = await tree.resolve(path, options);
    for await (const file of findFiles(tree, node, query, options)) {
      if (file.problem === null) files.set(versionKey(file), file);
      else options.onProblem(snapshot, file.problem);
    }
    return { files };
  } catch (error) {
    if (!isOurError(error, "FILE_NOT_FOUND")) throw error;
    if (!isSurelyMissing(error)) options.onProblem(snapshot, error);
    return { error };
  }
}

function versionKey({ path, kind, sizeBytes, stat, target }: ListedFile): string {
  const link = target === null ? "" : formatName(target);
  return [formatTreePath(path), kind, sizeBytes, stat?.modifiedAtNs ?? "", link].join("\n");
}

function pathOf({ file }: FoundVersion): string {
  return formatTreePath(file.path);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
