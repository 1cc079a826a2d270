// What to do with snapshots that have lost chunks: a new snapshot beside the damaged one, with the lost ranges as zeros and
// named in its manifest. The damaged one stays until it is forgotten by hand.

import { isOurError, RepriseError } from "../errors.js";
import { formatTime } from "../format/fields.js";
import { type BlobIdHex, bytesToHex, type Sid } from "../format/ids.js";
import { zeroEntry } from "../format/imageMap.js";
import type { Archive, Manifest } from "../format/manifest.js";
import { BlobReader } from "../repository/blobReader.js";
import { SessionSink } from "../repository/blobSink.js";
import type { Catalog, Snapshot } from "../repository/catalog.js";
import { ImageMapWriter, type SegmentEntries } from "../repository/imageMapWriter.js";
import { ImageReader } from "../repository/imageReader.js";
import { visitReachable } from "../repository/reachability.js";
import type { Repository } from "../repository/repository.js";
import { WriterSession } from "../repository/session.js";
import { verifyRepository } from "../verify/verify.js";
import type { SnapshotVerdict } from "../verify/verifyReport.js";
import type { RepairOptions } from "./repairIndex.js";
import { findReadable, rewriteChunks } from "./rewriteChunks.js";

export interface SnapshotRepair {
  sid: Sid;
  group: string;
  time: string;
  /** Disks with the ranges that will read as zeros. */
  disks: { archive: string; lostBytes: number; ranges: { offset: number; length: number }[] }[];
  /** Machine configuration files that are lost as a whole and left out. */
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
  for (const { name, kind } of archives) {
    const ranges = verdict.damaged
      .filter(({ archive }) => archive === name)
      .map(({ offset, length }) => ({ offset, length }));
    if (ranges.length === 0) continue;
    if (kind === "file") lostFiles.push(name);
    else disks.push({ archive: name, lostBytes: ranges.reduce((sum, { length }) => sum + length, 0), ranges });
  }
  const isWhole = ({ archive, lostBytes }: { archive: string; lostBytes: number }) =>
    lostBytes >= (archives.find(({ name }) => name === archive)?.sizeBytes ?? 0);
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
    archives.push(disk ? await zeroLost(repository, archive, disk.ranges, blobs, sink, options) : archive);
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

/** A new map in which the lost ranges are zeros; intact chunks keep their ids. */
async function zeroLost(
  repository: Repository,
  archive: Archive,
  ranges: readonly { offset: number; length: number }[],
  blobs: BlobReader,
  sink: SessionSink,
  options: RepairOptions,
): Promise<Archive> {
  const { segmentBytes } = repository.config.chunker;
  const map = new ImageMapWriter(archive.sizeBytes, repository.config.chunker, (kind, plain) =>
    sink.storeBlob(kind, plain),
  );
  const lost = new Set(ranges.map(({ offset }) => offset));
  const whole = ranges.some(({ offset, length }) => offset === 0 && length === archive.sizeBytes);
  const image = whole ? null : await ImageReader.open(archive, blobs, options.signal);
  const segments = new SegmentCollector(segmentBytes, map);
  for (let page = 0; image && page < image.pageCount; page++) {
    const span = image.pageSpan(page);
    const isLostPage = ranges.some(({ offset, length }) => offset === span.offset && length === span.length);
    const entries = isLostPage ? [{ ...span, id: null }] : await image.readPage(page, options.signal);
    for (const entry of entries)
      await segments.add(entry.offset, entry.length, lost.has(entry.offset) ? null : entry.id);
  }
  if (image === null) await segments.add(0, archive.sizeBytes, null);
  await segments.finish();
  const root = bytesToHex(await map.finish()) as BlobIdHex;
  return {
    ...archive,
    root,
    lost: [...archive.lost, ...ranges.map(({ offset, length }) => [offset, length] as const)],
  };
}

/** Cuts a stream of entries at segment borders again: zero runs may have been merged over them. */
class SegmentCollector {
  readonly #segmentBytes: number;
  readonly #map: ImageMapWriter;
  #segment = 0;
  #filled = 0;
  #lengths: number[] = [];
  #ids: Uint8Array[] = [];

  constructor(segmentBytes: number, map: ImageMapWriter) {
    this.#segmentBytes = segmentBytes;
    this.#map = map;
  }

  async add(offset: number, length: number, id: Uint8Array | null): Promise<void> {
    for (let done = 0; done < length; ) {
      const segment = Math.floor((offset + done) / this.#segmentBytes);
      if (segment !== this.#segment) await this.#flush(segment);
      const part = Math.min(length - done, (segment + 1) * this.#segmentBytes - offset - done);
      this.#lengths.push(id === null ? zeroEntry(part) : part);
      if (id !== null) this.#ids.push(id.slice());
      this.#filled += part;
      done += part;
    }
  }

  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#flush(this.#segment + 1);
  }

  async #flush(next: number): Promise<void> {
    const ids = new Uint8Array(this.#ids.length * 32);
    for (const [i, id] of this.#ids.entries()) ids.set(id, i * 32);
    const entries: SegmentEntries = { lengths: Uint32Array.from(this.#lengths), ids };
    await this.#map.addSegment(this.#segment, entries);
    this.#segment = next;
    this.#filled = 0;
    this.#lengths = [];
    this.#ids = [];
  }
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
