// What to do with snapshots that have lost chunks: a new snapshot beside the damaged one, with the lost ranges as zeros and
// named in its manifest. The damaged one stays until it is forgotten by hand.

import { isOurError, RepriseError } from "../errors.js";
import { concatBytes } from "../format/bytes.js";
import { formatTime } from "../format/fields.js";
import { type BlobIdHex, bytesToHex, type Sid } from "../format/ids.js";
import { encodeImagePage, encodeImageRoot, pageSpanFor, zeroEntry } from "../format/imageMap.js";
import type { Archive, Manifest } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { BlobReader } from "../repository/blobReader.js";
import { SessionSink } from "../repository/blobSink.js";
import type { Catalog, Snapshot } from "../repository/catalog.js";
import { appendEntry } from "../repository/imageMapWriter.js";
import { ImageReader } from "../repository/imageReader.js";
import { visitReachable } from "../repository/reachability.js";
import type { Repository } from "../repository/repository.js";
import { WriterSession } from "../repository/session.js";
import { verifyRepository } from "../verify/verify.js";
import type { SnapshotVerdict } from "../verify/verifyReport.js";
import type { RepairOptions } from "./repairIndex.js";
import { repairTree } from "./repairTree.js";
import { findReadable, rewriteChunks } from "./rewriteChunks.js";

export interface SnapshotRepair {
  sid: Sid;
  group: string;
  time: string;
  /** Disks with the ranges that will read as zeros. */
  disks: { archive: string; lostBytes: number; ranges: { offset: number; length: number }[] }[];
  /** Machine configuration files, and folders of which nothing is left: lost as a whole and left out. */
  lostFiles: string[];
  /** False: nothing is left to save. */
  repairable: boolean;
}

export interface SnapshotRepairPlan {
  repairs: SnapshotRepair[];
  /** Chunks (hex ids) that can be read although every copy is damaged: they are stored anew, and nothing is lost with them. */
  rewrites: string[];
  /** Manifests that cannot be read: nothing can be done for them but to forget them or restore the object. */
  unreadable: Catalog["unreadable"];
}

/** Looks for lost ranges (structure, and what earlier verifications have quarantined); changes nothing. */
export async function planRepairSnapshots(
  repository: Repository,
  catalog: Catalog,
  options: RepairOptions,
): Promise<SnapshotRepairPlan> {
  const request = {
    snapshots: catalog.snapshots,
    readData: false,
    ignoreVerified: false,
    outdatedAfterMs: null,
    subset: null,
  };
  const rewrites = await findReadable(repository, catalog.snapshots, options);
  const spared = new Set(rewrites);
  const report = await verifyRepository(repository, { ...request, record: false, spared }, options);
  const repairs = report.snapshots
    .filter(({ result }) => result === "damaged")
    .map((verdict) => planOne(verdict, catalog));
  return { repairs, rewrites, unreadable: catalog.unreadable };
}

/** Makes the new snapshots; answers their manifests. */
export async function applyRepairSnapshots(
  repository: Repository,
  catalog: Catalog,
  plan: SnapshotRepairPlan,
  options: RepairOptions,
): Promise<Manifest[]> {
  const made: Manifest[] = [];
  if (plan.rewrites.length > 0) await rewriteChunks(repository, plan.rewrites, options);
  for (const repair of plan.repairs.filter(({ repairable }) => repairable)) {
    const snapshot = catalog.snapshots.find(({ sid }) => sid === repair.sid) as Snapshot;
    made.push(await repairOne(repository, snapshot, repair, options));
  }
  return made;
}

function planOne(verdict: SnapshotVerdict, catalog: Catalog): SnapshotRepair {
  const { sid, group, time } = verdict;
  const { archives } = (catalog.snapshots.find((snapshot) => snapshot.sid === sid) as Snapshot).manifest;
  const disks: SnapshotRepair["disks"] = [];
  const lostFiles: string[] = [];
  for (const { name, kind, sizeBytes } of archives) {
    const ranges = verdict.damaged
      .filter(({ archive }) => archive === name)
      .map(({ offset, length }) => ({ offset, length }));
    if (ranges.length === 0) continue;
    const isTopLost = ({ archive, path }: SnapshotVerdict["damaged"][number]) => archive === name && path === "/";
    const isLostTree =
      kind === "tree" && verdict.damaged.some((range) => isTopLost(range) && range.length >= sizeBytes);
    if (kind === "file" || isLostTree) lostFiles.push(name);
    else disks.push({ archive: name, lostBytes: ranges.reduce((sum, { length }) => sum + length, 0), ranges });
  }
  const isWhole = ({ archive, lostBytes }: { archive: string; lostBytes: number }) =>
    archives.some(({ name, kind, sizeBytes }) => name === archive && kind === "image" && lostBytes >= sizeBytes);
  const repairable = lostFiles.length + disks.filter(isWhole).length < archives.length;
  return { sid, group, time, disks, lostFiles, repairable };
}

