// When a job was done last, by the history of its repository alone: snapshots, records of restore tests, records of jobs. Pure. A time
// that lies in the future by the clock of whoever asks counts for nothing: a wrong clock must not keep a job from running.

import type { JobConfig, RepriseConfig } from "../config/repriseConfig.js";
import type { JobRecordData } from "../format/jobRecord.js";
import { testsOfJob } from "./configJobs.js";
import type { HistoryIndex, RecordedResult } from "./historyIndex.js";

/** Clocks differ by so much. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

export interface LastRuns {
  /** When the last one began that did what the job is for; null: none. */
  doneAtMs: number | null;
  /** When the last one ended that did not; null: none after the last that did. */
  failedAtMs: number | null;
}

/** Damage that was found and a test that failed are results; only what could not be carried out has to be done again. */
const DONE: Record<JobConfig["command"], readonly string[]> = {
  backup: ["passed", "warned"],
  verify: ["passed", "warned", "failed", "skipped"],
  "restore-test": ["passed", "warned", "failed"],
  // a machine without snapshots has nothing to prune
  prune: ["passed", "warned", "skipped"],
  sync: ["passed", "warned"],
};

type Believed = (ms: number) => boolean;

/** Whether it was before now, by the clock of whoever asks. */
export function hasEnded(record: Pick<JobRecordData, "startedAt" | "finishedAt">, nowMs: number): boolean {
  const { startedAtMs, endedAtMs } = timesOf(record);
  return Math.max(startedAtMs, endedAtMs) <= nowMs + CLOCK_TOLERANCE_MS;
}

/** `machine`: null for a job about the whole repository. */
export function lastRuns(
  config: RepriseConfig,
  job: JobConfig,
  machine: string | null,
  history: HistoryIndex,
  nowMs: number,
): LastRuns {
  const believed: Believed = (ms) => ms <= nowMs + CLOCK_TOLERANCE_MS;
  const attempts = attemptsOf(job, machine, history).filter(({ startedAtMs, endedAtMs }) => {
    return believed(startedAtMs) && believed(endedAtMs);
  });
  const doneAtMs = newest([
    ...attempts.filter(({ done }) => done).map(({ startedAtMs }) => startedAtMs),
    ...factsOf(config, job, machine, history, believed),
  ]);
  const failed = attempts.filter(({ done, endedAtMs }) => !done && endedAtMs > (doneAtMs ?? Number.NEGATIVE_INFINITY));
  return { doneAtMs, failedAtMs: newest(failed.map(({ endedAtMs }) => endedAtMs)) };
}

interface Attempt {
  startedAtMs: number;
  endedAtMs: number;
  done: boolean;
}

/** What records of the job say. One of a run for some machines only is none of a whole repository. */
function attemptsOf(job: JobConfig, machine: string | null, history: HistoryIndex): Attempt[] {
  const isOurs = ({ command, outcome }: JobRecordData) => command === job.command && outcome !== "cancelled";
  if (machine === null) {
    const whole = history.recordsOf(job.name).filter((record) => isOurs(record) && !record.partial);
    return whole.map((record) => ({ ...timesOf(record), done: DONE[job.command].includes(record.outcome) }));
  }
  const results = history.resultsOf(job.name, machine).filter(({ record }) => isOurs(record));
  return results.flatMap(({ record, results: ofMachine }) => {
    // a backup that was found damaged later is none, and nobody has to wait for the next one
    if (job.command === "backup" && isDamaged(ofMachine, history)) return [];
    // several tests of one machine: what was not carried out counts
    return [{ ...timesOf(record), done: ofMachine.every(({ outcome }) => DONE[job.command].includes(outcome)) }];
  });
}

function isDamaged(results: RecordedResult["results"], { damaged }: HistoryIndex): boolean {
  return results.some(({ snapshot }) => snapshot !== null && damaged.has(snapshot));
}

function timesOf({
  startedAt,
  finishedAt,
}: Pick<JobRecordData, "startedAt" | "finishedAt">): Pick<Attempt, "startedAtMs" | "endedAtMs"> {
  return { startedAtMs: Date.parse(startedAt), endedAtMs: Date.parse(finishedAt) };
}

/** When somebody did the same by other means: a snapshot is a backup, whoever made it. */
function factsOf(
  config: RepriseConfig,
  job: JobConfig,
  machine: string | null,
  history: HistoryIndex,
  believed: Believed,
): number[] {
  if (machine === null) return [];
  if (job.command === "backup") {
    const sound = history.snapshotsOf(machine).filter(({ verification }) => verification?.result !== "damaged");
    return sound.map(({ timeMs }) => timeMs).filter(believed);
  }
  if (job.command !== "restore-test") return [];
  const wanted = testsOfJob(config, job).filter(({ spec }) => spec.machines.some((test) => test.machine === machine));
  const lastOfEach = wanted.map(({ spec }) => lastTest(history, machine, spec.name, believed));
  // all of its tests have to be done
  return lastOfEach.length === 0 || lastOfEach.includes(null) ? [] : [Math.min(...(lastOfEach as number[]))];
}

/** When the last one of this name began that has a result. */
function lastTest(history: HistoryIndex, machine: string, name: string, believed: Believed): number | null {
  const times = history
    .testsOf(machine)
    .map(({ record }) => record)
    .filter(({ asset, result }) => asset.name === name && DONE["restore-test"].includes(result.outcome))
    .filter(({ times: { finishedAt } }) => believed(Date.parse(finishedAt)))
    .map(({ times: { startedAt } }) => Date.parse(startedAt));
  return newest(times);
}

function newest(times: readonly number[]): number | null {
  return times.reduce<number | null>((latest, time) => (latest === null || time > latest ? time : latest), null);
}
