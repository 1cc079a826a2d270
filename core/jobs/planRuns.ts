// Which jobs are due, machine by machine, and why: by their schedules and by what their repositories know. Pure, and there is no other
// state. docs/jobs.md. Runs that were missed are made up for once, however many they were.

import { lastRun, nextRun } from "../calendar/schedule.js";
import type { JobConfig, RepriseConfig } from "../config/repriseConfig.js";
import type { PlanReportPart } from "../jobReport/jobReport.js";
import { formatInstant } from "../report/amounts.js";
import { findJob, machinesOfJob, testsOfJob } from "./configJobs.js";
import { HistoryIndex, type JobHistory } from "./historyIndex.js";
import { type LastRuns, lastRuns } from "./lastRuns.js";

/** By the name of the repository; one that is missing could not be read. */
export type JobHistories = ReadonlyMap<string, JobHistory>;

/** After a run that could not be carried out, unless the next one of the schedule comes first. */
export const RETRY_AFTER_MS = 30 * 60_000;

export interface PlanFilter {
  /** In this order; empty: all of the config, in its order. JOB_UNKNOWN. */
  jobs: readonly string[];
  /** Empty: all. Jobs that work on others are left out. */
  machines: readonly string[];
  /** Only what is due. */
  due: boolean;
}

export interface PlannedRun {
  job: JobConfig;
  /** Null: the whole repository. */
  machine: string | null;
  due: boolean;
  /** The first run of the schedule that is missing; null: none is. */
  dueAtMs: number | null;
  /** The latest such run: what a run now makes up for. */
  scheduledForMs: number | null;
  lastRunAtMs: number | null;
  nextAtMs: number | null;
  reason: string;
}

const WHOLE_PLAN: PlanFilter = { jobs: [], machines: [], due: false };

/** Answers runs in the order of the jobs and their machines. */
export function planJobs(
  config: RepriseConfig,
  histories: JobHistories,
  nowMs: number,
  { jobs, machines, due }: PlanFilter = WHOLE_PLAN,
): PlannedRun[] {
  const indexes = new Map([...histories].map(([name, history]) => [name, new HistoryIndex(history)]));
  const chosen = jobs.length === 0 ? config.jobs : jobs.map((name) => findJob(config, name));
  return chosen
    .flatMap((job) =>
      placesOf(config, job).map((machine) => planRun(config, job, machine, indexes.get(job.repository) ?? null, nowMs)),
    )
    .filter(({ machine }) => machines.length === 0 || (machine !== null && machines.includes(machine)))
    .filter((run) => !due || run.due);
}

export function planRuns(
  config: RepriseConfig,
  histories: JobHistories,
  nowMs: number,
  filter: PlanFilter = WHOLE_PLAN,
): PlanReportPart {
  const runs = planJobs(config, histories, nowMs, filter);
  return {
    matrix: runs
      .filter((run) => !isCoveredByAnother(config, run, runs))
      .map(({ job, machine }) => ({ job: job.name, machine: machine ?? "" })),
    runs: runs.map((run) => ({
      job: run.job.name,
      command: run.job.command,
      machine: run.machine,
      due: run.due,
      dueAt: isoOf(run.dueAtMs),
      lastRunAt: isoOf(run.lastRunAtMs),
      nextAt: isoOf(run.nextAtMs),
      reason: run.reason,
    })),
  };
}

function placesOf(config: RepriseConfig, job: JobConfig): (string | null)[] {
  const machines = machinesOfJob(config, job);
  return machines.length === 0 ? [null] : machines;
}

/** What another machine's test starts anyway needs no runner of its own. */
function isCoveredByAnother(config: RepriseConfig, { job, machine }: PlannedRun, runs: readonly PlannedRun[]): boolean {
  if (job.command !== "restore-test" || machine === null) return false;
  const planned = new Set(runs.filter((run) => run.job === job).map((run) => run.machine));
  const holders = testsOfJob(config, job).filter(({ spec }) => spec.machines.some((test) => test.machine === machine));
  return holders.every(({ spec }) =>
    spec.machines.some((test) => test.dependsOn.includes(machine) && planned.has(test.machine)),
  );
}

function planRun(
  config: RepriseConfig,
  job: JobConfig,
  machine: string | null,
  history: HistoryIndex | null,
  nowMs: number,
): PlannedRun {
  const last = history === null ? null : lastRuns(config, job, machine, history, nowMs);
  const base = { job, machine, lastRunAtMs: last?.doneAtMs ?? null };
  const off = { ...base, due: false, dueAtMs: null, scheduledForMs: null };
  if (job.schedule === null) return { ...off, nextAtMs: null, reason: "it has no schedule: it runs when it is named" };
  const latestMs = lastRun(job.schedule, nowMs, job.timeZone);
  const nextAtMs = nextRun(job.schedule, nowMs, job.timeZone);
  if (latestMs === null) return { ...off, nextAtMs, reason: `${nextText(nextAtMs)}, the first one of its schedule` };
  const late = { ...base, due: true, dueAtMs: latestMs, scheduledForMs: latestMs, nextAtMs };
  if (last === null) {
    const reason = `due since ${timeText(latestMs)} at the latest: repository ${job.repository} could not be read`;
    return { ...late, reason };
  }
  if (last.doneAtMs !== null && last.doneAtMs >= latestMs)
    return { ...off, nextAtMs, reason: `last run ${timeText(last.doneAtMs)}, ${nextText(nextAtMs)}` };
  const dueAtMs = last.doneAtMs === null ? latestMs : (nextRun(job.schedule, last.doneAtMs, job.timeZone) ?? latestMs);
  const reason = `due since ${timeText(dueAtMs)}, ${lastText(last)}`;
  const retryAtMs = last.failedAtMs === null || last.failedAtMs < latestMs ? nowMs : last.failedAtMs + RETRY_AFTER_MS;
  if (retryAtMs <= nowMs) return { ...late, dueAtMs, reason };
  const wait = `${reason}; tried again from ${timeText(retryAtMs)} on`;
  return { ...late, due: false, dueAtMs, nextAtMs: Math.min(retryAtMs, nextAtMs ?? retryAtMs), reason: wait };
}

function lastText({ doneAtMs, failedAtMs }: LastRuns): string {
  const done = doneAtMs === null ? "never run" : `last run ${timeText(doneAtMs)}`;
  return failedAtMs === null ? done : `${done}, failed ${timeText(failedAtMs)}`;
}

function nextText(nextAtMs: number | null): string {
  return nextAtMs === null ? "no further run" : `next run ${timeText(nextAtMs)}`;
}

function timeText(ms: number): string {
  return formatInstant(new Date(ms).toISOString());
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
