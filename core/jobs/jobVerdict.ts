// The sentence at the head of a report: what came out of a job, and the first reason when that is not what was wanted. Pure.

import type { JobConfig } from "../config/repriseConfig.js";
import type { MachineReportLine, ReportOutcome } from "../jobReport/jobReport.js";
import type { JobLog } from "./jobLog.js";

const DONE: Record<JobConfig["command"], string> = {
  backup: "backed up",
  verify: "verified without damage",
  "restore-test": "restored and proven",
  prune: "pruned",
  sync: "copied",
};

export function jobVerdict(
  job: JobConfig,
  outcome: ReportOutcome,
  { lines, problems, facts }: Pick<JobLog, "lines" | "problems" | "facts">,
  dryRun: boolean,
): string {
  const head = `${job.name}: `;
  const good = lines.filter((line) => line.outcome === "passed" || line.outcome === "warned").length;
  if (outcome === "cancelled") return `${head}cancelled; ${good} of ${machinesText(lines.length)} done before`;
  if (dryRun) return `${head}dry run, nothing was changed${factText(facts)}`;
  const bad = lines.find((line) => line.outcome === outcome && outcome !== "passed");
  const done = `${doneText(lines, good)} ${DONE[job.command]}`;
  if (bad !== undefined) return `${head}${lines.length > 1 ? `${done}; ` : ""}${badText(bad)}`;
  const problem = problems.find(({ severity }) => severity !== "notice");
  if (outcome !== "passed" && problem !== undefined) {
    return `${head}${outcome === "warned" && lines.length > 0 ? `${done}; ` : ""}${problem.message}`;
  }
  return lines.length === 0 ? `${head}done${factText(facts)}` : `${head}${done}${factText(facts)}`;
}

function doneText(lines: readonly MachineReportLine[], good: number): string {
  return good === lines.length ? machinesText(good) : `${good} of ${machinesText(lines.length)}`;
}

function badText({ machine, outcome, reason }: MachineReportLine): string {
  const words = { failed: "failed", inconclusive: "could not be told", warned: "needs a look", skipped: "left out" };
  return `${machine} ${outcome === "passed" ? "passed" : words[outcome]}: ${reason}`;
}

function factText([fact]: JobLog["facts"]): string {
  return fact === undefined ? "" : ` (${fact.label} ${fact.value})`;
}

function machinesText(count: number): string {
  return count === 1 ? "1 machine" : `${count} machines`;
}
