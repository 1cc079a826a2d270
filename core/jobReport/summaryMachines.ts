// The machines of a report as a table in Markdown, and the checks of restore tests that did not pass.

import type { Outcome } from "../format/restoreTestRecord.js";
import { code, folded, prose, table, unbroken } from "../report/markdown.js";
import { sparkline } from "../report/sparkline.js";
import type { JobReport, MachineReportLine, MachineTrend, ReportOutcome } from "./jobReport.js";
import { type Cell, type Column, columnsOf } from "./machineColumns.js";
import { amountOf, outcomeCounts, runsOfMachines, worstFirst } from "./reportWords.js";
import type { SummaryLimits } from "./summaryOptions.js";

export const OUTCOME_SIGNS: Record<Outcome | ReportOutcome, string> = {
  passed: "✅",
  warned: "⚠️",
  failed: "❌",
  inconclusive: "❔",
  skipped: "➖",
  cancelled: "🛑",
};

/** More make the last one a tower of words. */
const MAX_COLUMNS = 7;
const MAX_UNBROKEN = 60;

/** The worst first. Of many machines, those that passed are folded away. */
export function machinesSummary(report: JobReport, { rows, open }: SummaryLimits): string[] {
  const lines = worstFirst(report.machines);
  if (lines.length === 0) return [];
  const all = columnsOf(report);
  const wide = all.length > MAX_COLUMNS;
  const columns = wide ? all.filter(({ title }) => title !== "Reason") : all;
  const counts = outcomeCounts(lines).map(([outcome, count]) => `${OUTCOME_SIGNS[outcome]} ${count} ${outcome}`);
  const reasons = wide ? reasonsOf(lines, open) : [];
  const title = [`### ${runsOfMachines(lines)}: ${counts.join(", ")}`, "", ...reasons];
  if (lines.length <= open) return [...title, ...linesTable(lines, columns, report, rows)];
  const bad = lines.filter(({ outcome }) => outcome !== "passed");
  const good = lines.filter(({ outcome }) => outcome === "passed");
  return [
    ...title,
    ...(bad.length === 0 ? [] : linesTable(bad, columns, report, rows)),
    ...(good.length === 0 ? [] : folded(`${runsOfMachines(good)} passed`, linesTable(good, columns, report, rows))),
  ];
}

/** Beside many columns there is no room for sentences. */
function reasonsOf(lines: readonly MachineReportLine[], max: number): string[] {
  const told = lines.filter(({ outcome, reason }) => outcome !== "passed" && reason !== "").slice(0, max);
  const items = told.map(
    ({ machine, outcome, reason }) => `- ${OUTCOME_SIGNS[outcome]} ${code(machine)}: ${prose(reason)}`,
  );
  return items.length === 0 ? [] : [...items, ""];
}

function linesTable(lines: readonly MachineReportLine[], columns: Column[], report: JobReport, max: number): string[] {
  const trends = new Map(report.trends.map((trend) => [trend.machine, trend]));
  const rows = lines
    .slice(0, max)
    .map((line) =>
      columns.map((column) => markdownCell(column.cell(line), trendBelow(column, trends.get(line.machine)))),
    );
  const left = lines.length - rows.length;
  const more = left > 0 ? [`… and ${amountOf(left, "more machine")}`, ""] : [];
  return [
    ...table(
      columns.map(({ title }) => unbroken(title)),
      rows,
    ),
    ...more,
  ];
}

/** How a number went on, below what it is now: this works everywhere. */
function trendBelow({ title }: Column, trend: MachineTrend | undefined): string {
  if (trend === undefined) return "";
  if (title === "RTO") return sparkline(trend.rto.map(({ ms }) => ms));
  if (title === "New") return sparkline(trend.added.map(({ bytes }) => bytes));
  return "";
}

function markdownCell(cell: Cell | null, trend: string): string {
  if (cell === null) return trend === "" ? "—" : trend;
  const { text, foreign, note, met, outcome } = cell;
  if (outcome !== null) return unbroken(`${OUTCOME_SIGNS[outcome]} ${outcome}`);
  const sign = met === null ? "" : met ? "\u00a0✅" : "\u00a0❌";
  const shown = foreign ? nameOrProse(text) : amount(prose(text));
  const small = note === "" ? "" : `<br><sub>${amount(prose(note))}</sub>`;
  return `${shown}${sign}${small}${trend === "" ? "" : `<br>${trend}`}`;
}

/** What is short stays on one line. */
function amount(markdown: string): string {
  return markdown.length > MAX_UNBROKEN ? markdown : unbroken(markdown);
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
        unbroken(`${OUTCOME_SIGNS[outcome]} ${outcome}`),
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
