// Reports of parallel runners as one: docs/job-reports.md, "Merging". The order in which they are given makes no difference, and a
// report that is merged twice changes nothing.

import { RepriseError } from "../errors.js";
import { decodeText } from "../format/bytes.js";
import { encodeCanonicalJson, type JsonValue } from "../format/canonicalJson.js";
import { fitJobReport } from "./encodeJobReport.js";
import type { MachineTrend, PlanReportPart, ReportOutcome, ReportProblem } from "./jobReport.js";
import {
  GATE_DECISIONS,
  type GateReportPart,
  JOB_REPORT_SCHEMA,
  type JobReport,
  MAX_TREND_POINTS,
  type MachineReportLine,
} from "./jobReport.js";
import { MAX_ELEMENTS } from "./jobReportLimits.js";
import { countedVerdict, worstOutcome } from "./reportWords.js";

const SEVERITIES = ["error", "warning", "notice"];

/** Of one job and machine the line that ended last counts, and with it the problems of its report. REPORTS_MISSING for none at all. */
export function mergeReports(given: readonly JobReport[]): JobReport {
  if (given.length === 0)
    throw new RepriseError("usage", "REPORTS_MISSING", "there are no reports to merge", {
      hint: "name at least one report",
    });
  const reports = given.map(fitJobReport);
  const kept = newestLines(reports);
  const machines = [...kept.values()].sort(byText(({ machine, job }) => `${machine}\n${job ?? ""}`));
  const whole = {
    schema: JOB_REPORT_SCHEMA,
    command: sameOf(reports.map(({ command }) => command)) ?? ("run" as const),
    job: sameOf(reports.map(({ job }) => job)),
    tool: newestOf(reports, ({ finishedAt }) => finishedAt).tool,
    repository: sameOf(reports.map(({ repository }) => repository)),
    startedAt: earliest(reports.map(({ startedAt }) => startedAt)),
    finishedAt: latest(reports.map(({ finishedAt }) => finishedAt)),
    dryRun: reports.every(({ dryRun }) => dryRun),
    url: sameOf(reports.map(({ url }) => url)),
    outcome: outcomeOf(reports, machines),
    machines: machines.slice(0, MAX_ELEMENTS.machines),
    facts: distinct(reports.flatMap(({ facts }) => facts)).slice(0, MAX_ELEMENTS.facts),
    gate: worstGate(reports.flatMap(({ gate }) => gate ?? [])),
    plan: mergePlans(reports.flatMap(({ plan }) => plan ?? [])),
    problems: problemsOf(reports, kept),
    trends: mergeTrends(reports.flatMap(({ trends }) => trends)),
  };
  return { ...whole, verdict: countedVerdict(whole) };
}

function keyOf({ job, machine, test }: MachineReportLine): string {
  return textOf([job, machine, test?.name ?? null]);
}

function newestLines(reports: readonly JobReport[]): Map<string, MachineReportLine> {
  const kept = new Map<string, MachineReportLine>();
  for (const line of reports.flatMap(({ machines }) => machines)) {
    const other = kept.get(keyOf(line));
    const newest = other === undefined ? line : newestOf([other, line], ({ finishedAt }) => finishedAt);
    kept.set(keyOf(line), newest);
  }
  return kept;
}

/** The worst of the lines that count, and of what reports found beside their lines: a repository that did not open, a signal. */
function outcomeOf(reports: readonly JobReport[], machines: readonly MachineReportLine[]): ReportOutcome {
  const beside = reports.flatMap(({ outcome, machines: lines }) => {
    const ofLines = worstOutcome(lines.map((line) => line.outcome));
    return worstOutcome([ofLines, outcome]) === ofLines ? [] : outcome;
  });
  return worstOutcome([...machines.map(({ outcome }) => outcome), ...beside]);
}

