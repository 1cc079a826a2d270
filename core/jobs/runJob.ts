// Runs one job of a configuration and leaves a report, whatever happens: only a request that makes no sense is thrown. docs/jobs.md.

import { isAbort } from "../errors.js";
import type { Sid } from "../format/ids.js";
import type { JobRecordData } from "../format/jobRecord.js";
import { MAX_JOB_MACHINES } from "../format/jobRecord.js";
import { JOB_REPORT_SCHEMA, type JobReport } from "../jobReport/jobReport.js";
import { redactReport } from "../jobReport/redactReport.js";
import { loadCatalog } from "../repository/catalog.js";
import { runBackupJob } from "./commands/backupJob.js";
import { runPruneJob } from "./commands/pruneJob.js";
import { runRestoreTestJob } from "./commands/restoreTestJob.js";
import { runSyncJob } from "./commands/syncJob.js";
import { runVerifyJob } from "./commands/verifyJob.js";
import { checkMachines, findJob, type JobOf, machinesOfJob } from "./configJobs.js";
import { signMachineEvidence } from "./inventories.js";
import { currentCatalog, type JobContext, type JobResults } from "./jobContext.js";
import { JobLog, NOT_REACHED, reasonOf } from "./jobLog.js";
import { storeJobRecord } from "./jobRecords.js";
import type { JobOptions, JobRequest, JobRun } from "./jobRequest.js";
import { jobVerdict } from "./jobVerdict.js";
import { machineTrends } from "./trends.js";

/**
 * JOB_UNKNOWN, JOB_MACHINE_UNKNOWN. Everything else is in the report: a machine that fails does not stop the others, a repository
 * that cannot be opened is a problem, an abort ends with the outcome `cancelled` and what was finished before. A job that ended
 * leaves a record in its repository, a cancelled one and a dry run none.
 */
export async function runJob(request: JobRequest, options: JobOptions): Promise<JobRun> {
  const { config } = request;
  const job = findJob(config, request.job);
  checkMachines(config, job, request.machines);
  const { environment, onEvent, signal } = options;
  const startedAt = new Date(environment.now()).toISOString();
  const machines = request.machines.length === 0 ? machinesOfJob(config, job) : request.machines;
  onEvent?.({ event: "job-started", job: job.name, command: job.command, machines });
  const log = new JobLog(config, job, options);
  const results: JobResults = { slice: null, envelopes: [], evidenceProblem: null, reportFiles: [] };
  let context: JobContext | null = null;
  let trends: JobReport["trends"] = [];
  let cancelled = false;
  try {
    const repository = await options.repositories.open(job.repository);
    const catalog = await loadCatalog(repository, { signal, onWarning: log.onWarning });
    context = { request, options, job, repository, catalog, log, results };
    if (await carryOut(context, machines)) await signEvidence(context);
    await storeRecord(context, startedAt);
    trends = await trendsOf(context);
  } catch (error) {
    cancelled = isAbort(error) || signal.aborted;
    if (cancelled) log.addLines(machines, NOT_REACHED);
    else {
      log.addError(error, null);
      results.evidenceProblem ??= reasonOf(error);
    }
  }
  const outcome = cancelled ? "cancelled" : log.outcome;
  const verdict = jobVerdict(job, outcome, log, request.dryRun);
  onEvent?.({ event: "job-finished", job: job.name, outcome, verdict });
  const report: JobReport = {
    schema: JOB_REPORT_SCHEMA,
    command: job.command,
    job: job.name,
    tool: environment.tool,
    repository: context && repositoryPart(context),
    ...{ startedAt, finishedAt: new Date(environment.now()).toISOString() },
    ...{ dryRun: request.dryRun, url: request.url, outcome, verdict },
    ...{ machines: log.lines, facts: log.facts, problems: log.problems, gate: null, plan: null, trends },
  };
  const redact = (text: string) => options.repositories.withoutLocations(text);
  const { envelopes, reportFiles } = results;
  const evidenceProblem = results.evidenceProblem && redact(results.evidenceProblem);
  return { report: redactReport(report, redact), envelopes, evidenceProblem, published: null, reportFiles };
}

