// Which snapshots a replication copies, and which copies have lost their original. A pure decision; docs/sync.md says it in
// words. "From" is where snapshots are read, "to" where copies are made.

import type { Sid } from "../format/ids.js";
import type { SnapshotOrigin } from "../format/manifest.js";

/** What the plan needs to know of a finished snapshot. */
export interface SyncCandidate {
  sid: Sid;
  namespace: string;
  group: string;
  timeMs: number;
  /** Of the original: the snapshot itself when it is no copy. */
  origin: SnapshotOrigin;
  /** Made by a replication. */
  isCopy: boolean;
  protected: boolean;
}

export interface SyncSide {
  repositoryId: Sid;
  /** Finished ones, oldest first. */
  snapshots: readonly SyncCandidate[];
  /** Names of manifests that cannot be read: they may be anything. */
  unreadable: readonly Sid[];
  /** A record that cannot be read, and may protect any snapshot. */
  doubtfulRecord: string | null;
}

export interface SyncScope {
  includes(machine: { namespace: string; group: string }): boolean;
  /** Copy only that many of the newest snapshots of each machine; null: all. */
  transferLast: number | null;
  /** Forget copies whose original is gone. */
  removeVanished: boolean;
}

export interface SnapshotPair {
  from: Sid;
  to: Sid;
}

export interface VanishedCopy {
  /** In "to". */
  sid: Sid;
  action: "forget" | "keep";
  reason: string;
}

export interface SyncDecision {
  /** In "from", oldest first. */
  copy: Sid[];
  /** Snapshots that are on both sides; one may have several copies. */
  present: SnapshotPair[];
  /** Absent in "to", and left out because `transferLast` newer ones exist. */
  older: Sid[];
  vanished: VanishedCopy[];
}

export function planSync(from: SyncSide, to: SyncSide, scope: SyncScope): SyncDecision {
  const decision: SyncDecision = { copy: [], present: [], older: [], vanished: [] };
  const copies = copiesByOrigin(to.snapshots);
  const candidates = from.snapshots.filter((snapshot) => scope.includes(snapshot));
  const newest = newestOf(candidates, scope.transferLast);
  const planned = new Set<string>();
  for (const { sid, origin } of candidates) {
    const key = originKey(origin);
    const there = copies.get(key);
    if (there !== undefined) decision.present.push(...there.map((copy) => ({ from: sid, to: copy })));
    else if (!newest.has(sid)) decision.older.push(sid);
    // "from" may hold two copies of one original.
    else if (!planned.has(key)) decision.copy.push(sid);
    planned.add(key);
  }
  if (scope.removeVanished) decision.vanished = planVanished(from, to, scope);
  return decision;
}

/** Equal for a snapshot and all copies of it, wherever they are. */
export function originKey({ repositoryId, snapshot, digest }: SnapshotOrigin): string {
  return `${repositoryId}/${snapshot}/${digest}`;
}

function copiesByOrigin(snapshots: readonly SyncCandidate[]): Map<string, Sid[]> {
  const copies = new Map<string, Sid[]>();
  for (const { sid, origin } of snapshots) {
    const key = originKey(origin);
    copies.set(key, [...(copies.get(key) ?? []), sid]);
  }
  return copies;
}

function newestOf(candidates: readonly SyncCandidate[], count: number | null): Set<Sid> {
  if (count === null) return new Set(candidates.map(({ sid }) => sid));
  const byMachine = new Map<string, Sid[]>();
  for (const { sid, namespace, group } of candidates) {
    const machine = `${namespace}:${group}`;
    byMachine.set(machine, [...(byMachine.get(machine) ?? []), sid]);
  }
  return new Set([...byMachine.values()].flatMap((sids) => (count === 0 ? [] : sids.slice(-count))));
}

/** Only copies of what was made in "from" itself: of anything else its absence there says nothing. */
function planVanished(from: SyncSide, to: SyncSide, scope: SyncScope): VanishedCopy[] {
  const known = new Set([...from.snapshots.map(({ sid }) => sid), ...from.unreadable]);
  // A snapshot that came back to "from" as a copy of itself is there, too.
  for (const { origin } of from.snapshots) if (origin.repositoryId === from.repositoryId) known.add(origin.snapshot);
  const vanished: VanishedCopy[] = [];
  for (const copy of to.snapshots) {
    const { origin } = copy;
    if (!copy.isCopy || origin.repositoryId !== from.repositoryId || known.has(origin.snapshot)) continue;
    if (!scope.includes(copy)) continue;
    const reason = reasonToKeep(copy, to);
    if (reason !== null)
      vanished.push({ sid: copy.sid, action: "keep", reason: `its original is gone, but ${reason}` });
    else vanished.push({ sid: copy.sid, action: "forget", reason: "its original is gone" });
  }
  return vanished;
}

function reasonToKeep(copy: SyncCandidate, to: SyncSide): string | null {
  if (copy.protected) return "it is protected";
  return to.doubtfulRecord === null ? null : `${to.doubtfulRecord} cannot be read and may protect it`;
}
