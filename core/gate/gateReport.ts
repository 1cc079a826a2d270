// A gate's verdict as a report: the sentence, the outcome, and problems that point at the line of the policy to blame. Pure.

import type { GateDecision, GateReportPart } from "../jobReport/jobReport.js";
import { JOB_REPORT_SCHEMA, type JobReport, type ReportOutcome, type ReportProblem } from "../jobReport/jobReport.js";
import type { GateVerdict } from "./decideGate.js";
import type { PatternProblem } from "./requiredMachines.js";

export interface GateReportInput {
  verdict: GateVerdict;
  /** Why nobody knows what has changed; null: it is known. */
  changesProblem: string | null;
  unmatched: readonly PatternProblem[];
  policyCommit: string;
  repository: JobReport["repository"];
  tool: JobReport["tool"];
  url: string | null;
  startedMs: number;
  finishedMs: number;
}

const OUTCOMES: Record<GateDecision, ReportOutcome> = {
  go: "passed",
  "not-needed": "passed",
  overridden: "warned",
  blocked: "failed",
};

export function gateReport(input: GateReportInput): JobReport {
  const { part } = input.verdict;
  const { repository, tool, url } = input;
  return {
    schema: JOB_REPORT_SCHEMA,
    command: "gate",
    job: null,
    tool: { ...tool },
    repository,
    startedAt: new Date(input.startedMs).toISOString(),
    finishedAt: new Date(input.finishedMs).toISOString(),
    dryRun: false,
    url,
    outcome: OUTCOMES[part.decision],
    verdict: gateSentence(part, input.changesProblem),
    machines: [],
    facts: [
      { label: "changed files", value: input.changesProblem === null ? String(part.changedFiles) : "not known" },
      { label: "policy", value: `${part.policyFile} at ${input.policyCommit.slice(0, 12)}` },
    ],
    gate: part,
    plan: null,
    problems: problemsOf(input),
    trends: [],
  };
}

/** "vm/101 has a backup from 3 hours ago whose restore was proven yesterday (…)", "no, because …". */
function gateSentence(part: GateReportPart, changesProblem: string | null): string {
  const { decision, machines, override, changedFiles } = part;
  if (decision === "not-needed")
    return `no machine is asked for by ${changedFiles} changed file${plural(changedFiles)}`;
  if (decision === "go") {
    const sentences = machines.map(({ reasons }) => reasons[0]?.message ?? "").slice(0, 3);
    return `go: ${sentences.join("; ")}${more(machines.length - sentences.length)}`;
  }
  const no = `no: ${blockedText(part, changesProblem)}`;
  return override === null ? no : `${no}; let through by ${override.by}: ${override.reason}`;
}

function blockedText({ machines }: GateReportPart, changesProblem: string | null): string {
  const shut = machines.filter(({ decision }) => decision === "blocked");
  const [first] = shut;
  if (first === undefined || changesProblem !== null) return changesProblem ?? "the policy cannot be understood";
  const messages = first.reasons.map(({ message }) => message).slice(0, 2);
  return `${first.machine}: ${messages.join("; ")}${more(shut.length - 1)}`;
}

function problemsOf({ verdict, changesProblem, unmatched }: GateReportInput): ReportProblem[] {
  const { part, overrideProblem } = verdict;
  const isShut = part.decision === "blocked";
  const at = { hint: null, machine: null, file: part.policyFile, line: null, column: null };
  const problems: ReportProblem[] = [];
  if (changesProblem !== null)
    problems.push({
      ...at,
      severity: isShut ? "error" : "warning",
      code: "CHANGES_UNKNOWN",
      message: changesProblem,
      file: null,
    });
  for (const { machine, decision, reasons, line } of part.machines) {
    if (decision !== "blocked") continue;
    const message = `${machine} blocks this change: ${reasons.map((each) => each.message).join("; ")}`;
    problems.push({ ...at, severity: isShut ? "error" : "warning", code: "GATE_BLOCKED", message, machine, line });
  }
  if (part.override !== null) {
    const message = `the gate was overridden by ${part.override.by}: ${part.override.reason}`;
    problems.push({ ...at, severity: "warning", code: "GATE_OVERRIDDEN", message });
  }
  if (overrideProblem !== null)
    problems.push({ ...at, severity: "warning", code: "GATE_OVERRIDE_WITHOUT_REASON", message: overrideProblem });
  for (const { pattern, message, line } of unmatched)
    problems.push({
      ...at,
      severity: "notice",
      code: "GATE_PATTERN_UNMATCHED",
      message: `"${pattern}": ${message}`,
      line,
    });
  return problems;
}

function more(count: number): string {
  return count > 0 ? ` (and ${count} more)` : "";
}

function plural(count: number): string {
  return count === 1 ? "" : "s";
}
