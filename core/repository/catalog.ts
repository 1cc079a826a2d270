// All snapshots of a repository with what is known about them. One list per folder, and for showing only objects that the
// local cache does not have are read, so ten thousand snapshots take a few requests and a fraction of a second.

import { objectName, type Sid } from "../format/ids.js";
import type { Manifest } from "../format/manifest.js";
import type { RepositoryRecord } from "../format/record.js";
import { compareAges, type SnapshotAge } from "../format/snapshotAge.js";
import { Breather } from "../platform/breather.js";
import { CatalogCache } from "./catalogCache.js";
import {
  type Decision,
  type LoadedManifest,
  leaveOutCollected,
  listForgotten,
  type Reading,
  readForgotten,
  readManifests,
  readRecords,
  type UnreadableRecord,
} from "./catalogReading.js";
import { winningRecords } from "./records.js";
import type { Repository } from "./repository.js";
import { type RestoreTestState, restoreTestStates } from "./restoreTestState.js";
import type { OnWarning } from "./warnings.js";

export interface VerificationState {
  result: "ok" | "damaged";
  level: "structure" | "data";
  at: string;
  damagedRanges: number;
}

export interface Snapshot {
  sid: Sid;
  manifest: Manifest;
  /** SHA-256 of the manifest's canonical bytes, hex. */
  digest: string;
  timeMs: number;
  notes: string;
  tags: readonly string[];
  protected: boolean;
  verification: VerificationState | null;
  /** The newest restore test, as its record says; only evidence (core/evidence) proves it. */
  restoreTest: RestoreTestState | null;
  /** The storage's own time of the manifest. */
  storedAtMs: number;
}

export interface Catalog {
  /** Committed and not forgotten, oldest first (compareAges). */
  snapshots: Snapshot[];
  /** Sids with any decision: committed, VOID, or forgotten. */
  decided: Set<Sid>;
  forgotten: Set<Sid>;
  /** Names of manifests that exist but cannot be read: snapshots that may be lost. */
  unreadable: { object: string; sid: Sid; code: string; message: string }[];
  records: RepositoryRecord[];
  /** Records that exist and cannot be read or understood: whatever they say about snapshots is not known. */
  unreadableRecords: UnreadableRecord[];
  /** Names of forgotten objects and records that only the keeper may write and that it has not signed: they count for nothing. */
  unsigned: string[];
}

/** A catalog that is being read. */
export interface CatalogProgress {
  done: number;
  /** How many there are, or so far, while the list still arrives. */
  listed: number;
  isListed: boolean;
  /**
   * As its manifest says: what records add (notes, tags, protection, verification, restore tests) is not known yet. Null: none
   * that counts, or one with a forgotten object, of which it is not known whether it counts.
   */
  snapshot: Snapshot | null;
}

