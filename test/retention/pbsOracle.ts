// A second, deliberately naive reading of Proxmox Backup Server's prune rules, to compare planPrune with: quadratic,
// immutable steps, its own labels and its own week numbers. Knows nothing of keep-within and of the future.

import type { PruneCandidate } from "../../core/retention/planPrune.js";
import type { CountRule, KeepOptions } from "../../core/retention/prunePolicy.js";

type Marks = ReadonlyMap<string, string>;

/** Marks by id. Times must differ and must not lie in the future. */
export function oracleMarks(snapshots: readonly PruneCandidate[], keep: KeepOptions, timeZone: string): Marks {
  const ordered = snapshots.toSorted((a, b) => b.timeMs - a.timeMs);
  const rules: CountRule[] = ["last", "hourly", "daily", "weekly", "monthly", "yearly"];
  if (!rules.some((rule) => (keep[rule] ?? 0) > 0)) {
    return new Map(ordered.map((s) => [s.id, s.protected ? "protected" : "keep"]));
  }
  let marks: Marks = new Map(
    ordered
      .filter((s) => !s.finished)
      .map((s) => {
        const newer = ordered.filter((other) => other.timeMs > s.timeMs);
        return [s.id, newer.length === 0 ? "keep-partial" : "remove"] as const;
      }),
  );
  for (const rule of rules) {
    const count = keep[rule] ?? 0;
    if (count > 0) marks = new Map([...marks, ...choose(ordered, marks, count, (s) => label(rule, s, timeZone))]);
  }
  return new Map(ordered.map((s) => [s.id, s.protected ? "protected" : (marks.get(s.id) ?? "remove")]));
}

function choose(
  ordered: readonly PruneCandidate[],
  before: Marks,
  count: number,
  labelOf: (snapshot: PruneCandidate) => string,
): [string, string][] {
  const covered = ordered.filter((s) => before.get(s.id) === "keep").map(labelOf);
  const open = ordered.filter((s) => !before.has(s.id) && !s.protected && !covered.includes(labelOf(s)));
  const chosen: [string, string][] = [];
  const labels: string[] = [];
  for (const snapshot of open) {
    const name = labelOf(snapshot);
    const known = labels.includes(name);
    if (!known && labels.length === count) return chosen;
    if (!known) labels.push(name);
    chosen.push([snapshot.id, known ? "remove" : "keep"]);
  }
  return chosen;
}

function label(rule: CountRule, { timeMs }: PruneCandidate, timeZone: string): string {
  const [day = "", clock = ""] = new Date(timeMs).toLocaleString("sv-SE", { timeZone }).split(" ");
  switch (rule) {
    case "last":
      return String(timeMs);
    case "hourly":
      return `${day} ${clock.slice(0, 2)}`;
    case "daily":
      return day;
    case "weekly":
      return mondayOf(day);
    case "monthly":
      return day.slice(0, 7);
    case "yearly":
      return day.slice(0, 4);
  }
}

/** A week is named by its Monday: no numbers and no years to get wrong. */
function mondayOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  while (date.getUTCDay() !== 1) date.setUTCDate(date.getUTCDate() - 1);
  return date.toISOString().slice(0, 10);
}
