// Runs jobs of a configuration one after the other, all that are named or all that are due, and does after each what belongs to it:
// completeRun.ts. What both faces call.

import type { RepriseConfig } from "../config/repriseConfig.js";
import { isAbort, RepriseError } from "../errors.js";
import { JOB_REPORT_SCHEMA, type JobReport, type PlanReportPart } from "../jobReport/jobReport.js";
import { amountOf } from "../jobReport/reportWords.js";
import { loadCatalog } from "../repository/catalog.js";
import { completeRun, type RunOptions } from "./completeRun.js";
import { findJob, machinesOfJob } from "./configJobs.js";
import { reasonOf } from "./jobLog.js";
import type { JobOptions, JobRequest, JobRun, RunManner, RunRequest } from "./jobRequest.js";
import { type JobHistories, type PlanFilter, type PlannedRun, planJobs, planRuns } from "./planRuns.js";
import { runJob } from "./runJob.js";

/**
 * Answers a run for each job, in order; none when nothing is due. JOB_UNKNOWN, JOB_MACHINE_UNKNOWN before anything is done. After an
 * abort the job that it met has the outcome `cancelled`, and later ones are not begun.
 */
export async function runJobs(request: RunRequest, options: RunOptions): Promise<JobRun[]> {
  const requests = request.due ? await dueRequests(request, options) : namedRequests(request);
  const runs: JobRun[] = [];
  for (const each of requests) {
    if (options.signal.aborted) break;
    const run = await runJob(each, options);
    runs.push(options.signal.aborted ? run : await completeRun(each, run, options));
  }
  return runs;
}

/** A plan as a report of its own. With `histories` already loaded: see loadHistories. */
export function planReport(
  config: RepriseConfig,
  histories: JobHistories,
  filter: PlanFilter,
  { environment, url }: Pick<JobOptions, "environment"> & { url: string | null },
): JobReport {
  const nowMs = environment.now();
  const plan = planRuns(config, histories, nowMs, filter);
  const at = new Date(nowMs).toISOString();
  return {
    ...{ schema: JOB_REPORT_SCHEMA, command: "plan", job: null, tool: environment.tool, repository: null },
    ...{ startedAt: at, finishedAt: at, dryRun: false, url, outcome: "passed", verdict: planVerdict(plan) },
    ...{ machines: [], facts: [], gate: null, plan, problems: [], trends: [] },
  };
}

/** What the repositories of the config's jobs know. One that cannot be read costs a warning, and its jobs count as due. */
export async function loadHistories(
  config: RepriseConfig,
  { repositories, signal, onWarning }: Pick<JobOptions, "repositories" | "signal" | "onWarning">,
  jobs: readonly string[] = [],
): Promise<JobHistories> {
  const wanted = jobs.length === 0 ? config.jobs : jobs.map((name) => findJob(config, name));
  const histories = new Map<string, Awaited<ReturnType<typeof loadCatalog>>>();
  for (const name of new Set(wanted.map(({ repository }) => repository))) {
    try {
      histories.set(name, await loadCatalog(await repositories.open(name), { signal, onWarning }));
    } catch (error) {
      if (isAbort(error)) throw error;
      const message = `the history of repository ${name} cannot be read: ${reasonOf(error)}`;
      onWarning({ code: "JOB_HISTORY_UNREADABLE", message });
    }
  }
  return histories;
}

/** Jobs whose machines are due, with no others; a job all of whose machines are due is run as a whole. */
async function dueRequests(request: RunRequest, options: RunOptions): Promise<JobRequest[]> {
  const { config, jobs, machines } = request;
  const histories = await loadHistories(config, options, jobs);
  const due = planJobs(config, histories, options.environment.now(), { jobs, machines, due: true });
  return [...Map.groupBy(due, ({ job }) => job).values()].map((runs) => dueRequest(request, runs));
}

function dueRequest(request: RunRequest, runs: readonly PlannedRun[]): JobRequest {
  const { job } = runs[0]!;
  const machines = runs.flatMap(({ machine }) => machine ?? []);
  const isWhole = machines.length === machinesOfJob(request.config, job).length;
  const scheduled = runs.flatMap(({ scheduledForMs }) => scheduledForMs ?? []);
  return {
    ...mannerOf(request),
    ...{ config: request.config, job: job.name, machines: isWhole ? [] : machines },
    scheduledForMs: scheduled.length === 0 ? null : Math.max(...scheduled),
  };
}

/** A machine that is named narrows the jobs that have it; the others are left out. */
function namedRequests(request: RunRequest): JobRequest[] {
  const { config, jobs, machines } = request;
  const chosen = jobs.length === 0 ? config.jobs : jobs.map((name) => findJob(config, name));
  const fitting = chosen.flatMap((job) => {
    const known = machinesOfJob(config, job);
    const wanted = known.length === 0 ? machines : machines.filter((machine) => known.includes(machine));
    return machines.length > 0 && wanted.length === 0 ? [] : [{ job, machines: wanted }];
  });
  const unknown = machines.find((machine) => !fitting.some((each) => each.machines.includes(machine)));
  if (unknown !== undefined) throw machineUnknown(unknown, jobs);
  return fitting.map(({ job, machines: wanted }) => {
    return { ...mannerOf(request), config, job: job.name, machines: wanted, scheduledForMs: null };
  });
}

function mannerOf({ dryRun, trigger, executedBy, url, reportFolder, signingKeys }: RunRequest): RunManner {
  return { dryRun, trigger, executedBy, url, reportFolder, signingKeys };
}

function planVerdict({ runs }: PlanReportPart): string {
  const due = runs.filter((run) => run.due).length;
  if (runs.length === 0) return "there is nothing to run";
  return due === 0
    ? `nothing is due of ${amountOf(runs.length, "run")}`
    : `${due} of ${amountOf(runs.length, "run")} due`;
}

function machineUnknown(machine: string, jobs: readonly string[]): RepriseError {
  const where = jobs.length === 0 ? "no job" : `none of the jobs ${jobs.join(", ")}`;
  return new RepriseError("usage", "JOB_MACHINE_UNKNOWN", `${where} works on ${machine}`, {
    data: { machine },
    hint: "see reprise plan for the machines of each job",
  });
}
