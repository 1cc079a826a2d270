// Reports as Markdown for the summary of a pipeline, in GitHub's flavour: docs/job-reports.md. Whatever comes from elsewhere stands in
// code spans, or in prose of plain words. GitHub drops a summary of more than 1 MiB as a whole, so rows are cut before that.

import { encodeText } from "../format/bytes.js";
import { formatDuration, formatInstant } from "../report/amounts.js";
import { code, link, prose, table, unbroken } from "../report/markdown.js";
import type { JobReport, ReportProblem } from "./jobReport.js";
import {
  amountOf,
  COMMAND_TITLES,
  capitalized,
  DECISION_OUTCOMES,
  DECISION_WORDS,
  tookMs,
  verdictAfterName,
} from "./reportWords.js";
import { gateSummary } from "./summaryGate.js";
import { checksSummary, machinesSummary, OUTCOME_SIGNS } from "./summaryMachines.js";
import type { SummaryLimits, SummaryOptions } from "./summaryOptions.js";
import { planSummary } from "./summaryPlan.js";
import { picturesSummary, trendsSummary } from "./summaryTrends.js";

const DEFAULT_MAX_BYTES = 1_000_000;
/** From all to next to nothing: the first that fits is taken. */
const LIMITS: readonly SummaryLimits[] = [
  { rows: 2000, open: 25, problems: 200, diagrams: 12, pictures: 50 },
  { rows: 1000, open: 25, problems: 50, diagrams: 6, pictures: 20 },
  { rows: 300, open: 20, problems: 20, diagrams: 2, pictures: 0 },
  { rows: 60, open: 10, problems: 10, diagrams: 0, pictures: 0 },
  { rows: 10, open: 5, problems: 3, diagrams: 0, pictures: 0 },
];

/** The first line is the verdict. One part for each report, in the order given. */
export function renderSummary(reports: readonly JobReport[], options: SummaryOptions = {}): string {
  const maxBytes = Math.min(options.maxBytes ?? DEFAULT_MAX_BYTES, DEFAULT_MAX_BYTES);
  for (const limits of LIMITS) {
    const text = textWithin(maxBytes, reports, options, limits);
    if (text !== null) return text;
  }
  return headlinesOnly(reports, maxBytes);
}

/** Null as soon as it is clear that it does not fit. */
function textWithin(
  maxBytes: number,
  reports: readonly JobReport[],
  options: SummaryOptions,
  limits: SummaryLimits,
): string | null {
  let left = maxBytes;
  const parts: string[] = [];
  for (const report of reports) {
    const part = partOf(report, options, limits);
    left -= encodeText(part).length + 1;
    if (left < 0) return null;
    parts.push(part);
  }
  return parts.join("\n");
}

/** Hundreds of reports: a line each, as many as fit. */
function headlinesOnly(reports: readonly JobReport[], maxBytes: number): string {
  let left = maxBytes - 100;
  const lines: string[] = [];
  for (const report of reports) {
    const line = `${headlineOf(report)}\n`;
    left -= encodeText(line).length;
    if (left < 0) break;
    lines.push(line);
  }
  const missing = reports.length - lines.length;
  return missing === 0 ? lines.join("\n") : `${lines.join("\n")}\n… and ${amountOf(missing, "more report")}\n`;
}

function partOf(report: JobReport, options: SummaryOptions, limits: SummaryLimits): string {
  const { gate, plan } = report;
  return [
    headlineOf(report),
    "",
    originOf(report),
    "",
    ...(report.dryRun ? ["> 🧪 **Dry run.** Nothing was changed.", ""] : []),
    ...(gate === null ? [] : gateSummary(gate, limits)),
    ...machinesSummary(report, limits),
    ...(plan === null ? [] : planSummary(plan, limits)),
    ...problemsSummary(report, limits),
    ...checksSummary(report, limits),
    ...(options.diagrams === false ? [] : trendsSummary(report, limits)),
    ...factsSummary(report),
    ...picturesSummary(report, options, limits),
    ...artifactLine(options),
  ].join("\n");
}

function headlineOf(report: JobReport): string {
  const { command, outcome, gate } = report;
  const told = prose(verdictAfterName(report), 500);
  const ending = told === "" ? "" : `: ${told}`;
  if (gate === null) return `## ${OUTCOME_SIGNS[outcome]} ${COMMAND_TITLES[command]} ${outcome}${ending}`;
  const sign = gate.decision === "blocked" ? "⛔" : OUTCOME_SIGNS[DECISION_OUTCOMES[gate.decision]];
  return `## ${sign} Gate ${code(gate.gate)} ${DECISION_WORDS[gate.decision]}${ending}`;
}

/** What, where, when: one quiet line. */
function originOf(report: JobReport): string {
  const { job, repository, startedAt, url, tool } = report;
  const run = url === null ? null : link("this run", url);
  const parts = [
    job === null ? "" : `job ${code(job)}`,
    repository === null ? "" : `repository ${repositoryOf(repository)}`,
    `started ${prose(formatInstant(startedAt))}`,
    `took ${formatDuration(tookMs(report))}`,
    `${prose(tool.name)} ${code(tool.version)}`,
    run ?? "",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function repositoryOf({ name, location }: NonNullable<JobReport["repository"]>): string {
  return name === null ? code(location) : `${code(name)} (${code(location)})`;
}

function problemsSummary({ problems }: JobReport, limits: SummaryLimits): string[] {
  if (problems.length === 0) return [];
  const signs = { error: "❌", warning: "⚠️", notice: "ℹ️" } as const;
  const rows = problems
    .slice(0, limits.problems)
    .map((problem) => [
      unbroken(`${signs[problem.severity]} ${problem.severity}`),
      problem.machine === null ? "" : code(problem.machine),
      `${prose(problem.message)} ${code(problem.code)}${problem.hint === null ? "" : `<br>💡 ${prose(problem.hint)}`}`,
      placeOf(problem),
    ]);
  const left = problems.length - rows.length;
  const more = left > 0 ? [`… and ${amountOf(left, "more problem")}`, ""] : [];
  return ["### Problems", "", ...table(["", "Machine", "Problem", "Where"], rows), ...more];
}

function placeOf({ file, line, column }: ReportProblem): string {
  if (file === null) return "";
  return code(line === null ? file : `${file}:${line}${column === null ? "" : `:${column}`}`);
}

function factsSummary({ facts }: JobReport): string[] {
  if (facts.length === 0) return [];
  return table(
    facts.slice(0, 12).map(({ label }) => prose(capitalized(label)) || " "),
    [facts.slice(0, 12).map(({ value }) => prose(value))],
  );
}

function artifactLine({ artifact }: SummaryOptions): string[] {
  if (artifact === undefined || artifact === null) return [];
  const address = artifact.url === null ? null : link("download", artifact.url);
  return [`Whole report: artifact ${code(artifact.name)}${address === null ? "" : ` (${address})`}`, ""];
}
