// Restores from the editor: files and folders, one disk, or a whole machine. The core sees to it that nothing is written outside
// the target; here it is only told what goes where, and how far it is.

import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  formatTreePath,
  isAbort,
  makeFolder,
  parseTreePath,
  RepriseError,
  type RestoreFilesReport,
  type RestoreFilesRequest,
  type RestoreItem,
  refuseTargetInside,
  removeUnfinished,
  restoreDisks,
  restoredFileNames,
  restoreFiles,
  type Snapshot,
} from "../../core/index.js";
import type { ArgumentOf, ProgressData } from "./protocol.js";
import { MAX_SKIPPED, type RestoredDisksData, type RestoredFilesData } from "./restoreProtocol.js";
import type { CallContext, Session } from "./session.js";
import { requireSnapshotId } from "./snapshotId.js";
import { resolvePlace } from "./treeAnswers.js";

/** A restore does not wait longer to learn how much it will be. */
const MEASURE_MS = 5000;

export async function restoreFilesTo(
  session: Session,
  argument: ArgumentOf<"restoreFiles">,
  context: CallContext,
): Promise<RestoredFilesData> {
  const { snapshot, path, to, existing } = argument;
  await refuseTargetInside(session.repository.backend, to);
  const { tree, node } = await resolvePlace(session, { snapshot, path }, context, false);
  const name = parseTreePath(path).at(-1) ?? null;
  if (name === null && existing === "refuse") await refuseFull(to);
  const request = { tree, source: node, name, to, existing, owners: true, devices: false, dryRun: false };
  const total = await measure(request, context);
  const skippedFiles: { path: string; reason: string }[] = [];
  const report = await restoreFiles(request, {
    signal: context.signal,
    onProgress: (event) =>
      context.onProgress({ ...event, total: total === null ? undefined : Math.max(total, event.done) }),
    onSkipped: (file) => {
      if (skippedFiles.length < MAX_SKIPPED) skippedFiles.push(file);
    },
  });
  return filesData(to, report, skippedFiles);
}

export async function restoreDisksTo(
  session: Session,
  argument: ArgumentOf<"restoreDisks">,
  context: CallContext,
): Promise<RestoredDisksData> {
  const { disk, to, format, replace, skipDamaged } = argument;
  await refuseTargetInside(session.repository.backend, to);
  const snapshot = await session.snapshot(requireSnapshotId(argument.snapshot), context);
  const items = itemsOf(snapshot, argument);
  if (disk === null) await makeFolder(to, "choose another folder");
  const restored = await restoreDisks(session.repository, snapshot, items, {
    ...{ format, force: replace, verify: false, skipDamaged, resume: true, signal: context.signal },
    onWarning: context.onWarning,
    onProgress: sumOfDisks(items, context.onProgress),
    onKept: (message) => context.onWarning({ code: "RESTORE_UNFINISHED", message }),
  });
  const disks = restored.map(({ name, path, sizeBytes, bytesWritten, bytesKept, lost }) => {
    return { name, path, sizeBytes, bytesWritten, bytesKept, lost };
  });
  const hasFolders = disk === null && snapshot.manifest.archives.some(({ kind }) => kind === "tree");
  return { to, disks, files: hasFolders ? await restoreFolders(session, argument, snapshot, context) : null };
}

/** Only names that restores give to what they have not finished, and only what no other restore is writing. */
export async function removeLeftovers({ paths }: ArgumentOf<"removeUnfinished">): Promise<{ removed: string[] }> {
  const removed: string[] = [];
  for (const path of paths) if (await removeUnfinished(path)) removed.push(path);
  return { removed };
}

function itemsOf(snapshot: Snapshot, { disk, to, format }: ArgumentOf<"restoreDisks">): RestoreItem[] {
  const archives = snapshot.manifest.archives.filter(({ kind }) => kind !== "tree");
  if (disk === null) {
    const names = restoredFileNames(archives, format);
    return archives.map((archive, i) => ({ archive, path: join(to, names[i] as string) }));
  }
  const archive = archives.find(({ name }) => name === disk);
  if (archive !== undefined) return [{ archive, path: to }];
  throw new RepriseError("usage", "ARCHIVE_UNKNOWN", `the snapshot has no disk ${String(disk)}`, {
    data: { name: String(disk) },
    hint: `it has ${archives.map(({ name }) => name).join(", ")}`,
  });
}

/** Machines whose folders were backed up instead of disks: each folder beside the disks. */
async function restoreFolders(
  session: Session,
  { to, replace, repository }: ArgumentOf<"restoreDisks">,
  snapshot: Snapshot,
  context: CallContext,
): Promise<RestoredFilesData> {
  const trees = snapshot.manifest.archives.filter(({ kind }) => kind === "tree");
  let sum: RestoredFilesData | undefined;
  for (const { name } of trees) {
    const path = formatTreePath([new TextEncoder().encode(name)]);
    const place = { repository, snapshot: snapshot.sid, path, to };
    const one = await restoreFilesTo(session, { ...place, existing: replace ? "replace" : "refuse" }, context);
    sum = sum === undefined ? one : added(sum, one);
  }
  return sum as RestoredFilesData;
}

/** Null: it would take too long to find out. */
async function measure(request: RestoreFilesRequest, context: CallContext): Promise<number | null> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(MEASURE_MS)]);
  try {
    const { sizeBytes } = await restoreFiles({ ...request, dryRun: true }, { signal, onSkipped: () => {} });
    return sizeBytes;
  } catch (error) {
    context.signal.throwIfAborted();
    if (isAbort(error) || signal.aborted) return null;
    throw error;
  }
}

/** Without a folder around it nothing stands for what is restored: the target has to be new or empty. */
async function refuseFull(to: string): Promise<void> {
  const names = await readdir(to).catch(() => []);
  if (names.length === 0) return;
  throw new RepriseError("source", "TARGET_EXISTS", `${to} is not empty`, {
    data: { path: to },
    hint: `choose a new folder in ${dirname(to)}`,
  });
}

/** All disks as one piece of work. */
function sumOfDisks(items: readonly RestoreItem[], tell: (event: ProgressData) => void): (event: ProgressData) => void {
  const total = items.reduce((sum, { archive }) => sum + archive.sizeBytes, 0);
  const done = new Map<string, number>();
  return (event) => {
    done.set(event.subject ?? "", event.done);
    tell({ ...event, done: [...done.values()].reduce((sum, bytes) => sum + bytes, 0), total });
  };
}

function filesData(
  to: string,
  report: RestoreFilesReport,
  skippedFiles: RestoredFilesData["skippedFiles"],
): RestoredFilesData {
  const { files, hardLinks, folders, links, special, sizeBytes, bytesWritten, kept, skipped, leftOut } = report;
  return {
    ...{ to, files: files + hardLinks, folders, links, special, sizeBytes, bytesWritten, kept, skipped },
    ...{ skippedFiles, leftOut },
  };
}

function added(a: RestoredFilesData, b: RestoredFilesData): RestoredFilesData {
  const sum = (key: "files" | "folders" | "links" | "special" | "sizeBytes" | "bytesWritten" | "kept" | "skipped") =>
    a[key] + b[key];
  return {
    ...{ to: a.to, files: sum("files"), folders: sum("folders"), links: sum("links"), special: sum("special") },
    ...{ sizeBytes: sum("sizeBytes"), bytesWritten: sum("bytesWritten"), kept: sum("kept"), skipped: sum("skipped") },
    skippedFiles: [...a.skippedFiles, ...b.skippedFiles].slice(0, MAX_SKIPPED),
    leftOut: [...a.leftOut, ...b.leftOut],
  };
}
