// All versions of one path over the snapshots of a machine, told apart by what is in them and not by their times. A version
// that the image maps show to be unchanged is not read.

import { isAbort, isOurError } from "../errors.js";
import type { ReadOptions } from "../filesystem/blockReader.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import type { OnProgress } from "../platform/progress.js";
import type { Snapshot } from "../repository/catalog.js";
import { areRangesEqual, digestOfFile } from "./compareContents.js";
import { type ContentPiece, contentPieces, unequalRanges } from "./contentMap.js";
import { disksOf, isSurelyMissing, type OpenTree } from "./findInSnapshots.js";
import { compareBytes } from "./listFiles.js";
import type { FileNode, TreeNode } from "./machineTree.js";
import type { TreePath } from "./treePath.js";

export interface PathVersion {
  /** From 1, in order of appearance. */
  number: number;
  kind: FileNode["stat"]["kind"];
  sizeBytes: number;
  /** As of its first snapshot. */
  modifiedAtNs: bigint | null;
  /** Where it was found, as of its first snapshot. */
  path: TreePath;
  /** Of plain files, where it was needed to tell versions apart; else null. */
  sha256: string | null;
  first: Snapshot;
  last: Snapshot;
  snapshots: number;
}

/** Neighbouring snapshots with one version, or without the path. */
export interface HistoryPeriod {
  /** Null: it was not there, or could not be read. */
  version: number | null;
  /** Why it could not be read. */
  problem: string | null;
  first: Snapshot;
  last: Snapshot;
  snapshots: number;
}

export interface PathHistory {
  versions: PathVersion[];
  periods: HistoryPeriod[];
}

export interface HistoryOptions extends ReadOptions {
  onProgress?: OnProgress;
}

/**
 * `snapshots`: oldest first. Folders are compared by the names and kinds in them, links by their targets. A path that cannot be
 * read in some snapshot is a period with a problem; errors of the storage are thrown.
 */
export async function pathHistory(
  snapshots: readonly Snapshot[],
  open: OpenTree,
  path: TreePath,
  options: HistoryOptions = {},
): Promise<PathHistory> {
  const history = new History(path, open, options);
  for (const [i, snapshot] of snapshots.entries()) {
    options.onProgress?.({
      operation: "history",
      phase: "snapshots",
      done: i,
      total: snapshots.length,
      unit: "snapshots",
    });
    options.signal?.throwIfAborted();
    await history.add(snapshot);
  }
  return { versions: history.versions.map(({ shown }) => shown), periods: history.periods };
}

/** What a path leads to in one snapshot. */
interface Sight {
  node: FileNode;
  pieces: ContentPiece[] | null;
  /** Of folders and links; for plain files null until it is needed. */
  digest: string | null;
}

interface HeldVersion {
  shown: PathVersion;
  digest: string | null;
}

class History {
  readonly versions: HeldVersion[] = [];
  readonly periods: HistoryPeriod[] = [];
  readonly #path: TreePath;
  readonly #open: OpenTree;
  readonly #options: HistoryOptions;
  /** The last snapshot in which the path was there, and its version. */
  #last: { sight: Sight; version: HeldVersion } | null = null;
  #disks = "";

  constructor(path: TreePath, open: OpenTree, options: HistoryOptions) {
    this.#path = path;
    this.#open = open;
    this.#options = options;
  }

