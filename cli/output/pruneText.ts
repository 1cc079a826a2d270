// Plans of a retention policy as tables: when, what, why.

import {
  type Catalog,
  type GroupPrunePlan,
  type PruneMark,
  parseIsoInstant,
  qualifiedGroup,
  type SimulatedDecision,
} from "../../core/index.js";
import { idDigits } from "./snapshotText.js";
import { tableLines } from "./table.js";
import { type Line, type Span, styled } from "./text.js";
import { countText } from "./units.js";
import { zoneTimeText } from "./zoneTime.js";

export function countMarks(decisions: readonly { mark: PruneMark }[]): Record<PruneMark, number> {
  const marks: Record<PruneMark, number> = { keep: 0, "keep-partial": 0, protected: 0, remove: 0 };
  for (const { mark } of decisions) marks[mark]++;
  return marks;
}

/** A table for each machine. */
export function pruneLines(plans: readonly GroupPrunePlan[], timeZone: string, catalog: Catalog): Line[] {
  const digits = idDigits(catalog.snapshots.map(({ sid }) => sid));
  const columns = [{ title: `TIME (${timeZone})` }, { title: "ID" }, { title: "MARK" }, { title: "REASON" }];
  return plans.flatMap(({ namespace, group, decisions }) => {
    const rows = decisions.map(({ snapshot, mark, reasons }): Line[] => [
      zoneTimeText(snapshot.timeMs, timeZone),
      snapshot.sid.slice(0, digits),
      markSpan(mark),
      reasons.join("; "),
    ]);
    return [styled("bold", qualifiedGroup(namespace, group)), ...tableLines(columns, rows), ""];
  });
}

export function pruneSummary(plans: readonly GroupPrunePlan[], dryRun: boolean): Line[] {
  const marks = countMarks(plans.flatMap(({ decisions }) => decisions));
  const kept = marks.keep + marks["keep-partial"] + marks.protected;
  if (kept + marks.remove === 0) return ["no snapshots"];
  const removed = countText(marks.remove, "snapshot");
  const forgotten = dryRun ? `would forget ${removed}` : `forgot ${removed}`;
  const lines: Line[] = [`${forgotten}, ${kept.toLocaleString("en-US")} stay`];
  if (!dryRun && marks.remove > 0) lines.push("reprise gc frees the space");
  return lines;
}

export function simulationLines(decisions: readonly SimulatedDecision[], timeZone: string): Line[] {
  const columns = [{ title: `TIME (${timeZone})` }, { title: "MARK" }, { title: "REASON" }];
  const rows = decisions.map(({ time, mark, reasons }): Line[] => {
    const timeMs = typeof time === "number" ? Math.round(time * 1000) : (parseIsoInstant(time) ?? 0);
    return [zoneTimeText(timeMs, timeZone), markSpan(mark), reasons.join("; ")];
  });
  return tableLines(columns, rows);
}

function markSpan(mark: PruneMark): Span {
  return mark === "remove" ? styled("red", mark) : mark;
}
