// Files in all snapshots of a machine: each state of each file once, with the snapshots that have it so.

import { isOurError, type RepriseError } from "../errors.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import { formatName } from "../filesystem/nameText.js";
import type { OnProgress } from "../platform/progress.js";
import type { Snapshot } from "../repository/catalog.js";
import { type FileQuery, findFiles } from "./findFiles.js";
import type { ListedFile } from "./listFiles.js";
import type { MachineTree } from "./machineTree.js";
import { formatTreePath, type TreePath } from "./treePath.js";

export type OpenTree = (snapshot: Snapshot) => Promise<MachineTree>;

/** One state of one file: same path, kind, size, time and link target. */
export interface FoundVersion {
  /** Without its node, which would keep what was read of its disk. */
  file: ListedFile;
  /** The snapshots that have it like that, as positions in what was searched; from and to, both included. */
  runs: { from: number; to: number }[];
}

export interface FoundVersions {
  /** In order of path, then of when they were met. */
  versions: FoundVersion[];
  /** False: it ended at the limit. There is more, and what was found may be in more snapshots than its runs say. */
  complete: boolean;
}

export interface FindInSnapshotsOptions extends ReadOptions {
  onProgress?: OnProgress;
  /** Something below the path, or the whole of it, cannot be read in a snapshot. */
  onProblem: (snapshot: Snapshot, problem: RepriseError, path: TreePath) => void;
  /** As soon as a version is met; its runs grow later. */
  onFound?: (version: FoundVersion) => void;
  /** So many versions, then the search ends. Default: all, in memory. */
  limit?: number;
}

/**
 * In the order of `snapshots`. Those in which `path` does not exist count for nothing; FILE_NOT_FOUND when it is in none. A snapshot whose
 * disks are the same as those of the one before is not read.
 */
export async function findInSnapshots(
  snapshots: readonly Snapshot[],
  open: OpenTree,
  path: TreePath,
  query: FileQuery,
  options: FindInSnapshotsOptions,
): Promise<FoundVersions> {
  const found = new Found(options);
  const total = snapshots.length;
  let missing: RepriseError | null = null;
  let disksBefore: string | null = null;
  for (const [at, snapshot] of snapshots.entries()) {
    options.onProgress?.({ operation: "find", phase: "snapshots", done: at, total, unit: "snapshots" });
    options.signal?.throwIfAborted();
    const disks = disksOf(snapshot);
    if (disksBefore === disks) {
      found.sameAgain(at);
      continue;
    }
    disksBefore = disks;
    const error = await lookInto(snapshot, at, await open(snapshot), { path, query, options, found });
    missing ??= error;
    if (found.isCut) break;
  }
  if (found.isEmpty && missing !== null) throw missing;
  return { versions: found.sorted(), complete: !found.isCut };
}

/** Of what was searched, those that have it like that, in the same order. */
export function snapshotsHaving(snapshots: readonly Snapshot[], { runs }: FoundVersion): Snapshot[] {
  return runs.flatMap(({ from, to }) => snapshots.slice(from, to + 1));
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

interface Looking {
  path: TreePath;
  query: FileQuery;
  options: FindInSnapshotsOptions;
  found: Found;
}

/** FILE_NOT_FOUND is answered: it may be in another snapshot. */
async function lookInto(
  snapshot: Snapshot,
  at: number,
  tree: MachineTree,
  { path, query, options, found }: Looking,
): Promise<RepriseError | null> {
  found.begin();
  try {
    const node = await tree.resolve(path, options);
    for await (const file of findFiles(tree, node, query, options)) {
      if (file.problem !== null) options.onProblem(snapshot, file.problem, file.path);
      else if (!found.add(file, at)) break;
    }
    return null;
  } catch (error) {
    if (!isOurError(error, "FILE_NOT_FOUND")) throw error;
    if (!isSurelyMissing(error)) options.onProblem(snapshot, error, path);
    return error;
  }
}

class Found {
  readonly #limit: number;
  readonly #onFound: ((version: FoundVersion) => void) | undefined;
  readonly #versions = new Map<string, FoundVersion>();
  /** Of the snapshot that was read last. */
  #last: FoundVersion[] = [];
  isCut = false;

  constructor({ limit = Number.POSITIVE_INFINITY, onFound }: FindInSnapshotsOptions) {
    this.#limit = limit;
    this.#onFound = onFound;
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  begin(): void {
    this.#last = [];
  }

  /** False: there is no room for it. */
  add(file: ListedFile, at: number): boolean {
    const key = versionKey(file);
    const known = this.#versions.get(key);
    if (known !== undefined) {
      this.#isIn(known, at);
      return true;
    }
    this.isCut = this.#versions.size >= this.#limit;
    if (this.isCut) return false;
    const version: FoundVersion = { file: { ...file, node: null }, runs: [{ from: at, to: at }] };
    this.#versions.set(key, version);
    this.#last.push(version);
    this.#onFound?.(version);
    return true;
  }

  sameAgain(at: number): void {
    for (const { runs } of this.#last) (runs.at(-1) as { to: number }).to = at;
  }

  sorted(): FoundVersion[] {
    return [...this.#versions.values()]
      .map((version) => ({ version, path: formatTreePath(version.file.path) }))
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
      .map(({ version }) => version);
  }

  #isIn(version: FoundVersion, at: number): void {
    const run = version.runs.at(-1) as { to: number };
    // a damaged folder may have a name twice
    if (run.to === at) return;
    if (run.to === at - 1) run.to = at;
    else version.runs.push({ from: at, to: at });
    this.#last.push(version);
  }
}

function versionKey({ path, kind, sizeBytes, stat, target }: ListedFile): string {
  const link = target === null ? "" : formatName(target);
  return [formatTreePath(path), kind, sizeBytes, stat?.modifiedAtNs ?? "", link].join("\n");
}
