// backup, verify, restore-test, prune, sync, run: jobs of the configuration. plan and status: what is known about them.

import { join } from "node:path";
import {
  configStatus,
  JOB_REPORT_SCHEMA,
  type JobReport,
  type JobRun,
  loadHistories,
  mergeReports,
  planReport,
  type RepriseConfig,
  type RunRequest,
  runJobs,
} from "../core/index.js";
import { chosenJobs, namedRepository } from "./chosenJobs.js";
import type { CommandStep, Done } from "./commandStep.js";
import type { Outputs } from "./outputs.js";
import { signingKeysOf, type WorkSession, withSession } from "./workSession.js";

export async function jobCommand(step: CommandStep): Promise<Done> {
  return await withSession(step, async (session) => {
    const { config, jobs } = chosenJobs(step.inputs, session.config);
    const signingKeys = await signingKeysOf(step, config);
    const runs = await runJobs({ ...requestOf(step, config, jobs), signingKeys }, session.options);
    const report = runs.length === 0 ? nothingDue(step, session) : asOne(runs.map((run) => run.report));
    const command = runs.length === 1 ? report.command : commandOf(step);
    return {
      report: { ...report, command, outcome: step.signal.aborted ? "cancelled" : report.outcome },
      statements: runs.flatMap(({ envelopes }) => envelopes),
      outputs: {
        ...publishedOutputs(step, config, runs),
        ...(step.inputs.command === "run" ? dueOutputs(runs.map((run) => run.report.job)) : {}),
      },
    };
  });
}

export async function planCommand(step: CommandStep): Promise<Done> {
  return await withSession(step, async ({ config, environment, options }) => {
    const { jobs, machines, due } = step.inputs;
    const problems: JobReport["problems"] = [];
    const onWarning: typeof options.onWarning = (warning) => {
      options.onWarning(warning);
      const place = { machine: null, file: config.fileName, line: null, column: null };
      problems.push({ severity: "warning", code: warning.code, message: warning.message, hint: null, ...place });
    };
    const histories = await loadHistories(config, { ...options, onWarning }, jobs);
    const report = planReport(config, histories, { jobs, machines, due }, { environment, url: step.event.url });
    const outcome = problems.length === 0 ? report.outcome : "warned";
    return { report: { ...report, outcome, problems }, statements: [], outputs: {} };
  });
}

export async function statusCommand(step: CommandStep): Promise<Done> {
  return await withSession(step, async ({ config, options }) => {
    const { machines, repository } = step.inputs;
    const { url } = step.event;
    const wanted = { machines, url, repository: namedRepository(repository, config) };
    const reports = await configStatus(config, wanted, options);
    return { report: asOne(reports), statements: [], outputs: {} };
  });
}

/** A single one says best itself what came out of it. */
function asOne(reports: readonly JobReport[]): JobReport {
  const [first, ...others] = reports;
  return first !== undefined && others.length === 0 ? first : mergeReports(reports);
}

function requestOf(
  { inputs, event, reportFolder }: CommandStep,
  config: RepriseConfig,
  jobs: readonly string[],
): Omit<RunRequest, "signingKeys"> {
  return {
    ...{ config, jobs, machines: inputs.machines, dryRun: inputs.dryRun, url: event.url },
    due: inputs.command === "run" && jobs.length === 0,
    trigger: event.name === "schedule" ? "scheduled" : "pipeline",
    executedBy: event.actor === "" ? "pipeline" : event.actor,
    reportFolder: join(reportFolder, "tests"),
  };
}

function publishedOutputs({ runner }: CommandStep, { evidence }: RepriseConfig, runs: readonly JobRun[]): Outputs {
  for (const { published } of runs) {
    if (published === null) continue;
    const { added, status } = published;
    runner.log(`evidence: ${added.length} statements on ${evidence.branch} (${status})`);
  }
  const commit = runs.findLast(({ published }) => published !== null)?.published?.commit ?? null;
  return commit === null ? {} : { "evidence-commit": commit };
}

function dueOutputs(jobs: readonly (string | null)[]): Outputs {
  return { due: JSON.stringify(jobs), "any-due": String(jobs.length > 0) };
}

function commandOf({ inputs: { command } }: CommandStep): JobReport["command"] {
  return command === "report" ? "run" : command;
}

function nothingDue({ inputs, event }: CommandStep, { environment }: WorkSession): JobReport {
  const at = new Date(environment.now()).toISOString();
  return {
    ...{ schema: JOB_REPORT_SCHEMA, command: "run", job: null, tool: environment.tool, repository: null },
    ...{ startedAt: at, finishedAt: at, dryRun: inputs.dryRun, url: event.url },
    ...{ outcome: "passed", verdict: "nothing is due", machines: [], facts: [], gate: null, plan: null },
    ...{ problems: [], trends: [] },
  };
}
