// The machines of a report as a table in Markdown, and the checks of restore tests that did not pass.

import type { Outcome } from "../format/restoreTestRecord.js";
import { code, folded, prose, table } from "../report/markdown.js";
import { sparkline } from "../report/sparkline.js";
import type { JobReport, MachineReportLine, ReportOutcome } from "./jobReport.js";
import type { SummaryLimits } from "./jobSummary.js";
import { type Cell, type Column, columnsOf } from "./machineColumns.js";
import { amountOf, outcomeCounts, worstFirst } from "./reportWords.js";

export const OUTCOME_SIGNS: Record<Outcome | ReportOutcome, string> = {
  passed: "✅",
  warned: "⚠️",
  failed: "❌",
  inconclusive: "❔",
  skipped: "➖",
  cancelled: "🛑",
};

/** The worst first. Of many machines, those that passed are folded away. */
export function machinesSummary(report: JobReport, { rows, open }: SummaryLimits): string[] {
  const lines = worstFirst(report.machines);
  if (lines.length === 0) return [];
  const columns = columnsOf(report);
  const counts = outcomeCounts(lines).map(([outcome, count]) => `${OUTCOME_SIGNS[outcome]} ${count} ${outcome}`);
  const title = [`### ${amountOf(lines.length, "machine")}: ${counts.join(", ")}`, ""];
  if (lines.length <= open) return [...title, ...linesTable(lines, columns, report, rows)];
  const bad = lines.filter(({ outcome }) => outcome !== "passed");
  const good = lines.filter(({ outcome }) => outcome === "passed");
  return [
    ...title,
    ...(bad.length === 0 ? [] : linesTable(bad, columns, report, rows)),
    ...(good.length === 0
      ? []
      : folded(`${amountOf(good.length, "machine")} passed`, linesTable(good, columns, report, rows))),
  ];
}

function linesTable(lines: readonly MachineReportLine[], columns: Column[], report: JobReport, max: number): string[] {
  const trends = new Map(report.trends.map((trend) => [trend.machine, trend]));
  const rto = report.trends.some(({ rto }) => rto.length > 1);
  const added = report.trends.some(({ added: points }) => points.length > 1);
  const trendColumns = [...(rto ? ["RTO trend"] : []), ...(added ? ["New trend"] : [])];
  const rows = lines.slice(0, max).map((line) => {
    const trend = trends.get(line.machine);
    return [
      ...columns.map(({ cell }) => markdownCell(cell(line))),
      ...(rto ? [sparkline((trend?.rto ?? []).map(({ ms }) => ms))] : []),
      ...(added ? [sparkline((trend?.added ?? []).map(({ bytes }) => bytes))] : []),
    ];
  });
  const head = [...columns.map(({ title }) => title), ...trendColumns];
  const left = lines.length - rows.length;
  const more = left > 0 ? [`… and ${amountOf(left, "more machine")}`, ""] : [];
  return [...table(head, reasonLast(head, rows)), ...more];
}

/** The one wide column ends the row. */
function reasonLast(head: string[], rows: string[][]): string[][] {
  const at = head.indexOf("Reason");
  if (at < 0 || at === head.length - 1) return rows;
  head.push(...head.splice(at, 1));
  return rows.map((row) => [...row.filter((_, i) => i !== at), row[at] as string]);
}

function markdownCell(cell: Cell | null): string {
  if (cell === null) return "—";
  const { text, foreign, note, met, outcome } = cell;
  if (outcome !== null) return `${OUTCOME_SIGNS[outcome]} ${outcome}`;
  const sign = met === null ? "" : met ? " ✅" : " ❌";
  const shown = foreign ? nameOrProse(text) : prose(text);
  return `${shown}${sign}${note === "" ? "" : `<br><sub>${prose(note)}</sub>`}`;
}

/** One word is a name and stands in a code span; a sentence is read as one. */
function nameOrProse(text: string): string {
  return /\s/.test(text.trim()) ? prose(text) : code(text);
}

/** Which checks did not pass, with the lines of the spec they stand in. */
export function checksSummary({ machines }: JobReport, { rows }: SummaryLimits): string[] {
  const tested = machines.flatMap(({ machine, test }) => (test === null ? [] : [{ machine, test }]));
  const found = tested.flatMap(({ machine, test }) =>
    test.checks
      .filter(({ outcome }) => outcome !== "passed")
      .map(({ id, outcome, reason, line }) => [
        `${OUTCOME_SIGNS[outcome]} ${outcome}`,
        code(machine),
        code(id),
        prose(reason ?? ""),
        test.file === null ? "" : code(line === null ? test.file : `${test.file}:${line}`),
      ]),
  );
  if (found.length === 0) return [];
  const all = tested.reduce((sum, { test }) => sum + test.checks.length, 0);
  const shown = found.slice(0, rows);
  const more = found.length > shown.length ? [`… and ${amountOf(found.length - shown.length, "more check")}`, ""] : [];
  return folded(`${found.length} of ${amountOf(all, "check")} did not pass`, [
    ...table(["Outcome", "Machine", "Check", "Reason", "Where"], shown),
    ...more,
  ]);
}
