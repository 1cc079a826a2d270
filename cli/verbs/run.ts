import { userInfo } from "node:os";
import { type JobRun, runJobs, writeJobReports } from "../../core/index.js";
import {
  CONFIG_OPTION,
  type Configured,
  configuredSigningKeys,
  MACHINE_OPTION,
  openConfigured,
} from "../configured.js";
import type { Context } from "../context.js";
import { type ExitCode, exitCodeOf } from "../exitCodes.js";
import { type Given, usageError } from "../given/given.js";
import { exitCodeOfReports, jobEventLine, reportLines, worstOf } from "../output/jobText.js";
import type { Line } from "../output/text.js";
import { countText } from "../output/units.js";
import { SIGNING_KEY_OPTION } from "../secret/signingKeySource.js";
import type { Answer, Verb } from "../verb.js";

const TRIGGERS = ["manual", "scheduled", "pipeline"] as const;

export const runVerb: Verb = {
  name: "run",
  summary: "run jobs of reprise.yml: those that are named, or all that are due",
  details: [
    "With --due a job runs for those machines whose last run, by what the repository knows, is older than its schedule says; what was missed is made up for once. Nothing else is remembered, so any machine can do it: call it every few minutes. See docs/jobs.md.",
    "One machine that fails does not stop the others. Ends with 0 when all went well or nothing was due, 3 when there is something to look at, 1 when something failed, 2 when something could not be told.",
  ],
  operands: [{ name: "[job...]", description: "names of jobs; with --due: only these", completes: "nothing" }],
  options: [
    { flags: "--due", description: "only what is due by schedule and history" },
    MACHINE_OPTION,
    { flags: "--dry-run", description: "change nothing, say what would be done" },
    {
      flags: "--report <folder>",
      description: "write reports there: HTML, Markdown, JSON, and those of restore tests",
      completes: "folder",
    },
    CONFIG_OPTION,
    SIGNING_KEY_OPTION,
    {
      flags: "--trigger <trigger>",
      description: "what started it, for records; default: scheduled with --due, else manual",
      choices: TRIGGERS,
    },
    {
      flags: "--url <url>",
      description: "where this run can be looked at, for reports and messages",
      completes: "nothing",
    },
  ],
  examples: [
    { command: "reprise run --due", meaning: "from cron or a timer" },
    { command: "reprise run nightly --machine vm/web1", meaning: "one job, for one of its machines" },
    { command: "reprise run --due --dry-run", meaning: "what would be done now" },
  ],
  run: runRun,
};

async function runRun(context: Context, given: Given): Promise<Answer> {
  const configured = await openConfigured(context, given);
  const runs = await runWanted(context, given, configured);
  const reports = runs.map(({ report }) => report);
  const folder = given.text("report");
  const files = runs.flatMap(({ reportFiles }) => reportFiles);
  if (folder !== undefined && reports.length > 0) files.push(...(await writeJobReports(folder, reports)));
  return {
    document: { outcome: worstOf(reports), reports, files },
    lines: reportLines(reports),
    summary: summaryOf(runs, files, context.signal),
    exitCode: context.signal.aborted ? (exitCodeOf(context.signal.reason) as ExitCode) : exitCodeOfReports(reports),
  };
}

async function runWanted(context: Context, given: Given, { config, options }: Configured): Promise<JobRun[]> {
  const due = given.flag("due");
  const jobs = given.operands;
  if (jobs.length === 0 && !due) {
    const known = config.jobs.map(({ name }) => name).join(", ");
    throw usageError(
      "no job is named",
      known === "" ? `${config.fileName} has none` : `there are: ${known}; or say --due`,
    );
  }
  const trigger = TRIGGERS.find((each) => each === given.text("trigger")) ?? (due ? "scheduled" : "manual");
  const request = {
    ...{ config, jobs, machines: given.texts("machine"), due, dryRun: given.flag("dryRun"), trigger },
    ...{ executedBy: userInfo().username, url: given.text("url") ?? null, reportFolder: given.text("report") ?? null },
    signingKeys: await configuredSigningKeys(context, given, config),
  };
  return await runJobs(request, { ...options, onEvent: (event) => context.event(jobEventLine(event), event) });
}

function summaryOf(runs: readonly JobRun[], files: readonly string[], { aborted }: AbortSignal): Line[] {
  if (runs.length === 0) return [aborted ? "interrupted before the first job" : "nothing is due"];
  return files.length === 0 ? [] : [`${countText(files.length, "file")} of reports written`];
}
