// What Reprise promises itself, and whether a run reached it. Pure: numbers in, verdicts out.

import { medianCost } from "./measure.js";
import type { SideBySideResults, Step } from "./sideBySide.js";

export interface Verdict {
  what: string;
  /** Absent: a tool or step was left out of this run. */
  value?: number;
  limit: number;
  atLeast: boolean;
  unit: "×" | "MB" | "MB/s" | "bytes" | "s" | "ms" | "reads";
}

/** JSON knows no NaN: what came through it may be null. */
export function isMeasured(verdict: Verdict): verdict is Verdict & { value: number } {
  return Number.isFinite(verdict.value);
}

export function isReached(verdict: Verdict): boolean {
  if (!isMeasured(verdict)) return false;
  return verdict.atLeast ? verdict.value >= verdict.limit : verdict.value <= verdict.limit;
}

const ours = "reprise";

function wall(results: SideBySideResults, tool: string, step: Step): number | undefined {
  const costs = results.get(tool)?.costs[step];
  return costs === undefined || costs.length === 0 ? undefined : medianCost(costs).wallSeconds;
}

function ratio(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined ? undefined : over / under;
}

function faster(results: SideBySideResults, step: Step, peer: string, limit: number): Verdict {
  const value = ratio(wall(results, peer, step), wall(results, ours, step));
  return { what: `${step}: times as fast as ${peer}`, value, limit, atLeast: true, unit: "×" };
}

function storedRatio(results: SideBySideResults, peer: string, limit: number, label: string): Verdict {
  const value = ratio(results.get(ours)?.storedBytes[2], results.get(peer)?.storedBytes[2]);
  return { what: `stored bytes, relative to ${label}`, value, limit, atLeast: false, unit: "×" };
}

function peakMb(results: SideBySideResults): number | undefined {
  const costs = Object.values(results.get(ours)?.costs ?? {}).flat();
  return costs.length === 0 ? undefined : Math.max(...costs.map((cost) => cost.peakBytes)) / 1e6;
}

export function judgeSideBySide(results: SideBySideResults): Verdict[] {
  return [
    faster(results, "first backup", "restic", 2.5),
    faster(results, "first backup", "borg", 1.8),
    faster(results, "second day", "restic", 3),
    faster(results, "restore", "restic", 3),
    {
      what: "restore: time relative to cp --sparse=always",
      value: ratio(wall(results, ours, "restore"), wall(results, "cp", "restore")),
      limit: 2.5,
      atLeast: false,
      unit: "×",
    },
    faster(results, "verify", "restic", 1.3),
    storedRatio(results, "restic", 1, "restic"),
    storedRatio(results, "borg", 0.62, "fixed 4 MiB chunks (borg)"),
    { what: "peak memory of any step", value: peakMb(results), limit: 400, atLeast: false, unit: "MB" },
  ];
}
