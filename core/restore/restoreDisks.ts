// Writes several disks and configuration files of a snapshot, each to its path: all targets are made before the first byte is
// written, and get their names after the last.

import { createHash, randomBytes } from "node:crypto";
import { lstat } from "node:fs/promises";
import { isAbort, isOurError, RepriseError } from "../errors.js";
import type { Archive } from "../format/manifest.js";
import { checkNewFile, writeNewFile } from "../platform/newFile.js";
import type { OnProgress } from "../platform/progress.js";
import type { Snapshot } from "../repository/catalog.js";
import { loadPresenceForReading, type Presence } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import type { RestoreTarget } from "./blockTarget.js";
import { createTarget } from "./openTarget.js";
import { restoreFile } from "./restoreFile.js";
import { type LostRange, restoreImage } from "./restoreImage.js";

export interface RestoreItem {
  archive: Archive;
  /** Of the file or block device that is written. */
  path: string;
}

export interface RestoreDisksOptions {
  format: "raw" | "qcow2";
  /** Replace existing files; overwrite block devices. */
  force: boolean;
  /** Read everything again after writing. */
  verify: boolean;
  /** Fill what is lost with zeros and go on. */
  skipDamaged: boolean;
  /** Keep what was written when it is interrupted, and go on with what an interrupted one has kept. */
  resume: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress;
  onWarning: OnWarning;
  /** Hears what an abort has left. */
  onKept?: (text: string) => void;
}

export interface RestoredItem {
  name: string;
  kind: Archive["kind"];
  path: string;
  sizeBytes: number;
  bytesWritten: number;
  /** Written by an interrupted run before this one. */
  bytesKept: number;
  lost: LostRange[];
}

/**
 * Disks and configuration files, no folders; the folders of the paths exist. Everything or nothing gets its final name, as far as
 * the file system allows. What createTarget and restoreImage throw; TARGET_EXISTS before anything is written.
 */
export async function restoreDisks(
  repository: Repository,
  snapshot: Snapshot,
  items: readonly RestoreItem[],
  options: RestoreDisksOptions,
): Promise<RestoredItem[]> {
  const files = items.filter(({ archive }) => archive.kind === "file");
  for (const { path } of files) await checkNewFile(path, options.force);
  const presence = await loadPresenceForReading(repository, options);
  const run = new RestoreRun(repository, snapshot, presence, options);
  try {
    await run.makeTargets(items.filter(({ archive }) => archive.kind === "image"));
    const disks = await run.writeTargets();
    const contents: Uint8Array[] = [];
    for (const { archive } of files) contents.push(await restoreFile(repository, presence, archive, options));
    await run.publishTargets();
    for (const [index, { path }] of files.entries()) {
      options.signal?.throwIfAborted();
      await writeNewFile(path, contents[index] as Uint8Array, options.force);
    }
    const restoredFiles = files.map(({ archive, path }) => {
      const { name, kind, sizeBytes } = archive;
      return { name, kind, path, sizeBytes, bytesWritten: sizeBytes, bytesKept: 0, lost: [] };
    });
    return [...disks, ...restoredFiles];
  } catch (error) {
    const kept = await run.discardTargets();
    throw kept.length === 0 ? error : withKept(error, kept, options);
  }
}

/** `root.raw` for a disk, its own name for a file; a disk gives way when the two are the same. */
export function restoredFileNames(archives: readonly Archive[], format: "raw" | "qcow2"): string[] {
  const files = new Set(archives.filter(({ kind }) => kind === "file").map(({ name }) => name));
  return archives.map(({ name, kind }) => {
    if (kind === "file") return name;
    let fileName = `${name}.${format}`;
    while (files.has(fileName)) fileName = `${fileName}.${format}`;
    return fileName;
  });
}

/** Says what an unfinished restore has left, for the next one or to be removed. */
function withKept(error: unknown, kept: readonly string[], { onKept }: RestoreDisksOptions): unknown {
  const text = `what was written so far is kept in ${kept.join(", ")}: the same command goes on with it; remove it to begin anew`;
  if (!isOurError(error)) {
    if (isAbort(error)) onKept?.(text);
    return error;
  }
  const { family, code, message, data, retry, hint } = error;
  return new RepriseError(family, code, message, {
    ...{ data: { ...data, kept }, retry, cause: error },
    hint: hint === undefined ? text : `${hint}; ${text}`,
  });
}

class RestoreRun {
  readonly #repository: Repository;
  readonly #snapshot: Snapshot;
  readonly #presence: Presence;
  readonly #options: RestoreDisksOptions;
  #targets: { item: RestoreItem; target: RestoreTarget; begun: boolean }[] = [];

  constructor(repository: Repository, snapshot: Snapshot, presence: Presence, options: RestoreDisksOptions) {
    this.#repository = repository;
    this.#snapshot = snapshot;
    this.#presence = presence;
    this.#options = options;
  }

  async makeTargets(items: readonly RestoreItem[]): Promise<void> {
    const { format, force, signal } = this.#options;
    for (const item of items) {
      const { path, archive } = item;
      const resumeKey = this.#resumeKey(archive);
      const target = await createTarget({ path, format, sizeBytes: archive.sizeBytes, force, resumeKey, signal });
      this.#targets.push({ item, target, begun: false });
    }
  }

  async writeTargets(): Promise<RestoredItem[]> {
    const { verify, skipDamaged, signal, onProgress, onWarning } = this.#options;
    const restored: RestoredItem[] = [];
    for (const entry of this.#targets) {
      const { archive, path } = entry.item;
      entry.begun = true;
      const options = { verify, skipDamaged, signal, onProgress, onWarning };
      const result = await restoreImage(this.#repository, this.#presence, archive, entry.target, options);
      const { name, kind, sizeBytes } = archive;
      restored.push({ name, kind, path, sizeBytes, ...result });
    }
    return restored;
  }

  /** Interrupted between two disks, the second keeps its partial name and the run is not done. */
  async publishTargets(): Promise<void> {
    const { signal } = this.#options;
    while (this.#targets.length > 0) {
      await (this.#targets[0] as { target: RestoreTarget }).target.publish({ signal });
      this.#targets.shift();
    }
  }

  /** What was begun is kept for the next run, unless nothing can find it again. Answers where. */
  async discardTargets(): Promise<string[]> {
    const kept: string[] = [];
    for (const { target, begun } of this.#targets.splice(0)) {
      const keep = this.#options.resume && (begun || target.resumed);
      // the error that ends the restore says more than one of cleaning up
      await target.discard({ keep }).catch(() => undefined);
      const { partialPath } = target;
      if (keep && partialPath !== undefined && (await isThere(partialPath))) kept.push(partialPath);
    }
    return kept;
  }

  /** Stands for these very bytes; a random one finds nothing and is found by nobody. */
  #resumeKey(archive: Archive): string {
    if (!this.#options.resume) return randomBytes(16).toString("hex");
    const { sid } = this.#snapshot;
    // neither takes what the other has kept for its own and empties it; a killed qcow2 restore's server may still write its file
    const format = this.#options.format === "raw" ? "" : `\n${this.#options.format}`;
    return createHash("sha256").update(`${sid}\n${archive.name}\n${archive.root}${format}`).digest("hex").slice(0, 32);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
