// Fetching back from a replica what finished snapshots here have lost: chunks, pages and roots of maps, files. The replica's
// key and chunk sizes may be others. Written by an ordinary session that is given up at the end, as repacking does: what was
// stored stays because snapshots need it. docs/sync.md.

import { RepriseError } from "../errors.js";
import type { Sid } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BlobReader } from "../repository/blobReader.js";
import { DryRunSink, SessionSink } from "../repository/blobSink.js";
import { type Catalog, loadCatalog, type Snapshot } from "../repository/catalog.js";
import { loadPresenceForReading } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { WriterSession } from "../repository/session.js";
import { originOf } from "../repository/snapshotOrigin.js";
import { ChunkCopier } from "../sync/chunkCopier.js";
import { PageTranslator } from "../sync/pageTranslation.js";
import { originKey } from "../sync/planSync.js";
import { SourceReader } from "../sync/sourceReader.js";
import { mappingBetween } from "../sync/sync.js";
import { verifyRepository } from "../verify/verify.js";
import type { SnapshotVerdict, VerifyRequest } from "../verify/verifyReport.js";
import { type ByteSpan, Healer } from "./healArchive.js";
import type { RepairOptions } from "./repairIndex.js";

export interface ReplicaRepairRequest {
  /** Look and try, store nothing. */
  dryRun: boolean;
  lanes?: number;
}

export interface ReplicaRepairRange extends ByteSpan {
  archive: string;
  /** With a dry run: could be. */
  healed: boolean;
  /** Why not. */
  reason: string | null;
}

export interface ReplicaRepairSnapshot {
  sid: Sid;
  namespace: string;
  group: string;
  time: string;
  /** The same snapshot in the replica; null: it is not there. */
  replica: Sid | null;
  ranges: ReplicaRepairRange[];
  /** Nothing of it is missing any more (dry run: would be). */
  healed: boolean;
}

export interface ReplicaRepairReport {
  /** Those that had lost something. */
  snapshots: ReplicaRepairSnapshot[];
  /** Stored anew (dry run: would be); chunks that came along with a page are not counted. */
  blobs: number;
  bytes: number;
  /** Manifests that cannot be read: a replica cannot help there, `sync` from it can. */
  unreadable: Catalog["unreadable"];
}

/** Lost pages hide lost chunks, so it looks again after each pass that has healed something. */
const MOST_PASSES = 5;

/** Reads every byte of the repository first (as verify --read-data does, quarantine included), then heals. */
export async function repairFromReplica(
  repository: Repository,
  replica: Repository,
  request: ReplicaRepairRequest,
  options: RepairOptions,
): Promise<ReplicaRepairReport> {
  refuseSame(repository, replica);
  const catalog = await loadCatalog(repository, { ...options, fresh: true });
  const report: ReplicaRepairReport = { snapshots: [], blobs: 0, bytes: 0, unreadable: catalog.unreadable };
  let damaged = await findDamage(repository, null, { ...request, readData: true }, options);
  if (damaged.length === 0) return report;
  const twins = twinsOf(catalog, repository, await loadCatalog(replica, options), replica);
  const reader = await SourceReader.open(replica, request.lanes, options);
  try {
    for (let pass = 0; pass < MOST_PASSES && damaged.length > 0; pass++) {
      const blobsBefore = report.blobs;
      await healAll(repository, reader, damaged, twins, report, request, options);
      if (request.dryRun) break;
      const suspects = catalog.snapshots.filter(({ sid }) => damaged.some((verdict) => verdict.sid === sid));
      damaged = await findDamage(repository, suspects, { ...request, readData: false }, options);
      if (report.blobs === blobsBefore) break;
    }
  } finally {
    await reader.close();
  }
  if (!request.dryRun) judge(report, damaged);
  return report;
}

/** The last look counts: what one snapshot lacks may have come with another one. */
function judge(report: ReplicaRepairReport, damaged: readonly SnapshotVerdict[]): void {
  for (const snapshot of report.snapshots) {
    snapshot.healed = !damaged.some(({ sid }) => sid === snapshot.sid);
    if (snapshot.healed) for (const range of snapshot.ranges) Object.assign(range, { healed: true, reason: null });
  }
}

/**
 * What is found is recorded, and damaged copies get into quarantine, so that nobody takes them for present. Null: every pack is
 * read, because what lies below a lost map is not known to be needed.
 */
async function findDamage(
  repository: Repository,
  snapshots: readonly Snapshot[] | null,
  { dryRun, lanes, readData }: ReplicaRepairRequest & { readData: boolean },
  options: RepairOptions,
): Promise<SnapshotVerdict[]> {
  const request: VerifyRequest = {
    snapshots,
    readData,
    ignoreVerified: false,
    outdatedAfterMs: null,
    subset: null,
    record: !dryRun,
    lanes,
  };
  const { snapshots: verdicts } = await verifyRepository(repository, request, options);
  return verdicts.filter(({ result }) => result === "damaged");
}