/**
 * False when the command was ended by an error. Each machine that it has not come to fails with it: without a line the record would not
 * speak of it, and it would be due again at once.
 */
async function carryOut(context: JobContext, machines: readonly string[]): Promise<boolean> {
  const { log, options } = context;
  const startedMs = options.environment.now();
  try {
    await runCommand(context);
    return true;
  } catch (error) {
    if (isAbort(error) || options.signal.aborted) throw error;
    log.addError(error, null);
    log.addLines(machines, { outcome: log.notDone, reason: reasonOf(error) }, startedMs);
    context.results.evidenceProblem = reasonOf(error);
    return false;
  }
}

async function runCommand(context: JobContext): Promise<void> {
  const { job } = context;
  if (job.command === "backup") await runBackupJob({ ...context, job } as JobContext<JobOf<"backup">>);
  else if (job.command === "verify") await runVerifyJob({ ...context, job } as JobContext<JobOf<"verify">>);
  else if (job.command === "restore-test")
    await runRestoreTestJob({ ...context, job } as JobContext<JobOf<"restore-test">>);
  else if (job.command === "prune") await runPruneJob({ ...context, job } as JobContext<JobOf<"prune">>);
  else await runSyncJob({ ...context, job } as JobContext<JobOf<"sync">>);
}

/** The work is done, so what goes wrong here and in storing the record is a warning. */
async function signEvidence({ job, log, repository, request, results, options }: JobContext): Promise<void> {
  if (request.dryRun) return;
  const { signal } = options;
  try {
    // two repositories that speak of one machine would leave a gate in doubt: the copy keeps quiet
    const machines = job.command === "sync" ? [] : touchedMachines(log);
    const calls = { signal, onWarning: log.onWarning };
    const found = await signMachineEvidence(repository, machines, request.signingKeys, calls);
    results.envelopes.push(...found.filter((envelope) => !results.envelopes.includes(envelope)));
  } catch (error) {
    if (isAbort(error)) throw error;
    log.addError(error, null, "warning");
    results.evidenceProblem = reasonOf(error);
  }
}

async function storeRecord(context: JobContext, startedAt: string): Promise<void> {
  const { log, repository, request, options, catalog } = context;
  if (request.dryRun) return;
  const { signal } = options;
  try {
    await storeJobRecord(repository, recordOf(context, startedAt), catalog.records, { signal });
  } catch (error) {
    if (isAbort(error)) throw error;
    const { message } = error as Error;
    const hint = "the job is done, but a plan does not know it: it may be due again";
    log.addProblem({
      ...{ severity: "warning", code: "JOB_RECORD_NOT_STORED", hint, machine: null },
      message: `the record of the job could not be stored: ${message}`,
    });
  }
}

/** For the report: without them the job is as good. */
async function trendsOf(context: JobContext): Promise<JobReport["trends"]> {
  const { log, request } = context;
  try {
    return machineTrends(request.config, await currentCatalog(context), touchedMachines(log));
  } catch (error) {
    if (isAbort(error)) throw error;
    log.addError(error, null, "warning");
    return [];
  }
}

function recordOf(
  { job, log, request, results, options: { environment } }: JobContext,
  startedAt: string,
): JobRecordData {
  const { outcome } = log;
  return {
    ...{ job: job.name, command: job.command, outcome: outcome === "cancelled" ? "cancelled" : outcome },
    ...{ trigger: request.trigger, host: environment.host.slice(0, 300) },
    ...{ startedAt, finishedAt: new Date(environment.now()).toISOString() },
    scheduledFor: request.scheduledForMs === null ? null : new Date(request.scheduledForMs).toISOString(),
    partial: request.machines.length > 0,
    slice: results.slice,
    machines: log.lines.slice(0, MAX_JOB_MACHINES).map(({ machine, outcome, snapshot }) => {
      return { machine, outcome, snapshot: (snapshot?.id ?? null) as Sid | null };
    }),
  };
}

function touchedMachines({ lines }: JobLog): string[] {
  return [...new Set(lines.map(({ machine }) => machine))];
}

function repositoryPart({ job, repository }: JobContext): JobReport["repository"] {
  return { name: job.repository, location: repository.shownLocation, id: repository.config.repositoryId };
}
