// The sentence at the head of a report: what came out of a job, and the first reason when that is not what was wanted. Pure.

import type { JobConfig } from "../config/repriseConfig.js";
import { TEST_LEVELS } from "../format/restoreTestRecord.js";
import type { MachineReportLine, ReportOutcome, ReportProblem } from "../jobReport/jobReport.js";
import type { JobLog } from "./jobLog.js";

const DONE: Record<JobConfig["command"], string> = {
  backup: "backed up",
  verify: "verified without damage",
  "restore-test": "tested",
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
  const bad = lines.find((line) => line.outcome === outcome && outcome !== "passed");
  if (dryRun) {
    const why = outcome === "passed" ? "" : (bad && badText(bad)) || problems.find(isReason)?.message;
    return `${head}dry run, nothing was changed${why ? `; ${why}` : factText(facts)}`;
  }
  const done = `${doneText(lines, good)} ${DONE[job.command]}${levelText(lines)}`;
  if (bad !== undefined) return `${head}${lines.length > 1 ? `${done}; ` : ""}${badText(bad)}`;
  const problem = problems.find(isReason);
  if (outcome !== "passed" && problem !== undefined) {
    return `${head}${outcome === "warned" && lines.length > 0 ? `${done}; ` : ""}${problem.message}`;
  }
  return lines.length === 0 ? `${head}done${factText(facts)}` : `${head}${done}${factText(facts)}`;
}

function isReason({ severity }: ReportProblem): boolean {
  return severity !== "notice";
}

/** What was proven of every machine that passed. */
function levelText(lines: readonly MachineReportLine[]): string {
  const tested = lines.filter(({ test, outcome }) => test !== null && (outcome === "passed" || outcome === "warned"));
  const ranks = tested.map(({ test }) => (test?.provenLevel ? TEST_LEVELS.indexOf(test.provenLevel) : -1));
  const level = ranks.length === 0 ? undefined : TEST_LEVELS[Math.min(...ranks)];
  return level === undefined ? "" : `, proven: ${level}`;
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