export interface CatalogOptions {
  /**
   * Read every object from the storage, although the local cache knows it. For whoever decides what may go: a manifest that
   * only this machine's cache can still read is no snapshot to rely on.
   */
  fresh?: boolean;
  /** Told of each manifest as it has been read, the newest first once all are listed. Synchronous. */
  onRead?: (progress: CatalogProgress) => void;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/**
 * Reads the catalog. Forgotten objects are listed before manifests, so that a snapshot never seems forgotten without
 * having been; a manifest or record that cannot be read is reported, never treated as absent. What fails leaves nothing but a fuller cache.
 */
export async function loadCatalog(repository: Repository, options: CatalogOptions): Promise<Catalog> {
  const breather = new Breather();
  const cache = options.fresh ? CatalogCache.empty(repository) : await CatalogCache.load(repository, breather);
  const unsigned: string[] = [];
  const { onWarning } = options;
  const unreadableRecords: UnreadableRecord[] = [];
  const { forgotten, decisions, records } = await untilOneFails(options.signal, async (signal, begin) => {
    const reading: Reading = { repository, cache, breather, signal, onWarning, unsigned };
    const listed = await listForgotten(reading);
    const [verdicts, found] = await Promise.all([
      begin(readForgotten(reading, listed)),
      begin(readManifests(reading, progressOf(new Set(listed.map(({ sid }) => sid)), options))),
    ]);
    const decisions = await leaveOutCollected(reading, found, verdicts.vanished);
    return { forgotten: verdicts.forgotten, decisions, records: await readRecords(reading, unreadableRecords) };
  });
  await cache.save();
  return {
    snapshots: snapshotsOf({ decisions, forgotten, records, unreadableRecords }, onWarning),
    decided: new Set([...forgotten, ...decisions.map(({ sid }) => sid)]),
    forgotten,
    unreadable: unreadableOf(decisions, forgotten, onWarning),
    records,
    unreadableRecords,
    unsigned,
  };
}

/** Runs `work`; when it or a part that it began fails, ends the others, and throws when they have ended. */
async function untilOneFails<T>(
  given: AbortSignal | undefined,
  work: (signal: AbortSignal, begin: <P>(part: Promise<P>) => Promise<P>) => Promise<T>,
): Promise<T> {
  const failed = new AbortController();
  const parts: Promise<unknown>[] = [];
  const begin = <P>(part: Promise<P>): Promise<P> => {
    parts.push(part.catch(() => failed.abort()));
    return part;
  };
  try {
    return await work(given === undefined ? failed.signal : AbortSignal.any([given, failed.signal]), begin);
  } finally {
    failed.abort();
    await Promise.all(parts);
  }
}

/** A snapshot with a forgotten object may be forgotten, which is not known yet. */
function progressOf(maybeForgotten: ReadonlySet<Sid>, { onRead }: CatalogOptions): Parameters<typeof readManifests>[1] {
  let done = 0;
  return ({ sid, loaded }, listed, isListed) => {
    done++;
    if (onRead === undefined) return;
    const snapshot = loaded === null || maybeForgotten.has(sid) ? null : describe(loaded, undefined, null);
    onRead({ done, listed, isListed, snapshot });
  };
}

interface ReadObjects {
  decisions: readonly Decision[];
  forgotten: ReadonlySet<Sid>;
  records: readonly RepositoryRecord[];
  /** Records of tests that do not follow their format are added. */
  unreadableRecords: UnreadableRecord[];
}

function snapshotsOf(
  { decisions, forgotten, records, unreadableRecords }: ReadObjects,
  onWarning: OnWarning,
): Snapshot[] {
  const manifests = decisions.map(({ loaded }) => loaded).filter((loaded) => loaded !== null);
  const winners = winningRecords(records);
  const tests = restoreTestStates(records, manifests, ({ rid, snapshots }, { code, message }) => {
    const object = objectName.record(rid);
    unreadableRecords.push({ object, code, message, snapshots: snapshots.length === 0 ? null : snapshots });
    onWarning({ code, message, data: { object } });
  });
  const counting = manifests.filter(({ manifest }) => !forgotten.has(manifest.sid));
  return inOrder(
    counting.map((loaded) => {
      const { sid } = loaded.manifest;
      return describe(loaded, winners.get(sid), tests.get(sid) ?? null);
    }),
  );
}

function unreadableOf(
  decisions: readonly Decision[],
  forgotten: ReadonlySet<Sid>,
  onWarning: OnWarning,
): Catalog["unreadable"] {
  const unreadable: Catalog["unreadable"] = [];
  for (const { key, sid, failure } of decisions) {
    if (failure === null || forgotten.has(sid)) continue;
    unreadable.push({ object: key, sid, ...failure });
    onWarning({ code: "SNAPSHOT_UNREADABLE", message: failure.message, data: { object: key } });
  }
  return unreadable;
}

/** Oldest first, so that "latest" is what was stored last; also of what has been read of a catalog so far. */
export function inOrder(snapshots: readonly Snapshot[]): Snapshot[] {
  const ages = agesOf(snapshots);
  return snapshots
    .map((snapshot, i) => ({ snapshot, age: ages[i] as SnapshotAge }))
    .sort((a, b) => compareAges(a.age, b.age))
    .map(({ snapshot }) => snapshot);
}

/**
 * A repaired snapshot has the time of the damaged one and comes after it, unless the damaged one has been healed since: then that
 * is the better one.
 */
export function agesOf(snapshots: readonly Snapshot[]): SnapshotAge[] {
  const sound = new Set(snapshots.filter(({ verification }) => verification?.result === "ok").map(({ sid }) => sid));
  return snapshots.map(({ sid, timeMs, storedAtMs, manifest: { repairedFrom, finishedAt } }) => {
    const isOutdone = repairedFrom !== null && sound.has(repairedFrom);
    return { id: sid, timeMs, finishedAt: isOutdone ? "" : finishedAt, storedAtMs };
  });
}

function describe(
  loaded: LoadedManifest,
  records: Map<string, RepositoryRecord> | undefined,
  restoreTest: RestoreTestState | null,
): Snapshot {
  const { manifest, digest, storedAtMs } = loaded;
  const notes = records?.get("notes");
  const tags = records?.get("tags");
  const protection = records?.get("protection");
  return {
    sid: manifest.sid,
    manifest,
    digest,
    timeMs: Date.parse(manifest.time),
    notes: notes?.type === "notes" ? notes.data.text : manifest.notes,
    tags: tags?.type === "tags" ? tags.data.tags : manifest.tags,
    protected: protection?.type === "protection" ? protection.data.protected : manifest.protected,
    verification: verificationOf(manifest.sid, records?.get("verification")),
    restoreTest,
    storedAtMs,
  };
}

function verificationOf(sid: Sid, record: RepositoryRecord | undefined): VerificationState | null {
  if (record?.type !== "verification") return null;
  const damagedRanges = record.data.damaged.filter(({ snapshot }) => snapshot === sid).length;
  return { result: record.data.result, level: record.data.level, at: record.at, damagedRanges };
}
