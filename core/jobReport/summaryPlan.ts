// A plan in Markdown: which runs are due, and which machines a matrix would work on.

import { formatMinute } from "../report/amounts.js";
import { code, folded, prose, table, unbroken } from "../report/markdown.js";
import type { PlanReportPart } from "./jobReport.js";
import { amountOf } from "./reportWords.js";
import type { SummaryLimits } from "./summaryOptions.js";

/** Due runs first. */
export function planSummary({ runs, matrix }: PlanReportPart, { rows }: SummaryLimits): string[] {
  const sorted = [...runs].sort((a, b) => Number(b.due) - Number(a.due));
  const lines = sorted
    .slice(0, rows)
    .map(({ job, command, machine, due, lastRunAt, nextAt, reason }) => [
      unbroken(due ? "▶️ due" : "➖ not due"),
      code(job),
      prose(command),
      machine === null ? "all" : code(machine),
      timeOf(lastRunAt, "never"),
      timeOf(nextAt, "—"),
      prose(reason),
    ]);
  const left = runs.length - lines.length;
  return [
    ...(runs.length === 0
      ? []
      : ["### Runs", "", ...table(["", "Job", "Command", "Machine", "Last run", "Next", "Why"], lines)]),
    ...(left > 0 ? [`… and ${amountOf(left, "more run")}`, ""] : []),
    ...(matrix.length === 0
      ? []
      : folded(`Matrix of ${matrix.length}`, [
          ...table(
            ["Job", "Machine"],
            matrix.slice(0, rows).map(({ job, machine }) => [code(job), code(machine)]),
          ),
          ...(matrix.length > rows ? [`… and ${matrix.length - rows} more`, ""] : []),
        ])),
  ];
}

function timeOf(time: string | null, none: string): string {
  return time === null ? none : unbroken(prose(formatMinute(time)));
}
