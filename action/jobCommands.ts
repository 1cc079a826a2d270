// backup, verify, restore-test, prune, sync, run: jobs of the configuration. plan and status: what is known about them.

import { join } from "node:path";
import {
  configStatus,
  JOB_REPORT_SCHEMA,
  type JobReport,
  loadHistories,
  mergeReports,
  planReport,
  type RepriseConfig,
  RepriseError,
  type RunRequest,
  runJobs,
} from "../core/index.js";
import type { CommandStep, Done } from "./commandStep.js";
import { type Published, publishStatements } from "./evidence.js";
import type { Outputs } from "./outputs.js";
import { signingKeysOf, type WorkSession, withSession } from "./workSession.js";

/** Of the job that stands for the input test. */
const CHOSEN_TESTS = "chosen-tests";

export async function jobCommand(step: CommandStep): Promise<Done> {
  return await withSession(step, async (session) => {
    const config = withChosenTests(step, session.config);
    const signingKeys = await signingKeysOf(step, config);
    const runs = await runJobs({ ...requestOf(step, config), signingKeys }, session.options);
    const envelopes = runs.flatMap((run) => run.envelopes);
    const published = await publishStatements(step, session, { envelopes, signingKeys });
    const report = runs.length === 0 ? nothingDue(step, session) : asOne(runs.map((run) => run.report));
    return {
      report: withProblem(
        { ...report, command: runs.length === 1 ? report.command : commandOf(step) },
        published,
        step,
      ),
      statements: envelopes,
      outputs: {
        ...(published.commit === null ? {} : { "evidence-commit": published.commit }),
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
    if (repository !== "" && !config.repositories.some(({ name }) => name === repository)) {
      throw repositoryUnknown(repository, config);
    }
    const wanted = { machines, url, repository: repository === "" ? null : repository };
    const reports = await configStatus(config, wanted, options);
    return { report: asOne(reports), statements: [], outputs: {} };
  });
}

/** A single one says best itself what came out of it. */
function asOne(reports: readonly JobReport[]): JobReport {
  const [first, ...others] = reports;
  return first !== undefined && others.length === 0 ? first : mergeReports(reports);
}

function repositoryUnknown(name: string, { repositories, fileName }: RepriseConfig): RepriseError {
  return new RepriseError("usage", "REPOSITORY_UNKNOWN", `${fileName} has no repository ${name}`, {
    hint: `there are: ${repositories.map((each) => each.name).join(", ")}`,
  });
}

function requestOf(
  { inputs, event, reportFolder }: CommandStep,
  config: RepriseConfig,
): Omit<RunRequest, "signingKeys"> {
  const { command, jobs, machines } = inputs;
  return {
    ...{ config, machines, dryRun: inputs.dryRun, url: event.url },
    jobs: jobs.length > 0 || command === "run" ? jobs : jobsOf(command, config),
    due: command === "run" && jobs.length === 0,
    trigger: event.name === "schedule" ? "scheduled" : "pipeline",
    executedBy: event.actor === "" ? "pipeline" : event.actor,
    reportFolder: join(reportFolder, "tests"),
  };
}

/** JOB_UNKNOWN when there is none. */
function jobsOf(command: string, { jobs, fileName }: RepriseConfig): string[] {
  const found = jobs.filter((job) => job.command === command).map(({ name }) => name);
  if (found.includes(CHOSEN_TESTS)) return [CHOSEN_TESTS];
  if (found.length > 0) return found;
  throw new RepriseError("usage", "JOB_UNKNOWN", `${fileName} has no ${command} job`, {
    hint: "add one below jobs, or name one in the input job",
  });
}

/** A job with the tests of the input test; without one, the jobs of the configuration. */
function withChosenTests({ inputs }: CommandStep, config: RepriseConfig): RepriseConfig {
  const isTest = inputs.command === "restore-test";
  const hasJob = config.jobs.some(({ command }) => command === "restore-test");
  if (!isTest || inputs.jobs.length > 0 || (inputs.tests.length === 0 && hasJob)) return config;
  const known = config.restoreTests.map(({ name }) => name);
  const unknown = inputs.tests.find((name) => !known.includes(name));
  if (unknown !== undefined || known.length === 0) throw testUnknown(unknown, config.fileName, known);
  const like = config.jobs.find(({ command }) => command === "restore-test");
  const frame = { description: "", schedule: null, timeZone: config.timeZone, notify: [], line: like?.line ?? 1 };
  const repository = like?.repository ?? onlyRepository(config);
  const job = { ...frame, name: CHOSEN_TESTS, repository, command: "restore-test" as const, tests: inputs.tests };
  return { ...config, jobs: [...config.jobs, job] };
}

function testUnknown(name: string | undefined, fileName: string, known: readonly string[]): RepriseError {
  const message = name === undefined ? `${fileName} has no restore tests` : `${fileName} has no restore test ${name}`;
  const hint = known.length === 0 ? "add them below restore-tests" : `there are: ${known.join(", ")}`;
  return new RepriseError("usage", "RESTORE_TEST_UNKNOWN", message, { hint });
}

/** REPOSITORY_UNKNOWN when there are several. */
function onlyRepository({ repositories, fileName }: RepriseConfig): string {
  const [only, ...others] = repositories;
  if (only !== undefined && others.length === 0) return only.name;
  throw new RepriseError(
    "usage",
    "REPOSITORY_UNKNOWN",
    `${fileName} has ${repositories.length} repositories, and none is named`,
    {
      hint: `name one in the input repository: ${repositories.map(({ name }) => name).join(", ")}`,
    },
  );
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

/** Evidence that was asked for and is missing is a failure: whoever waits for it would wait for ever. */
function withProblem(report: JobReport, { problem }: Published, { signal }: CommandStep): JobReport {
  if (signal.aborted) return { ...report, outcome: "cancelled" };
  if (problem === null) return report;
  const worse = problem.severity === "error" ? "failed" : report.outcome === "passed" ? "warned" : report.outcome;
  const verdict = report.outcome === "passed" ? `${report.verdict}; ${problem.message}` : report.verdict;
  return { ...report, outcome: worse, verdict, problems: [...report.problems, problem] };
}