interface Twin {
  ours: Snapshot;
  theirs: Snapshot | null;
}

function twinsOf(catalog: Catalog, ours: Repository, theirCatalog: Catalog, theirs: Repository): Map<Sid, Twin> {
  const byOrigin = new Map(theirCatalog.snapshots.map((snapshot) => [originKey(originOf(snapshot, theirs)), snapshot]));
  return new Map(
    catalog.snapshots.map((snapshot) => {
      return [snapshot.sid, { ours: snapshot, theirs: byOrigin.get(originKey(originOf(snapshot, ours))) ?? null }];
    }),
  );
}

async function healAll(
  repository: Repository,
  reader: SourceReader,
  damaged: readonly SnapshotVerdict[],
  twins: ReadonlyMap<Sid, Twin>,
  report: ReplicaRepairReport,
  request: ReplicaRepairRequest,
  options: RepairOptions,
): Promise<void> {
  const session = request.dryRun
    ? null
    : await WriterSession.open(repository, { purpose: "repair", group: null, ...options });
  try {
    const presence = session?.presence ?? (await loadPresenceForReading(repository, options));
    const sink = session ? new SessionSink(repository, session) : await DryRunSink.open(repository, options);
    const blobs = new BlobReader(repository, presence.index);
    const mapping = mappingBetween(reader.repository, repository);
    const copier = new ChunkCopier(reader, repository, sink, { codec: CODEC, lanes: request.lanes });
    const { signal } = options;
    const { index } = presence;
    const translator = new PageTranslator({ mapping, index, fromBlobs: reader.blobs, toBlobs: blobs, signal });
    const copying = { reader, translator, copier, mapping, sink, index, toBlobs: blobs, signal };
    const healer = new Healer({ blobs, hash: repository.hash, sink, reader, copying, signal });
    try {
      for (const [i, verdict] of damaged.entries()) {
        noteSnapshot(report, await healSnapshot(healer, verdict, twins.get(verdict.sid) as Twin));
        const total = damaged.length;
        options.onProgress?.({ operation: "repair", phase: "heal", done: i + 1, total, unit: "snapshots" });
      }
      await copier.finish();
    } finally {
      await copier.close();
    }
    await sink.finish();
    report.blobs += healer.healedBlobs;
    report.bytes += healer.healedBytes;
    await session?.writeIndex();
    await session?.abandon("healing is done");
  } catch (error) {
    await session?.abandon("healing was interrupted").catch(() => session.drop());
    throw error;
  }
}

const CODEC = { codec: "zstd", level: 3 } as const;

async function healSnapshot(healer: Healer, verdict: SnapshotVerdict, twin: Twin): Promise<ReplicaRepairSnapshot> {
  const { sid, namespace, group, time } = verdict;
  const ranges: ReplicaRepairRange[] = [];
  for (const archive of twin.ours.manifest.archives) {
    const lost = verdict.damaged.filter((range) => range.archive === archive.name);
    if (lost.length > 0) ranges.push(...(await healArchive(healer, archive, twin.theirs, lost)));
  }
  const healed = ranges.every((range) => range.healed);
  return { sid, namespace, group, time, replica: twin.theirs?.sid ?? null, ranges, healed };
}

async function healArchive(
  healer: Healer,
  archive: Archive,
  theirs: Snapshot | null,
  lost: readonly ByteSpan[],
): Promise<ReplicaRepairRange[]> {
  const replica = theirs?.manifest.archives.find(({ name, kind }) => name === archive.name && kind === archive.kind);
  if (replica === undefined || replica.sizeBytes !== archive.sizeBytes) {
    const reason = theirs === null ? "the replica does not have this snapshot" : "the replica's disk has another size";
    return lost.map(({ offset, length }) => ({ archive: archive.name, offset, length, healed: false, reason }));
  }
  const spans = await healer.heal(archive, replica, lost);
  return spans.map((span) => ({ archive: archive.name, ...span, healed: span.reason === null }));
}

/** A later pass finds the rest of what an earlier one could not see. */
function noteSnapshot(report: ReplicaRepairReport, found: ReplicaRepairSnapshot): void {
  const known = report.snapshots.find(({ sid }) => sid === found.sid);
  if (known === undefined) {
    report.snapshots.push(found);
    return;
  }
  const again = new Set(found.ranges.map(({ archive, offset, length }) => `${archive} ${offset} ${length}`));
  const kept = known.ranges.filter(({ archive, offset, length }) => !again.has(`${archive} ${offset} ${length}`));
  known.ranges = [...kept, ...found.ranges];
  known.healed = found.healed;
}

function refuseSame(repository: Repository, replica: Repository): void {
  const isSame = repository.config.repositoryId === replica.config.repositoryId;
  if (!isSame || repository.backend.location !== replica.backend.location) return;
  throw new RepriseError("usage", "SYNC_SAME_REPOSITORY", "both names mean the same repository", {
    data: { repositoryId: repository.config.repositoryId },
    hint: "name another repository that has copies of these snapshots",
  });
}
