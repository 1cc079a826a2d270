// Builds small snapshot sets for the tests of planPrune: one text per snapshot, an ISO time with optional flags.

import type { PruneCandidate, PruneContext, PruneDecision } from "../../core/retention/planPrune.js";
import { planPrune } from "../../core/retention/planPrune.js";
import { checkKeepOptions } from "../../core/retention/prunePolicy.js";

/** Later than every time in the tests unless a test says otherwise. */
export const NOW_MS = Date.parse("2030-01-01T00:00:00Z");

/** "2026-11-20T02:00Z", "… protected", "… unfinished". The text is the id. */
export function candidate(text: string): PruneCandidate {
  const [time, ...flags] = text.split(" ");
  return {
    id: text,
    timeMs: Date.parse(time!),
    protected: flags.includes("protected"),
    finished: !flags.includes("unfinished"),
  };
}

export function plan(texts: readonly string[], keep: object, context: Partial<PruneContext> = {}): PruneDecision[] {
  const snapshots = texts.map(candidate);
  return planPrune(snapshots, checkKeepOptions(keep), { timeZone: "UTC", nowMs: NOW_MS, ...context });
}

/** The marks in the order of the texts, as one word per snapshot. */
export function marks(texts: readonly string[], keep: object, context: Partial<PruneContext> = {}): string[] {
  const decisions = plan(texts, keep, context);
  return texts.map((text) => decisions.find(({ id }) => id === text)!.mark);
}

/** The ids that stay because of a rule, newest first. */
export function kept(texts: readonly string[], keep: object, context: Partial<PruneContext> = {}): string[] {
  return plan(texts, keep, context)
    .filter(({ mark }) => mark === "keep")
    .map(({ id }) => id);
}

/** One snapshot a day at the given UTC time, newest first. */
export function daysBack(from: string, count: number, time = "02:00Z"): string[] {
  const startMs = Date.parse(`${from}T00:00Z`);
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(startMs - i * 86_400_000).toISOString().slice(0, 10);
    return `${day}T${time}`;
  });
}
