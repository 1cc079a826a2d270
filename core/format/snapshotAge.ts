// Which of two snapshots is the newer one: the one rule for the catalog, for "latest" and for retention, which must never forget
// what the others call newest. Pure.

export interface SnapshotAge {
  id: string;
  timeMs: number;
  /** As in manifests, whose texts sort by time. Empty: before every other of the same time. */
  finishedAt?: string;
  /** By the storage's own clock. */
  storedAtMs?: number;
}

/** Negative: `a` is older. Within one second the end of the backup decides, then the storage's own time, then the id. */
export function compareAges(a: SnapshotAge, b: SnapshotAge): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs;
  const [first, second] = [a.finishedAt ?? "", b.finishedAt ?? ""];
  if (first !== second) return first < second ? -1 : 1;
  const [stored, other] = [a.storedAtMs ?? 0, b.storedAtMs ?? 0];
  if (stored !== other) return stored - other;
  return a.id < b.id ? -1 : 1;
}
