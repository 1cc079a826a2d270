// What is known of one machine, what is expected of it, and what follows. Pure.

import { lastRun, nextRun } from "../calendar/schedule.js";
import type { JobConfig, RepriseConfig } from "../config/repriseConfig.js";
import type { Outcome } from "../format/restoreTestRecord.js";
import type { MachineState } from "../jobReport/jobReport.js";
import { ageOf, agoOf } from "../jobReport/reportWords.js";
import { formatInstant } from "../report/amounts.js";
import type { Snapshot } from "../repository/catalog.js";
import type { StoredTest } from "../restoreTest/storedRecords.js";
import { findMachine, type JobOf, machinesOfJob } from "./configJobs.js";
import type { HistoryIndex } from "./historyIndex.js";
import { CLOCK_TOLERANCE_MS, lastRuns } from "./lastRuns.js";

export interface JudgedMachine {
  outcome: Outcome;
  reason: string;
  newest: Snapshot | null;
  state: MachineState;
}

/** How long after its time a run may still be under way: a quarter of the time between two runs, within these bounds. */
const MIN_GRACE_MS = 15 * 60_000;
const MAX_GRACE_MS = 6 * 3_600_000;

/** `config` null: nothing is expected. `repository`: its name in the config. */
export function judgeMachineState(
  config: RepriseConfig | null,
  repository: string | null,
  history: HistoryIndex,
  machine: string,
  nowMs: number,
): JudgedMachine {
  const snapshots = history.snapshotsOf(machine);
  const newest = snapshots.at(-1) ?? null;
  const test = history.testsOf(machine).at(-1) ?? null;
  const jobs = (config?.jobs ?? []).filter((job) => job.repository === repository);
  const findings = [
    ...backupFindings(config, jobs, history, machine, newest, nowMs),
    ...testFindings(config, jobs, history, machine, test, nowMs),
  ];
  const worst = findings.find(({ outcome }) => outcome === "failed") ?? findings[0];
  const state = stateOf(config, machine, snapshots, test, nowMs);
  return {
    outcome: worst?.outcome ?? "passed",
    reason: worst === undefined ? goodReason(state) : orderedReasons(findings),
    newest,
    state,
  };
}

interface Finding {
  outcome: "failed" | "warned";
  reason: string;
}

function backupFindings(
  config: RepriseConfig | null,
  jobs: readonly JobConfig[],
  history: HistoryIndex,
  machine: string,
  newest: Snapshot | null,
  nowMs: number,
): Finding[] {
  const findings: Finding[] = [];
  const found = (outcome: Finding["outcome"], reason: string) => findings.push({ outcome, reason });
  const backups = jobs.filter((job): job is JobOf<"backup"> => {
    return job.command === "backup" && job.machines.includes(machine);
  });
  if (newest === null) {
    if (backups.length > 0) found("failed", `it has no backup, and the job ${backups[0]!.name} should make them`);
    return findings;
  }
  if (newest.verification?.result === "damaged") found("failed", "its newest snapshot is damaged");
  if (newest.timeMs > nowMs + CLOCK_TOLERANCE_MS)
    found("warned", `its newest snapshot claims to be of ${ageOf(nowMs - newest.timeMs)}`);
  for (const job of backups) {
    if (config === null) break;
    const late = overdueSince(config, job, history, machine, nowMs);
    if (late !== null) found("failed", `a backup by the job ${job.name} is due since ${timeText(late)}`);
  }
  return findings;
}

