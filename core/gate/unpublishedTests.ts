// Tests that are known to have been made, and whose statements are not at hand: their publication failed, or nobody signed them. They prove
// nothing, and one that did not pass speaks against whatever was proven before it. Pure.

import type { GateRequirement } from "../config/repriseConfig.js";
import type { GateReasonCode, KnownTest, SnapshotFacts } from "../evidence/gateFacts.js";
import { instantText } from "./gateWords.js";

export interface UnpublishedTest extends KnownTest {
  snapshot: SnapshotFacts;
}

/** Newest first: those that ended not before `sinceMs` and are another test than `recordDigest`; null: nothing is proven yet. */
export function unpublishedTests(
  snapshots: readonly SnapshotFacts[],
  known: { recordDigest: string | null; sinceMs: number | null },
): UnpublishedTest[] {
  return (
    snapshots
      .flatMap((snapshot) => (snapshot.newestTest === null ? [] : [{ ...snapshot.newestTest, snapshot }]))
      .filter(({ recordDigest }) => recordDigest !== known.recordDigest)
      // without a time it may be the newest
      .filter(({ finishedAtMs }) => known.sinceMs === null || !(finishedAtMs < known.sinceMs))
      .toSorted((a, b) => b.finishedAtMs - a.finishedAtMs)
  );
}

/** Null for one that passed, or passed as far as the requirement asks. */
export function objectionTo(
  { outcome, finishedAtMs, snapshot }: UnpublishedTest,
  { allowWarned }: Pick<GateRequirement, "allowWarned">,
): { code: GateReasonCode; message: string } | null {
  if (outcome === "passed" || (outcome === "warned" && allowWarned)) return null;
  const [code, did] = OBJECTIONS[outcome];
  const when = Number.isFinite(finishedAtMs) ? ` of ${instantText(finishedAtMs)}` : "";
  const message = `a later test${when}, of the backup of ${instantText(snapshot.timeMs)}, ${did}; its statement is not published`;
  return { code, message };
}

const OBJECTIONS = {
  failed: ["test-failed", "failed"],
  inconclusive: ["test-inconclusive", "was inconclusive"],
  warned: ["test-warned", "passed with warnings"],
} as const satisfies Record<string, readonly [GateReasonCode, string]>;