async function repairOne(
  repository: Repository,
  snapshot: Snapshot,
  repair: SnapshotRepair,
  options: RepairOptions,
): Promise<Manifest> {
  const { manifest } = snapshot;
  const session = await WriterSession.open(repository, { purpose: "repair", group: manifest.group, ...options });
  let repaired: Manifest | undefined;
  try {
    const archives = await repairArchives(repository, session, manifest, repair, options);
    repaired = {
      ...manifest,
      sid: session.sid,
      archives,
      finishedAt: formatTime(repository.environment.now()),
      notes: snapshot.notes,
      tags: [...new Set([...snapshot.tags, "repaired"])],
      protected: snapshot.protected,
      repairedFrom: manifest.sid,
      // Its bytes are not those of the original any more.
      origin: null,
    };
    await requirePresent(repository, session, repaired, options);
    if ((await session.commit(repaired)) === "fenced") throw fenced();
    await session.end();
    return repaired;
  } catch (error) {
    const ended = await session.abandon("repair failed").catch(() => session.drop());
    if (ended === "committed" && repaired !== undefined) return repaired;
    // Lost pages have become zeros by now: one that is missing was condemned since the plan was made.
    throw isOurError(error, "CHUNK_MISSING") ? overtaken(manifest.sid, error) : error;
  }
}

async function repairArchives(
  repository: Repository,
  session: WriterSession,
  manifest: Manifest,
  repair: SnapshotRepair,
  options: RepairOptions,
): Promise<Archive[]> {
  const sink = new SessionSink(repository, session);
  const blobs = new BlobReader(repository, session.presence.index);
  const archives: Archive[] = [];
  for (const archive of manifest.archives) {
    if (repair.lostFiles.includes(archive.name)) continue;
    const disk = repair.disks.find((candidate) => candidate.archive === archive.name);
    if (disk === undefined) archives.push(archive);
    else if (archive.kind === "tree") archives.push(await repairTree(archive, disk.ranges, blobs, sink, options));
    else archives.push(await zeroLost(repository, archive, disk.ranges, blobs, sink, options));
  }
  await sink.finish();
  await session.writeIndex();
  return archives;
}

/**
 * W4 for everything that the new snapshot takes over from the damaged one: that may have been forgotten meanwhile, and a
 * collector may be about to delete what it needed.
 */
async function requirePresent(
  repository: Repository,
  session: WriterSession,
  repaired: Manifest,
  { signal }: RepairOptions,
): Promise<void> {
  const { index } = session.presence;
  let missing = 0;
  const visitor = {
    onBlob(id: Uint8Array) {
      if (!index.has(id)) missing++;
    },
    onUnreadable() {
      missing++;
    },
  };
  await visitReachable([{ sid: repaired.sid, manifest: repaired }], new BlobReader(repository, index), visitor, signal);
  if (missing > 0) throw overtaken(repaired.repairedFrom);
}

/** A new map in which the lost ranges are zeros; intact chunks and pages keep their ids, whoever has cut them. */
async function zeroLost(
  repository: Repository,
  archive: Archive,
  ranges: readonly { offset: number; length: number }[],
  blobs: BlobReader,
  sink: SessionSink,
  options: RepairOptions,
): Promise<Archive> {
  const { sizeBytes } = archive;
  const whole = ranges.some(({ offset, length }) => offset === 0 && length === sizeBytes);
  const image = whole ? null : await ImageReader.open(archive, blobs, options.signal);
  const pageSpanBytes = image?.root.pageSpanBytes ?? pageSpanFor(sizeBytes, repository.config.chunker);
  const pageIds = new Uint8Array(Math.ceil(sizeBytes / pageSpanBytes) * BLOB_ID_BYTES);
  for (let page = 0; image && page < image.pageCount; page++) {
    const id = await zeroLostOfPage(image, page, ranges, sink, options);
    if (id !== null) pageIds.set(id, page * BLOB_ID_BYTES);
  }
  const root = await sink.storeBlob("root", encodeImageRoot({ imageBytes: sizeBytes, pageSpanBytes, pageIds }));
  return {
    ...archive,
    root: bytesToHex(root) as BlobIdHex,
    lost: [...archive.lost, ...ranges.map(({ offset, length }) => [offset, length] as const)],
  };
}

/** Null: nothing but zeros is left of it. */
async function zeroLostOfPage(
  image: ImageReader,
  page: number,
  ranges: readonly { offset: number; length: number }[],
  sink: SessionSink,
  options: RepairOptions,
): Promise<Uint8Array | null> {
  const span = image.pageSpan(page);
  const id = image.pageId(page);
  const inside = ranges.filter(({ offset }) => offset >= span.offset && offset < span.offset + span.length);
  if (id === null || inside.length === 0) return id;
  if (inside.some(({ offset, length }) => offset === span.offset && length === span.length)) return null;
  const lost = new Set(inside.map(({ offset }) => offset));
  const lengths: number[] = [];
  const ids: Uint8Array[] = [];
  for (const entry of await image.readPage(page, options.signal)) {
    const chunk = lost.has(entry.offset) ? null : entry.id;
    appendEntry(lengths, chunk === null ? zeroEntry(entry.length) : entry.length);
    if (chunk !== null) ids.push(chunk);
  }
  if (ids.length === 0) return null;
  return sink.storeBlob("page", encodeImagePage({ lengths: Uint32Array.from(lengths), ids: concatBytes(ids) }));
}

function overtaken(sid: Sid | null, cause?: unknown): RepriseError {
  return new RepriseError(
    "conflict",
    "REPAIR_OVERTAKEN",
    `${sid}: chunks of it are being deleted, or were lost since`,
    {
      data: { sid },
      retry: "later",
      hint: "run repair snapshots again; a snapshot that was forgotten meanwhile cannot be repaired",
      cause,
    },
  );
}

function fenced(): RepriseError {
  return new RepriseError("conflict", "SESSION_FENCED", "a collector gave this repair up", {
    retry: "later",
    hint: "run repair snapshots again",
  });
}