function testFindings(
  config: RepriseConfig | null,
  jobs: readonly JobConfig[],
  history: HistoryIndex,
  machine: string,
  test: StoredTest | null,
  nowMs: number,
): Finding[] {
  const findings: Finding[] = [];
  if (test !== null) {
    const { outcome, reason } = test.record.result;
    if (outcome === "failed") findings.push({ outcome, reason: `its last restore test failed: ${reason}` });
    else if (outcome !== "passed")
      findings.push({ outcome: "warned", reason: `its last restore test ended ${outcome}: ${reason}` });
  }
  for (const job of jobs) {
    if (config === null || job.command !== "restore-test" || !machinesOfJob(config, job).includes(machine)) continue;
    const late = overdueSince(config, job, history, machine, nowMs);
    if (late !== null)
      findings.push({
        outcome: "warned",
        reason: `a restore test by the job ${job.name} is due since ${timeText(late)}`,
      });
  }
  return findings;
}

/** The first run of the schedule that is missing, when it should be over by now; null: all is as it should be. */
function overdueSince(
  config: RepriseConfig,
  job: JobConfig,
  history: HistoryIndex,
  machine: string | null,
  nowMs: number,
): number | null {
  const { schedule, timeZone } = job;
  if (schedule === null) return null;
  const latestMs = lastRun(schedule, nowMs, timeZone);
  if (latestMs === null) return null;
  const { doneAtMs } = lastRuns(config, job, machine, history, nowMs);
  if (doneAtMs !== null && doneAtMs >= latestMs) return null;
  // what was never done is missing since long before: with each new run the grace would begin again
  if (doneAtMs === null) return latestMs;
  const missingMs = nextRun(schedule, doneAtMs, timeZone) ?? latestMs;
  const nextMs = nextRun(schedule, nowMs, timeZone);
  const graceMs = nextMs === null ? MAX_GRACE_MS : (nextMs - latestMs) / 4;
  return nowMs - missingMs > Math.min(MAX_GRACE_MS, Math.max(MIN_GRACE_MS, graceMs)) ? missingMs : null;
}

function stateOf(
  config: RepriseConfig | null,
  machine: string,
  snapshots: readonly Snapshot[],
  test: StoredTest | null,
  nowMs: number,
): MachineState {
  const known = config === null ? undefined : findMachine(config, machine);
  const newest = snapshots.at(-1);
  return {
    owner: known?.owner ?? test?.record.asset.owner ?? "",
    criticality: known?.criticality ?? test?.record.asset.criticality ?? "",
    snapshots: snapshots.length,
    newest:
      newest === undefined
        ? null
        : {
            ...{ id: newest.sid, time: newest.manifest.time, ageMs: nowMs - newest.timeMs },
            ...{ verification: newest.verification?.result ?? "none", protected: newest.protected },
          },
    lastTest: test && lastTestOf(test, newest, nowMs),
  };
}

function lastTestOf(
  { record: { times, result, backup } }: StoredTest,
  newest: Snapshot | undefined,
  nowMs: number,
): MachineState["lastTest"] {
  const totals = times.rto.map(({ totalMs }) => totalMs);
  return {
    at: times.finishedAt,
    ageMs: nowMs - Date.parse(times.finishedAt),
    outcome: result.outcome,
    provenLevel: result.provenLevel,
    rtoMs: totals.length === 0 ? null : Math.min(...totals),
    ofNewest: newest !== undefined && [newest.digest, newest.manifest.origin?.digest].includes(backup.manifestDigest),
  };
}

function goodReason({ newest, lastTest }: MachineState): string {
  const backup = newest === null ? "no backup, and none is expected" : `backed up ${agoOf(newest.ageMs)}`;
  if (lastTest === null) return `${backup}, never tested`;
  const proven = lastTest.provenLevel === null ? "tested" : `proven (${lastTest.provenLevel})`;
  return `${backup}, ${proven} ${agoOf(lastTest.ageMs)}${lastTest.ofNewest ? "" : ", an earlier snapshot"}`;
}

function orderedReasons(findings: readonly Finding[]): string {
  const failed = findings.filter(({ outcome }) => outcome === "failed");
  return [...failed, ...findings.filter(({ outcome }) => outcome !== "failed")].map(({ reason }) => reason).join("; ");
}

function timeText(ms: number): string {
  return formatInstant(new Date(ms).toISOString());
}
