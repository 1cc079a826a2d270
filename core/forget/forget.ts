// Forgetting snapshots, one by one or by a retention policy. It writes forgotten objects and frees no space; gc does.

import { RepriseError } from "../errors.js";
import { objectName, type Sid } from "../format/ids.js";
import { encodeForgotten, qualifiedGroup } from "../format/manifest.js";
import type { SnapshotAge } from "../format/snapshotAge.js";
import type { OnProgress } from "../platform/progress.js";
import { agesOf, type Catalog, type Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import { isForgotten, requireKeeper, signVerdict } from "../repository/verdicts.js";
import { type PruneCandidate, type PruneDecision, planPrune, type TimeDistrust } from "../retention/planPrune.js";
import type { KeepOptions } from "../retention/prunePolicy.js";
import { refuseManyDrops } from "./dropShare.js";

export interface ForgetOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

export interface CheckForgetOptions {
  /** Somebody knows that what cannot be read protects none of them. */
  confirmed?: boolean;
}

/**
 * SNAPSHOT_PROTECTED when one of them is protected; FORGET_RECORD_UNREADABLE while a record of the catalog cannot be read and may
 * protect one, unless that is confirmed. Nothing is forgotten then.
 */
export function checkForgettable(
  snapshots: readonly Snapshot[],
  catalog: Pick<Catalog, "unreadableRecords">,
  options: CheckForgetOptions = {},
): void {
  const guarded = snapshots.find((snapshot) => snapshot.protected);
  const doubtful = options.confirmed ? null : doubtfulRecord(catalog);
  if (guarded === undefined && doubtful !== null) throw unknownRecordByHand(doubtful);
  if (guarded === undefined) return;
  const { namespace, group, time } = guarded.manifest;
  throw new RepriseError("usage", "SNAPSHOT_PROTECTED", `${qualifiedGroup(namespace, group)}@${time} is protected`, {
    data: { sid: guarded.sid },
    hint: "nothing was forgotten; take the protection away first with reprise unprotect",
  });
}

/** The name of a record that cannot be read and may protect a snapshot, of any machine; null: there is none. */
export function doubtfulRecord({ unreadableRecords }: Pick<Catalog, "unreadableRecords">): string | null {
  // of a test that this release does not understand it is known that it protects nothing
  return unreadableRecords.find(({ snapshots }) => snapshots === null)?.object ?? null;
}

/**
 * Oldest first, so that an interruption leaves the newer ones. Forgetting twice is no error. KEEPER_KEY_REQUIRED before
 * anything is touched.
 */
export async function forgetSnapshots(
  repository: Repository,
  sids: readonly Sid[],
  reason: string,
  options: ForgetOptions = {},
): Promise<void> {
  requireKeeper(repository, "forgetting snapshots");
  let done = 0;
  for (const sid of sids) {
    options.signal?.throwIfAborted();
    await forgetOne(repository, sid, reason, options);
    options.onProgress?.({ operation: "forget", phase: "forget", done: ++done, total: sids.length, unit: "snapshots" });
  }
}

async function forgetOne(repository: Repository, sid: Sid, reason: string, options: ForgetOptions): Promise<void> {
  const name = objectName.forgotten(sid);
  const said = { sid, at: repository.nowIso(), by: repository.author, reason: reason.slice(0, 1000) };
  const plain = encodeForgotten(signVerdict(repository, name, said));
  if ((await repository.objects.writeOnce(name, "forgotten", plain, options)) === "created") return;
  // Without a keeper every forgotten object counts. With one, somebody may have taken the name to keep the keeper from it.
  if (repository.config.keeper === null || (await isForgotten(repository, sid, options))) return;
  await repository.objects.write(name, "forgotten", plain, options);
}

export interface GroupPrunePlan {
  namespace: string;
  group: string;
  /** Newest first. */
  decisions: (PruneDecision & { snapshot: Snapshot })[];
}

export interface PruneScope {
  /** Only this group; null: every group, each on its own. */
  group: string | null;
  /** Only this namespace; null: all. */
  namespace: string | null;
  keep: KeepOptions;
  timeZone: string;
  nowMs: number;
  /** Absent: the times that snapshots claim are believed. */
  distrust?: TimeDistrust;
}

/**
 * What a policy would do, group by group, with a reason for each snapshot. PRUNE_SNAPSHOT_UNREADABLE while a manifest cannot
 * be read: it may be the newest good one of its machine, and the policy would throw others away for it, or keep them.
 * PRUNE_RECORD_UNREADABLE while a record cannot: it may protect a snapshot.
 */
export function planRepositoryPrune(catalog: Catalog, scope: PruneScope): GroupPrunePlan[] {
  const [damaged] = catalog.unreadable;
  if (damaged) throw unknownSnapshots(damaged.object, catalog.unreadable.length);
  const doubtful = doubtfulRecord(catalog);
  if (doubtful !== null) throw unknownRecord(doubtful);
  const groups = new Map<string, Snapshot[]>();
  for (const snapshot of catalog.snapshots) {
    const { namespace, group } = snapshot.manifest;
    if (scope.group !== null && group !== scope.group) continue;
    if (scope.namespace !== null && namespace !== scope.namespace) continue;
    const key = qualifiedGroup(namespace, group);
    groups.set(key, [...(groups.get(key) ?? []), snapshot]);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, snapshots]) => planGroup(snapshots, scope));
}