/** Worst first; without those of machines whose lines in that report have been replaced. */
function problemsOf(reports: readonly JobReport[], kept: ReadonlyMap<string, MachineReportLine>): ReportProblem[] {
  const problems = reports.flatMap((report) => {
    const replaced = new Set(report.machines.map(({ machine }) => machine));
    for (const line of report.machines)
      if (textOf(kept.get(keyOf(line))) === textOf(line)) replaced.delete(line.machine);
    return report.problems.filter(({ machine }) => machine === null || !replaced.has(machine));
  });
  return distinct(problems)
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
    .slice(0, MAX_ELEMENTS.problems);
}

/** Different gates cannot be one: the one that lets least through speaks for all. */
function worstGate(gates: readonly GateReportPart[]): GateReportPart | null {
  const worst = Math.max(-1, ...gates.map(({ decision }) => GATE_DECISIONS.indexOf(decision)));
  return distinct(gates.filter(({ decision }) => GATE_DECISIONS.indexOf(decision) === worst))[0] ?? null;
}

function mergePlans(plans: readonly PlanReportPart[]): PlanReportPart | null {
  if (plans.length === 0) return null;
  const runs = new Map<string, PlanReportPart["runs"][number]>();
  for (const run of plans.flatMap((plan) => plan.runs)) {
    const key = textOf([run.job, run.command, run.machine]);
    const other = runs.get(key);
    runs.set(key, other === undefined ? run : newestOf([other, run], ({ lastRunAt }) => lastRunAt ?? ""));
  }
  return {
    matrix: distinct(plans.flatMap(({ matrix }) => matrix)).slice(0, MAX_ELEMENTS.matrix),
    runs: distinct([...runs.values()]).slice(0, MAX_ELEMENTS.runs),
  };
}

function mergeTrends(trends: readonly MachineTrend[]): MachineTrend[] {
  const byMachine = Map.groupBy(trends, ({ machine }) => machine);
  const merged = [...byMachine].map(([machine, own]) => {
    const objectives = own.flatMap(({ rtoObjectiveMs }) => rtoObjectiveMs ?? []);
    return {
      machine,
      rtoObjectiveMs: objectives.length === 0 ? null : Math.min(...objectives),
      rto: inTime(own.flatMap(({ rto }) => rto)),
      added: inTime(own.flatMap(({ added }) => added)),
      size: inTime(own.flatMap(({ size }) => size)),
    };
  });
  return merged.sort(byText(({ machine }) => machine)).slice(0, MAX_ELEMENTS.trends);
}

function inTime<T extends { at: string }>(points: readonly T[]): T[] {
  return distinct(points)
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .slice(-MAX_TREND_POINTS);
}

/** The value that all have, else null. */
function sameOf<T>(values: readonly T[]): T | null {
  const [first] = values;
  return first !== undefined && values.every((value) => textOf(value) === textOf(first)) ? first : null;
}

/** Of two that are as new, always the same one. */
function newestOf<T>(values: readonly T[], timeOf: (value: T) => string): T {
  return values.reduce((best, value) => {
    const difference = msOf(timeOf(value)) - msOf(timeOf(best));
    return difference > 0 || (difference === 0 && textOf(value) > textOf(best)) ? value : best;
  });
}

function earliest(times: readonly string[]): string {
  return [...times].sort((a, b) => msOf(a) - msOf(b) || (a < b ? -1 : 1))[0] as string;
}

function latest(times: readonly string[]): string {
  return [...times].sort((a, b) => msOf(b) - msOf(a) || (a < b ? -1 : 1))[0] as string;
}

function msOf(time: string): number {
  return Date.parse(time) || 0;
}

/** Each once, in an order that does not depend on the one given. */
function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [textOf(value), value]))].sort(byText(([text]) => text)).map(([, v]) => v);
}

function byText<T>(textOfValue: (value: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [first, second] = [textOfValue(a), textOfValue(b)];
    return first < second ? -1 : first > second ? 1 : 0;
  };
}

function textOf(value: unknown): string {
  return decodeText(encodeCanonicalJson(value as JsonValue), "report");
}
