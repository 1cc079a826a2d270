// Snapshots in lines for people.

import { distinctDigits, qualifiedGroup, type Snapshot } from "../../core/index.js";
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

/** What is special about a snapshot: protected, verified or damaged, repaired, and its tags. */
export function badges({ protected: isProtected, verification, tags, manifest }: Snapshot): Span[] {
  const spans: Span[] = [];
  if (isProtected) spans.push(styled("green", "protected"));
  if (verification?.result === "damaged") spans.push(styled("red", "DAMAGED"));
  if (verification?.result === "ok") spans.push(verification.level === "data" ? "verified" : "checked");
  if (manifest.archives.some(({ lost }) => lost.length > 0)) spans.push(styled("yellow", "has losses"));
  if (manifest.repairedFrom !== null) spans.push("repaired");
  spans.push(...tags.map((tag) => `#${tag}`));
  return spans.flatMap((span, index) => (index === 0 ? [span] : [" ", span]));
}
