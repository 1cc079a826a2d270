// `report`: what parallel jobs have left, as one report. A machine of the plan that has left nothing is not passed over in silence.

import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  decodeJobReport,
  isOurError,
  type JobReport,
  MAX_JOB_REPORT_BYTES,
  mergeRunnerReports,
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
  return { report: mergeRunnerReports(reports, unreadable), statements: [], outputs: {} };
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