  async add(snapshot: Snapshot): Promise<void> {
    const disks = disksOf(snapshot);
    const period = this.periods.at(-1);
    if (period !== undefined && disks === this.#disks) return this.#note(snapshot, period.version, period.problem);
    this.#disks = disks;
    try {
      const node = await (await this.#open(snapshot)).resolve(this.#path, this.#options);
      const version = await this.#versionOf(snapshot, node);
      this.#note(snapshot, version?.shown.number ?? null, null);
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend" || error.family === "invariant")
        throw error;
      this.#note(snapshot, null, isSurelyMissing(error) ? null : error.message);
    }
  }

  #note(snapshot: Snapshot, number: number | null, problem: string | null): void {
    const period = this.periods.at(-1);
    if (period !== undefined && period.version === number && period.problem === problem) {
      period.last = snapshot;
      period.snapshots++;
    } else this.periods.push({ version: number, problem, first: snapshot, last: snapshot, snapshots: 1 });
    const version = number === null ? undefined : this.versions[number - 1]?.shown;
    if (version === undefined) return;
    version.last = snapshot;
    version.snapshots++;
  }

  /** Null for what has no versions: disks. */
  async #versionOf(snapshot: Snapshot, node: TreeNode): Promise<HeldVersion | null> {
    if (!("stat" in node)) return null;
    const sight = await this.#look(node);
    const version =
      (await this.#sameAsLast(sight)) ?? (await this.#sameAsAny(sight)) ?? this.#newVersion(snapshot, sight);
    this.#last = { sight, version };
    return version;
  }

  async #look(node: FileNode): Promise<Sight> {
    const { kind } = node.stat;
    const { fileSystem } = node;
    if (kind === "file") return { node, pieces: await contentPieces(node, this.#options), digest: null };
    if (kind === "symlink")
      return { node, pieces: null, digest: digestOf([await fileSystem.readLink(node.node, this.#options)]) };
    if (kind !== "directory") return { node, pieces: null, digest: JSON.stringify(node.stat.device) };
    const names: Uint8Array[] = [];
    for await (const entry of fileSystem.readDirectory(node.node, this.#options))
      names.push(Uint8Array.from([...entry.name, 0, ...new TextEncoder().encode(entry.kind ?? "")]));
    return { node, pieces: null, digest: digestOf(names.sort(compareBytes)) };
  }

  /** By the maps, and by reading what they do not show to be equal. */
  async #sameAsLast(sight: Sight): Promise<HeldVersion | null> {
    if (this.#last === null || !isAlike(this.#last.version, sight)) return null;
    const { pieces, node } = this.#last.sight;
    if (pieces === null || sight.pieces === null) return null;
    const unequal = unequalRanges(pieces, sight.pieces);
    return (await areRangesEqual(node, sight.node, unequal, this.#options)) ? this.#last.version : null;
  }

  /** By digests, of those that could be the same; versions that nothing is compared with are never read. */
  async #sameAsAny(sight: Sight): Promise<HeldVersion | null> {
    const alike = this.versions.filter((version) => isAlike(version, sight));
    if (alike.length === 0) return null;
    sight.digest ??= await digestOfFile(sight.node, this.#options);
    for (const version of alike) if ((await this.#digestOf(version)) === sight.digest) return version;
    return null;
  }

  async #digestOf(version: HeldVersion): Promise<string> {
    if (version.digest !== null) return version.digest;
    const node = await (await this.#open(version.shown.first)).resolve(this.#path, this.#options);
    version.digest = await digestOfFile(node as FileNode, this.#options);
    version.shown.sha256 = version.digest;
    return version.digest;
  }

  #newVersion(snapshot: Snapshot, { node, digest }: Sight): HeldVersion {
    const { kind, sizeBytes, modifiedAtNs } = node.stat;
    const number = this.versions.length + 1;
    const shown: PathVersion = {
      ...{ number, kind, sizeBytes, modifiedAtNs, path: node.path, sha256: kind === "file" ? digest : null },
      ...{ first: snapshot, last: snapshot, snapshots: 0 },
    };
    const version = { shown, digest };
    this.versions.push(version);
    return version;
  }
}

/** Whether it can be the same version at all. Sizes of folders are those of their lists. */
function isAlike({ shown }: HeldVersion, { node }: Sight): boolean {
  return shown.kind === node.stat.kind && (shown.kind === "directory" || shown.sizeBytes === node.stat.sizeBytes);
}

function digestOf(parts: readonly Uint8Array[]): string {
  // no name has a slash in it that could be taken for the end of one
  return bytesToHex(sha256(Buffer.concat(parts.flatMap((part) => [part, Buffer.from("/")]))));
}
