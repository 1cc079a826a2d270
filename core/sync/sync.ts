// Replication: makes copies of snapshots in another repository. docs/sync.md.

import { isOurError, RepriseError } from "../errors.js";
import { doubtfulRecord, forgetSnapshots } from "../forget/forget.js";
import type { Sid } from "../format/ids.js";
import type { Manifest } from "../format/manifest.js";
import { type Catalog, loadCatalog, type Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import { haveEqualIds, originOf } from "../repository/snapshotOrigin.js";
import { requireKeeper } from "../repository/verdicts.js";
import { type ChunkMapping, LearnedIds, SAME_IDS } from "./chunkMapping.js";
import type { ManifestPair } from "./copyOptions.js";
import { copySnapshot } from "./copySnapshot.js";
import { planSync, type SyncDecision, type SyncSide } from "./planSync.js";
import { SourceReader, snapshotLabel } from "./sourceReader.js";
import { applyRecordCopies, type CataloguedRepository, planRecordCopies } from "./syncRecords.js";
import type { SyncOptions, SyncReport, SyncRequest } from "./syncReport.js";

export interface RepositorySyncPlan extends SyncDecision {
  from: CataloguedRepository;
  to: CataloguedRepository;
  request: SyncRequest;
}

/** Reads both catalogs; changes nothing. SYNC_NOT_ENCRYPTED, SYNC_SAME_REPOSITORY. */
export async function planRepositorySync(
  from: Repository,
  to: Repository,
  request: SyncRequest,
  options: SyncOptions,
): Promise<RepositorySyncPlan> {
  checkRepositories(from, to, request);
  // What decides about forgetting is read from the storage itself.
  const fresh = request.removeVanished;
  const [fromCatalog, toCatalog] = [
    await loadCatalog(from, { ...options, fresh }),
    await loadCatalog(to, { ...options, fresh }),
  ];
  const decision = planSync(sideOf(from, fromCatalog), sideOf(to, toCatalog), request);
  return {
    ...decision,
    from: { repository: from, catalog: fromCatalog },
    to: { repository: to, catalog: toCatalog },
    request,
  };
}

/** KEEPER_KEY_REQUIRED before anything is done. Copies, then brings records up to date, then forgets. Killed anywhere, the next run goes on: what was stored is used. */
export async function applySync(plan: RepositorySyncPlan, options: SyncOptions): Promise<SyncReport> {
  const gone = plan.vanished.filter(({ action }) => action === "forget").map(({ sid }) => sid);
  if (gone.length > 0) requireKeeper(plan.to.repository, "forgetting vanished copies");
  const report: SyncReport = { copied: [], failed: unreadableSnapshots(plan), records: 0, vanished: plan.vanished };
  await copyAll(plan, report, options);
  const pairs = [...plan.present, ...report.copied.map(({ from, to }) => ({ from, to }))];
  report.records = await applyRecordCopies(plan.to, planRecordCopies(plan.from, plan.to, pairs), options);
  if (gone.length > 0) await forgetSnapshots(plan.to.repository, gone, "sync: its original is gone", options);
  return report;
}

/** How chunks of `from` are called in `to`. */
export function mappingBetween(from: Repository, to: Repository): ChunkMapping {
  return haveEqualIds(from, to) ? SAME_IDS : new LearnedIds();
}

async function copyAll(plan: RepositorySyncPlan, report: SyncReport, options: SyncOptions): Promise<void> {
  if (plan.copy.length === 0) return;
  const { codec, lanes } = plan.request;
  const { repository: to } = plan.to;
  const mapping = mappingBetween(plan.from.repository, to);
  const bases = new SyncedPairs(plan);
  const reader = await SourceReader.open(plan.from.repository, lanes, options);
  try {
    for (const [i, snapshot] of snapshotsToCopy(plan).entries()) {
      options.signal?.throwIfAborted();
      try {
        const base = bases.near(snapshot);
        const { manifest, copied } = await copySnapshot(reader, to, { snapshot, base, mapping, codec, lanes }, options);
        report.copied.push(copied);
        bases.add({ from: snapshot.manifest, to: manifest });
      } catch (error) {
        if (!isOurError(error, "SYNC_SOURCE_DAMAGED")) throw error;
        const code = typeof error.data.code === "string" ? error.data.code : error.code;
        report.failed.push({ from: snapshot.sid, code, message: `${snapshotLabel(snapshot)}: ${error.message}` });
      }
      const total = plan.copy.length;
      options.onProgress?.({ operation: "sync", phase: "snapshots", done: i + 1, total, unit: "snapshots" });
    }
  } finally {
    await reader.close();
  }
}

export function snapshotsToCopy(plan: RepositorySyncPlan): Snapshot[] {
  const wanted = new Set(plan.copy);
  return plan.from.catalog.snapshots.filter(({ sid }) => wanted.has(sid));
}

/** Snapshots that both repositories have, by machine. */
export class SyncedPairs {
  readonly #byMachine = new Map<string, ManifestPair[]>();

  constructor({ from, to, present }: RepositorySyncPlan) {
    const [fromManifests, toManifests] = [manifestsOf(from.catalog), manifestsOf(to.catalog)];
    for (const pair of present) {
      this.add({ from: fromManifests.get(pair.from) as Manifest, to: toManifests.get(pair.to) as Manifest });
    }
  }

  add(pair: ManifestPair): void {
    const machine = machineOf(pair.from);
    this.#byMachine.set(machine, [...(this.#byMachine.get(machine) ?? []), pair]);
  }

  /** The one that is likely to share most: the newest that is not newer, else the oldest. */
  near({ manifest }: Snapshot): ManifestPair | null {
    const pairs = this.#byMachine.get(machineOf(manifest)) ?? [];
    let best: ManifestPair | null = null;
    for (const pair of pairs) {
      const [time, bestTime] = [pair.from.time, best?.from.time];
      if (bestTime === undefined) best = pair;
      else if (time <= manifest.time ? bestTime > manifest.time || time >= bestTime : time < bestTime) best = pair;
    }
    return best;
  }
}

function machineOf({ namespace, group }: Manifest): string {
  return `${namespace}:${group}`;
}

function manifestsOf({ snapshots }: Catalog): Map<Sid, Manifest> {
  return new Map(snapshots.map(({ sid, manifest }) => [sid, manifest]));
}

function sideOf(repository: Repository, catalog: Catalog): SyncSide {
  const { snapshots, unreadable } = catalog;
  return {
    doubtfulRecord: doubtfulRecord(catalog),
    repositoryId: repository.config.repositoryId,
    unreadable: unreadable.map(({ sid }) => sid),
    snapshots: snapshots.map((snapshot) => {
      const { sid, manifest, timeMs } = snapshot;
      const { namespace, group, origin } = manifest;
      const base = { sid, namespace, group, timeMs, protected: snapshot.protected };
      return { ...base, origin: originOf(snapshot, repository), isCopy: origin !== null };
    }),
  };
}

function unreadableSnapshots({ from }: RepositorySyncPlan): SyncReport["failed"] {
  return from.catalog.unreadable.map(({ sid, code, message }) => ({ from: sid, code, message }));
}

function checkRepositories(from: Repository, to: Repository, request: SyncRequest): void {
  const isSame = from.config.repositoryId === to.config.repositoryId;
  if (isSame && (request.removeVanished || from.backend.location === to.backend.location)) {
    throw new RepriseError("usage", "SYNC_SAME_REPOSITORY", "both names mean the same repository", {
      data: { repositoryId: to.config.repositoryId },
      hint: "a replica is a repository of its own: make one with reprise init",
    });
  }
  const open = [from, to].find(({ config }) => config.encryption === "none");
  if (!request.encryptedOnly || open === undefined) return;
  throw new RepriseError("usage", "SYNC_NOT_ENCRYPTED", `${open.backend.location} is not encrypted`, {
    data: { location: open.backend.location },
    hint: "nothing was copied; without --encrypted-only it would be",
  });
}
