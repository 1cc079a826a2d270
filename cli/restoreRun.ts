// Carries out a restore plan: all targets are made before the first byte is written, and get their names after the last.

import { createHash, randomBytes } from "node:crypto";
import {
  type Archive,
  checkNewFile,
  createTarget,
  isAbort,
  isOurError,
  type LostRange,
  loadPresenceForReading,
  makeFolder,
  type Presence,
  type Repository,
  RepriseError,
  type RestoreTarget,
  restoreFile,
  restoreImage,
  type Snapshot,
  writeNewFile,
} from "../core/index.js";
import type { Context } from "./context.js";
import type { RestoreItem, RestorePlan } from "./restorePlan.js";

const FOLDER_HINT =
  "several disks are restored into a folder: give --to the name of one, or choose one disk with --disk";

export interface RestoreOptions {
  format: "raw" | "qcow2";
  force: boolean;
  verify: boolean;
  skipDamaged: boolean;
  resume: boolean;
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

/** Everything or nothing gets its final name, as far as the file system allows. An interrupted restore can be resumed. */
export async function runRestore(
  context: Context,
  repository: Repository,
  snapshot: Snapshot,
  plan: RestorePlan,
  options: RestoreOptions,
): Promise<RestoredItem[]> {
  if (plan.folder !== null) await makeFolder(plan.folder, FOLDER_HINT);
  const files = plan.items.filter(({ archive }) => archive.kind === "file");
  for (const { path } of files) await checkNewFile(path, options.force);
  const presence = await loadPresenceForReading(repository, context.options);
  const run = new RestoreRun(context, repository, snapshot, presence, options);
  try {
    await run.makeTargets(plan.items.filter(({ archive }) => archive.kind === "image"));
    const disks = await run.writeTargets();
    const contents = await readFiles(repository, presence, files, context);
    await run.publishTargets();
    for (const [index, { path }] of files.entries()) {
      context.signal.throwIfAborted();
      await writeNewFile(path, contents[index] as Uint8Array, options.force);
    }
    const restoredFiles = files.map(({ archive, path }) => {
      const { name, kind, sizeBytes } = archive;
      return { name, kind, path, sizeBytes, bytesWritten: sizeBytes, bytesKept: 0, lost: [] };
    });
    return [...disks, ...restoredFiles];
  } catch (error) {
    const kept = await run.discardTargets();
    throw kept.length === 0 ? error : withKept(error, kept, context);
  }
}

/** Says what an unfinished restore has left, for the next one or to be removed. */
function withKept(error: unknown, kept: readonly string[], context: Context): unknown {
  const text = `what was written so far is kept in ${kept.join(", ")}: the same command goes on with it; remove it to begin anew`;
  if (!isOurError(error)) {
    if (isAbort(error)) context.note(text);
    return error;
  }
  const { family, code, message, data, retry, hint } = error;
  return new RepriseError(family, code, message, {
    ...{ data: { ...data, kept }, retry, cause: error },
    hint: hint === undefined ? text : `${hint}; ${text}`,
  });
}

class RestoreRun {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #snapshot: Snapshot;
  readonly #presence: Presence;
  readonly #options: RestoreOptions;
  #targets: { item: RestoreItem; target: RestoreTarget; begun: boolean }[] = [];

  constructor(
    context: Context,
    repository: Repository,
    snapshot: Snapshot,
    presence: Presence,
    options: RestoreOptions,
  ) {
    this.#context = context;
    this.#repository = repository;
    this.#snapshot = snapshot;
    this.#presence = presence;
    this.#options = options;
  }

  async makeTargets(items: readonly RestoreItem[]): Promise<void> {
    const { format, force } = this.#options;
    for (const item of items) {
      const { path, archive } = item;
      const resumeKey = this.#resumeKey(archive);
      const { signal } = this.#context;
      const target = await createTarget({ path, format, sizeBytes: archive.sizeBytes, force, resumeKey, signal });
      this.#targets.push({ item, target, begun: false });
    }
  }

  async writeTargets(): Promise<RestoredItem[]> {
    const { verify, skipDamaged } = this.#options;
    const restored: RestoredItem[] = [];
    for (const entry of this.#targets) {
      const { archive, path } = entry.item;
      entry.begun = true;
      const options = { verify, skipDamaged, ...this.#context.options };
      const result = await restoreImage(this.#repository, this.#presence, archive, entry.target, options);
      const { name, kind, sizeBytes } = archive;
      restored.push({ name, kind, path, sizeBytes, ...result });
    }
    return restored;
  }

  /** Interrupted between two disks, the second keeps its partial name and the run is not done. */
  async publishTargets(): Promise<void> {
    const { signal } = this.#context;
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
      if (keep && target.partialPath !== undefined) kept.push(target.partialPath);
      // the error that ends the restore says more than one of cleaning up
      await target.discard({ keep }).catch(() => undefined);
    }
    return kept;
  }

  /** Stands for these very bytes; a random one finds nothing and is found by nobody. */
  #resumeKey(archive: Archive): string {
    if (!this.#options.resume) return randomBytes(16).toString("hex");
    const { sid } = this.#snapshot;
    return createHash("sha256").update(`${sid}\n${archive.name}\n${archive.root}`).digest("hex").slice(0, 32);
  }
}

async function readFiles(
  repository: Repository,
  presence: Presence,
  files: readonly RestoreItem[],
  { options }: Context,
): Promise<Uint8Array[]> {
  const contents: Uint8Array[] = [];
  for (const { archive } of files) contents.push(await restoreFile(repository, presence, archive, options));
  return contents;
}
