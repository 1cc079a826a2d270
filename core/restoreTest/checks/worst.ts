// Several observations of one check as one: it holds when all do.

import type { CheckVerdict, Observation } from "./check.js";

const ORDER: Record<CheckVerdict, number> = { fails: 0, "cannot-tell": 1, holds: 2 };

/** At least one part. What was worst is said first. */
export function worst(expected: string, parts: readonly Observation[]): Observation {
  const sorted = [...parts].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  const verdict = sorted[0]?.verdict ?? "cannot-tell";
  const reasons = sorted.filter((part) => part.verdict === verdict).flatMap(({ reason }) => reason ?? []);
  const observed = sorted.map((part) => part.observed).join("; ");
  return { verdict, expected, observed, ...(reasons.length === 0 ? {} : { reason: reasons.join("; ") }) };
}