export interface ApplyPruneOptions extends ForgetOptions {
  /** Somebody has looked at how much it removes. */
  confirmed?: boolean;
}

/** Forgets what the plan removes. PRUNE_DROPS_MANY when that is most of a machine's snapshots, or of all, and not confirmed. */
export async function applyPrune(
  repository: Repository,
  plans: readonly GroupPrunePlan[],
  options: ApplyPruneOptions = {},
): Promise<Sid[]> {
  requireKeeper(repository, "pruning");
  if (!options.confirmed) refuseManyDrops(plans);
  const removed = plans.flatMap(({ decisions }) => decisions.filter(({ mark }) => mark === "remove")).reverse();
  const sids = removed.map(({ snapshot }) => snapshot.sid);
  await forgetSnapshots(repository, sids, "prune", options);
  return sids;
}

/** Of one machine. */
export function pruneCandidates(snapshots: readonly Snapshot[]): PruneCandidate[] {
  const ages = agesOf(snapshots);
  return snapshots.map((snapshot, i) => ({
    ...(ages[i] as SnapshotAge),
    protected: snapshot.protected,
    finished: true,
  }));
}

function planGroup(snapshots: readonly Snapshot[], scope: PruneScope): GroupPrunePlan {
  const bySid = new Map(snapshots.map((snapshot) => [snapshot.sid as string, snapshot]));
  const { keep, timeZone, nowMs, distrust } = scope;
  const decisions = planPrune(pruneCandidates(snapshots), keep, { timeZone, nowMs, distrust }).map((decision) => {
    return { ...decision, snapshot: bySid.get(decision.id) as Snapshot };
  });
  const { namespace, group } = (snapshots[0] as Snapshot).manifest;
  return { namespace, group, decisions };
}

function unknownRecord(object: string): RepriseError {
  const message = `${object} cannot be read, and may protect a snapshot: nothing is pruned`;
  return new RepriseError("corrupt", "PRUNE_RECORD_UNREADABLE", message, {
    data: { object },
    hint: "restore the object from a copy of the storage, or protect again what must stay and delete that object there by hand",
  });
}

function unknownRecordByHand(object: string): RepriseError {
  const message = `${object} cannot be read, and may protect what is to be forgotten: nothing was`;
  return new RepriseError("corrupt", "FORGET_RECORD_UNREADABLE", message, {
    data: { object },
    hint: "restore the object from a copy of the storage, or say reprise forget --confirm when you know that nothing of it is protected",
  });
}

function unknownSnapshots(object: string, count: number): RepriseError {
  return new RepriseError(
    "corrupt",
    "PRUNE_SNAPSHOT_UNREADABLE",
    `${count} manifests cannot be read, e.g. ${object}: nothing is pruned`,
    {
      data: { object },
      hint: "restore the object from a copy of the storage, or give that snapshot up with reprise forget and its id",
    },
  );
}
