// A plan in numbers: how many snapshots each rule decided about, for the table below a plan and for JSON.

import { formatDuration } from "../calendar/duration.js";
import type { PruneDecision, PruneMark, PruneRule } from "./planPrune.js";
import type { KeepOptions } from "./prunePolicy.js";
import { COUNT_RULES, hasWithin } from "./prunePolicy.js";

export interface RuleSummary {
  rule: PruneRule;
  /** What the policy asks for: a count as text, or a duration. Empty for rules that are not options. */
  limit: string;
  kept: number;
  removed: number;
  /** Times of the newest and the oldest snapshot that the rule keeps; undefined when it keeps none. */
  newestKeptMs?: number;
  oldestKeptMs?: number;
}

export interface RetentionSummary {
  marks: Record<PruneMark, number>;
  /** In the order in which the rules decide: every option that is on, and every other rule that decided something. */
  rules: RuleSummary[];
}

const RULE_ORDER: readonly PruneRule[] = ["protected", "all", "future", "unfinished", "within", ...COUNT_RULES, "none"];

export function summarizePlan(decisions: readonly PruneDecision[], keep: KeepOptions): RetentionSummary {
  const marks: Record<PruneMark, number> = { keep: 0, "keep-partial": 0, protected: 0, remove: 0 };
  const byRule = new Map<PruneRule, RuleSummary>();
  for (const rule of RULE_ORDER) byRule.set(rule, { rule, limit: limitText(rule, keep), kept: 0, removed: 0 });
  for (const { rule, mark, timeMs } of decisions) {
    marks[mark] += 1;
    const summary = byRule.get(rule)!;
    if (mark === "remove") summary.removed += 1;
    else countKept(summary, timeMs);
  }
  const rules = [...byRule.values()].filter(({ limit, kept, removed }) => limit !== "" || kept > 0 || removed > 0);
  return { marks, rules };
}

function countKept(summary: RuleSummary, timeMs: number): void {
  summary.kept += 1;
  summary.newestKeptMs = Math.max(summary.newestKeptMs ?? timeMs, timeMs);
  summary.oldestKeptMs = Math.min(summary.oldestKeptMs ?? timeMs, timeMs);
}

function limitText(rule: PruneRule, keep: KeepOptions): string {
  if (rule === "within") return hasWithin(keep) ? formatDuration(keep.within) : "";
  const countRule = COUNT_RULES.find((name) => name === rule);
  const count = countRule === undefined ? 0 : (keep[countRule] ?? 0);
  return count === 0 ? "" : String(count);
}
