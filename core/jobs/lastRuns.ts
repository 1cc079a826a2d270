// When a job was done last, by the history of its repository alone: snapshots, records of restore tests, records of jobs. Pure. A time
// that lies in the future by the clock of whoever asks counts for nothing: a wrong clock must not keep a job from running.

import type { JobConfig, RepriseConfig } from "../config/repriseConfig.js";
import type { JobRecordData } from "../format/jobRecord.js";
import type { Catalog } from "../repository/catalog.js";
import { qualifiedGroup } from "../repository/snapshotName.js";
import { testHistory } from "../restoreTest/storedRecords.js";
import { testsOfJob } from "./configJobs.js";
import { jobRecords } from "./jobRecords.js";

export type JobHistory = Pick<Catalog, "snapshots" | "records">;

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
  prune: ["passed", "warned"],
  sync: ["passed", "warned"],
};

/** `machine`: null for a job about the whole repository. */
export function lastRuns(
  config: RepriseConfig,
  job: JobConfig,
  machine: string | null,
  history: JobHistory,
  nowMs: number,
): LastRuns {
  const believed = (ms: number) => ms <= nowMs + CLOCK_TOLERANCE_MS;
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
function attemptsOf(job: JobConfig, machine: string | null, history: JobHistory): Attempt[] {
  const damaged = damagedSnapshots(history);
  return jobRecords(history, job.name).flatMap((record) => {
    if (record.command !== job.command || record.outcome === "cancelled") return [];
    const result = machine === null ? wholeResult(record) : machineResult(record, machine, damaged);
    if (result === null) return [];
    const times = { startedAtMs: Date.parse(record.startedAt), endedAtMs: Date.parse(record.finishedAt) };
    return [{ ...times, done: DONE[job.command].includes(result) }];
  });
}

function wholeResult({ partial, outcome }: JobRecordData): string | null {
  return partial ? null : outcome;
}

function machineResult(
  { command, machines }: JobRecordData,
  machine: string,
  damaged: ReadonlySet<string>,
): string | null {
  const results = machines.filter((each) => each.machine === machine);
  // several tests of one machine: what was not carried out counts
  const result = results.find(({ outcome }) => !DONE[command].includes(outcome)) ?? results[0];
  if (result === undefined) return null;
  // a backup that was found damaged later is none, and nobody has to wait for the next one
  return command === "backup" && damaged.has(result.snapshot ?? "") ? null : result.outcome;
}

/** When somebody did the same by other means: a snapshot is a backup, whoever made it. */
function factsOf(
  config: RepriseConfig,
  job: JobConfig,
  machine: string | null,
  history: JobHistory,
  believed: (ms: number) => boolean,
): number[] {
  if (machine === null) return [];
  if (job.command === "backup") return soundBackups(history, machine).filter(believed).slice(-1);
  if (job.command !== "restore-test") return [];
  const { tests } = testHistory(history, machine);
  const wanted = testsOfJob(config, job).filter(({ spec }) => spec.machines.some((test) => test.machine === machine));
  const lastOfEach = wanted.map(({ spec }) => {
    const times = tests
      .map(({ record }) => record)
      .filter(({ asset, simulated, result }) => {
        return asset.name === spec.name && !simulated && DONE["restore-test"].includes(result.outcome);
      })
      .flatMap(({ times: { startedAt, finishedAt } }) =>
        believed(Date.parse(finishedAt)) ? [Date.parse(startedAt)] : [],
      );
    return newest(times);
  });
  // all of its tests have to be done
  return lastOfEach.length === 0 || lastOfEach.includes(null) ? [] : [Math.min(...(lastOfEach as number[]))];
}

/** Times of the machine's snapshots that are not known to be damaged, oldest first. */
export function soundBackups({ snapshots }: Pick<Catalog, "snapshots">, machine: string): number[] {
  return snapshots
    .filter(({ manifest, verification }) => {
      return qualifiedGroup(manifest.namespace, manifest.group) === machine && verification?.result !== "damaged";
    })
    .map(({ timeMs }) => timeMs)
    .sort((a, b) => a - b);
}

function damagedSnapshots({ snapshots }: JobHistory): Set<string> {
  return new Set(snapshots.filter(({ verification }) => verification?.result === "damaged").map(({ sid }) => sid));
}

function newest(times: readonly number[]): number | null {
  return times.length === 0 ? null : Math.max(...times);
}
