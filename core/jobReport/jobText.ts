// A report as plain lines, for logs, terminals and mails. Nothing in it moves a cursor or gives a runner an order.

import { formatDuration, formatInstant } from "../report/amounts.js";
import { shortLine } from "../report/inertText.js";
import type { GateReportPart, JobReport, MachineReportLine, ReportProblem } from "./jobReport.js";
import { type Cell, columnsOf } from "./machineColumns.js";
import { amountOf, COMMAND_TITLES, DECISION_WORDS, tookMs, verdictAfterName, worstFirst } from "./reportWords.js";

const MAX_LINE = 400;
const MAX_LINES = 200;
const MAX_VERDICT = 1000;

/** Ends with a line feed. At most 200 machines, problems and runs each. */
export function renderJobText(report: JobReport): string {
  const { command, outcome, dryRun, facts, gate, plan, problems } = report;
  const word = gate === null ? outcome : DECISION_WORDS[gate.decision];
  return [
    `${COMMAND_TITLES[command]} ${word}${dryRun ? " (dry run, nothing was changed)" : ""}: ${shortLine(verdictAfterName(report), MAX_VERDICT)}`,
    `  ${originOf(report)}`,
    ...some(worstFirst(report.machines), (line) => machineLines(line, report)),
    ...(gate === null ? [] : gateLines(gate)),
    ...(plan === null
      ? []
      : some(plan.runs, (run) => [
          `  ${run.due ? "due    " : "not due"}  ${short(`${run.job} (${run.command}): ${run.reason}`)}`,
        ])),
    ...facts.map(({ label, value }) => `  ${short(`${label}: ${value}`)}`),
    ...some(problems, problemLines),
    "",
  ].join("\n");
}

function originOf(report: JobReport): string {
  const { job, repository, startedAt, url } = report;
  const parts = [
    job === null ? "" : `job ${short(job)}`,
    repository === null ? "" : `repository ${short(repository.name ?? repository.location)}`,
    `started ${short(formatInstant(startedAt))}`,
    `took ${formatDuration(tookMs(report))}`,
    url === null ? "" : short(url),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function machineLines(line: MachineReportLine, report: JobReport): string[] {
  const details = columnsOf(report, [line])
    .filter(({ title }) => title !== "Machine" && title !== "Result" && title !== "Reason")
    .map(({ title, cell }) => `${title.toLowerCase()} ${cellText(cell(line) as Cell)}`);
  const reason = line.reason === "" ? "" : `: ${line.reason}`;
  const more = details.length === 0 ? [] : [`${" ".repeat(16)}${short(details.join("; "))}`];
  return [`  ${line.outcome.padEnd(12)}  ${short(`${line.machine}${reason}`)}`, ...more];
}

function cellText({ text, note, met }: Cell): string {
  const remarks = [note, met === false ? "not in order" : ""].filter((remark) => remark !== "");
  return remarks.length === 0 ? text : `${text} (${remarks.join(", ")})`;
}

function gateLines({ machines, override }: GateReportPart): string[] {
  const lines = machines.flatMap(({ machine, decision, reasons }) => [
    `  ${decision.padEnd(12)}  ${short(machine)}`,
    ...reasons.map(({ code, message }) => `${" ".repeat(16)}${short(`${message} [${code}]`)}`),
  ]);
  if (override === null) return lines;
  return [
    ...lines,
    `  overridden with the label ${short(override.label)}, event by ${short(override.by)}: ${short(override.reason)}`,
  ];
}

function problemLines({ severity, code, message, hint, machine, file, line, column }: ReportProblem): string[] {
  const place =
    file === null ? "" : `${[file, line, line === null ? null : column].filter((part) => part !== null).join(":")}: `;
  const about = machine === null || message.includes(machine) ? "" : `${machine}: `;
  const remedy = hint === null || hint === "" ? [] : [`${" ".repeat(16)}${short(hint)}`];
  return [`  ${severity.padEnd(12)}  ${short(`${place}${about}${message} [${code}]`)}`, ...remedy];
}

function some<T>(values: readonly T[], linesOf: (value: T) => string[]): string[] {
  const lines = values.slice(0, MAX_LINES).flatMap(linesOf);
  return values.length <= MAX_LINES ? lines : [...lines, `  … and ${amountOf(values.length - MAX_LINES, "more line")}`];
}

function short(text: string): string {
  return shortLine(text, MAX_LINE);
}
