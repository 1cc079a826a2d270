// Snapshots in lines for people.

import { distinctDigits, qualifiedGroup, type RestoreTestState, type Snapshot } from "../../core/index.js";
import { type Span, styled } from "./text.js";
import { localTimeText } from "./units.js";

/** How many digits of the ids make each of them different, at least eight. */
export const idDigits = distinctDigits;

export function machineOf({ manifest }: Snapshot): string {
  return qualifiedGroup(manifest.namespace, manifest.group);
}

/** `vm/web1  2026-11-21 02:00:05  3f2a9c01` */
export function snapshotSpans(snapshot: Snapshot, digits: number): Span[] {
  const { sid, timeMs } = snapshot;
  return [machineOf(snapshot), "  ", localTimeText(timeMs), "  ", styled("dim", sid.slice(0, digits))];
}

/** What is special about a snapshot: protected, verified or damaged, tested, repaired, and its tags. */
export function badges({ protected: isProtected, verification, restoreTest, tags, manifest }: Snapshot): Span[] {
  const spans: Span[] = [];
  if (isProtected) spans.push(styled("green", "protected"));
  if (verification?.result === "damaged") spans.push(styled("red", "DAMAGED"));
  if (verification?.result === "ok") spans.push(verification.level === "data" ? "verified" : "checked");
  if (restoreTest !== null) spans.push(testBadge(restoreTest));
  if (manifest.archives.some(({ lost }) => lost.length > 0)) spans.push(styled("yellow", "has losses"));
  if (manifest.repairedFrom !== null) spans.push("repaired");
  spans.push(...tags.map((tag) => `#${tag}`));
  return spans.flatMap((span, index) => (index === 0 ? [span] : [" ", span]));
}

/** `boots 2026-11-20`: what the newest restore test has proven; `original boots 2026-11-20` for a copy. */
export function testBadge({ outcome, provenLevel, at, of }: RestoreTestState): Span {
  const day = at.slice(0, 10);
  const whose = of === "original" ? "original " : "";
  if (outcome === "failed") return styled("red", `${whose}FAILED ${day}`);
  if (outcome === "inconclusive" || provenLevel === null) return styled("yellow", `${whose}inconclusive ${day}`);
  return styled(outcome === "warned" ? "yellow" : "green", `${whose}${provenLevel} ${day}`);
}
