// What every form of a report says in the same words: titles, verdicts that are counted, ages and objectives.

import type { Outcome } from "../format/restoreTestRecord.js";
import { formatDuration } from "../report/amounts.js";
import {
  type GateDecision,
  type JobReport,
  type MachineReportLine,
  REPORT_OUTCOMES,
  type ReportCommand,
  type ReportOutcome,
} from "./jobReport.js";

export const COMMAND_TITLES: Record<ReportCommand, string> = {
  backup: "Backup",
  verify: "Verify",
  "restore-test": "Restore test",
  gate: "Gate",
  prune: "Prune",
  sync: "Sync",
  status: "Status",
  plan: "Plan",
  run: "Run",
};

export const DECISION_WORDS: Record<GateDecision, string> = {
  go: "go",
  blocked: "blocked",
  overridden: "overridden",
  "not-needed": "not needed",
};

/** Colours and signs of outcomes serve decisions, too. */
export const DECISION_OUTCOMES: Record<GateDecision, Outcome> = {
  go: "passed",
  blocked: "failed",
  overridden: "warned",
  "not-needed": "skipped",
};

/** Date.parse makes a time of almost anything. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const MAX_CLOCK_SKEW_MS = 5 * 60_000;
const WORST_FIRST: Outcome[] = ["failed", "inconclusive", "warned", "skipped", "passed"];

/** What was skipped counts as well as what passed. */
export function worstOutcome(outcomes: readonly (Outcome | ReportOutcome)[]): ReportOutcome {
  const ranks = outcomes.map((outcome) => REPORT_OUTCOMES.indexOf(outcome === "skipped" ? "passed" : outcome));
  return REPORT_OUTCOMES[Math.max(0, ...ranks)] as ReportOutcome;
}

/** Lines in the order in which people want to read them: the worst first, then by name. */
export function worstFirst(lines: readonly MachineReportLine[]): MachineReportLine[] {
  return [...lines].sort(
    (a, b) =>
      WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome) ||
      (a.machine < b.machine ? -1 : a.machine > b.machine ? 1 : 0),
  );
}

/** Without the decision and the name of the job, with which sentences of gates and jobs begin, where both are told besides. */
export function verdictAfterName({ verdict, gate, job }: Pick<JobReport, "verdict" | "gate" | "job">): string {
  if (gate !== null) return verdict.replace(/^(?:go|no): /, "");
  return job !== null && verdict.startsWith(`${job}: `) ? verdict.slice(job.length + 2) : verdict;
}

/** How many of each, those that are there, worst first. */
export function outcomeCounts(lines: readonly MachineReportLine[]): [Outcome, number][] {
  return WORST_FIRST.map((outcome): [Outcome, number] => [
    outcome,
    lines.filter((line) => line.outcome === outcome).length,
  ]).filter(([, count]) => count > 0);
}

/** "3 of 4 machines passed; failed: vm/db1 (it does not answer)". */
export function countedVerdict(report: Pick<JobReport, "machines" | "outcome" | "gate" | "problems" | "plan">): string {
  const { machines, outcome, gate, problems, plan } = report;
  const parts: string[] = [];
  if (gate !== null) parts.push(`the gate ${gate.gate} says ${DECISION_WORDS[gate.decision]}`);
  if (machines.length > 0) parts.push(machinesVerdict(machines));
  if (plan !== null) parts.push(`${plan.runs.filter(({ due }) => due).length} of ${plan.runs.length} runs are due`);
  const beside = worstOutcome(machines.map((line) => line.outcome)) !== outcome;
  const problem = problems.find(({ machine, severity }) => machine === null && severity !== "notice");
  if (outcome === "cancelled") parts.push("a run was cancelled");
  else if (problem !== undefined && (beside || machines.length === 0)) parts.push(problem.message);
  return parts.length === 0 ? outcome : parts.join("; ");
}

function machinesVerdict(machines: readonly MachineReportLine[]): string {
  const counts = outcomeCounts(machines);
  const [first] = counts;
  const all = runsOfMachines(machines);
  if (counts.length === 1 && first !== undefined)
    return machines.length === 1 ? `the machine ${first[0]}` : `all ${all} ${first[0]}`;
  const worst = worstFirst(machines)[0] as MachineReportLine;
  const more = (first as [Outcome, number])[1] - 1;
  const passed = machines.filter((line) => line.outcome === "passed").length;
  return `${passed} of ${all} passed; ${worst.outcome}: ${worst.machine}${more > 0 ? ` and ${more} more` : ""} (${worst.reason})`;
}

/** One machine may be in several jobs: "10 runs of 5 machines". */
export function runsOfMachines(machines: readonly MachineReportLine[]): string {
  const count = new Set(machines.map(({ machine }) => machine)).size;
  return count === machines.length
    ? amountOf(count, "machine")
    : `${amountOf(machines.length, "run")} of ${amountOf(count, "machine")}`;
}

export function amountOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** "12 min", "3.1 h", "9 d". Clocks may differ by a few minutes; what is further in the future is no age to rely on. */
export function ageOf(ms: number): string {
  const HOUR = 3_600_000;
  if (isInFuture(ms)) return `${formatDuration(-ms)} in the future`;
  if (ms < HOUR) return `${Math.floor(Math.max(0, ms) / 60_000)} min`;
  return ms < 48 * HOUR ? `${(ms / HOUR).toFixed(ms < 10 * HOUR ? 1 : 0)} h` : `${Math.floor(ms / (24 * HOUR))} d`;
}

/** "3.1 h ago". */
export function agoOf(ms: number): string {
  return isInFuture(ms) ? ageOf(ms) : `${ageOf(ms)} ago`;
}

export function isInFuture(ageMs: number): boolean {
  return ageMs < -MAX_CLOCK_SKEW_MS;
}

/** Between two times of a report; null when one is no time. */
export function ageBetween(from: string, until: string): number | null {
  return INSTANT.test(from) && INSTANT.test(until) ? Date.parse(until) - Date.parse(from) : null;
}

export function tookMs({ startedAt, finishedAt }: JobReport): number {
  return Math.max(0, ageBetween(startedAt, finishedAt) ?? 0);
}

/** "1 min 10 s, objective 15 min 00 s". */
export function measuredOf(ms: number | null, objectiveMs: number | null): string {
  return objectiveMs === null ? durationOf(ms) : `${durationOf(ms)}, ${objectiveOf(objectiveMs)}`;
}

export function durationOf(ms: number | null): string {
  return ms === null ? "not measured" : formatDuration(ms);
}

/** "" when there is none. */
export function objectiveOf(ms: number | null): string {
  return ms === null ? "" : `objective ${formatDuration(ms)}`;
}

/** Labels begin with a capital where they head a column. */
export function capitalized(label: string): string {
  return label.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/** Whether there is a course to draw: two points, and not all of them zero. */
export function isCourse(values: readonly number[]): boolean {
  return values.length > 1 && values.some((value) => value > 0);
}

/** Eight digits are enough to tell snapshots apart in a table. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
