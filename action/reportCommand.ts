// `report`: what parallel jobs have left, as one report. A machine of the plan that has left nothing is not passed over in silence.

import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  decodeJobReport,
  isOurError,
  type JobReport,
  MAX_JOB_REPORT_BYTES,
  mergeReports,
  type ReportProblem,
  RepriseError,
} from "../core/index.js";
import type { CommandStep, Done } from "./commandStep.js";
import { problemOf } from "./failure.js";
import { isReportFile } from "./reportFolder.js";

const MAX_FILES = 10_000;

export async function reportCommand({ runner, inputs, signal }: CommandStep): Promise<Done> {
  const folder = resolve(runner.env.GITHUB_WORKSPACE || ".", inputs.reports);
  const files = await reportFilesBelow(folder);
  const reports: JobReport[] = [];
  const unreadable: ReportProblem[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const read = await readReport(file);
    if ("problem" in read) unreadable.push(read.problem);
    else reports.push(read);
  }
  runner.log(`${reports.length} reports below ${inputs.reports}`);
  if (reports.length === 0) throw noReports(inputs.reports, unreadable);
  return { report: mergedReport(reports, unreadable), statements: [], outputs: {} };
}

/** Worse than what the reports say when some of them are missing or cannot be read. */
export function mergedReport(reports: readonly JobReport[], unreadable: readonly ReportProblem[]): JobReport {
  const work = reports.filter(({ plan, machines }) => plan === null || machines.length > 0);
  const merged = mergeReports(work.length === 0 ? reports : work);
  const gaps = [...unreadable, ...missingMachines(reports)];
  const [first] = gaps;
  if (first === undefined) return merged;
  const outcome = merged.outcome === "failed" || merged.outcome === "cancelled" ? merged.outcome : "inconclusive";
  const more = gaps.length > 1 ? ` (and ${gaps.length - 1} more)` : "";
  return {
    ...merged,
    outcome,
    verdict: `${first.message}${more}; ${merged.verdict}`,
    problems: [...gaps, ...merged.problems],
  };
}

/** Of the plans' matrices, those that no other report has a line of. */
function missingMachines(reports: readonly JobReport[]): ReportProblem[] {
  const wanted = reports.filter(({ command }) => command === "plan").flatMap(({ plan }) => plan?.matrix ?? []);
  const others = reports.filter(({ command }) => command !== "plan");
  const isThere = (job: string, machine: string) =>
    others.some(
      (report) =>
        (machine === "" && report.job === job) ||
        report.machines.some((line) => line.job === job && (machine === "" || line.machine === machine)),
    );
  return wanted
    .filter(({ job, machine }) => !isThere(job, machine))
    .map(({ job, machine }) => {
      const who = machine === "" ? `the job ${job}` : `${machine} (job ${job})`;
      const hint = "look at that job of the workflow; its report folder is uploaded with if: always()";
      return problemOf({
        code: "REPORT_MISSING",
        message: `${who} has left no report`,
        hint,
        machine: machine || null,
      });
    });
}

async function readReport(file: string): Promise<JobReport | { problem: ReportProblem }> {
  try {
    const { size } = await stat(file);
    if (size > MAX_JOB_REPORT_BYTES) throw new Error("it is too long");
    return decodeJobReport(await readFile(file), "report");
  } catch (error) {
    const message = `a report cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    const code = isOurError(error) ? error.code : "REPORT_UNREADABLE";
    return { problem: problemOf({ code, message, hint: null }) };
  }
}

async function reportFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new RepriseError("usage", "REPORTS_MISSING", `the folder ${folder} with the reports cannot be read`, {
      cause,
    });
  });
  const files = entries.filter((entry) => entry.isFile() && isReportFile(entry.name));
  if (files.length > MAX_FILES)
    throw new RepriseError("usage", "REPORTS_MISSING", `${folder} holds more than ${MAX_FILES} reports`);
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

function noReports(folder: string, unreadable: readonly ReportProblem[]): RepriseError {
  const why = unreadable[0] === undefined ? "" : `; ${unreadable[0].message}`;
  return new RepriseError("usage", "REPORTS_MISSING", `there is no report below ${folder}${why}`, {
    hint: "download the artifacts that hold the report folders of the other jobs into it",
  });
}
