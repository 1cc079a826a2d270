// `verify`: proves that stored data is undamaged, all of it or another part of it with each run.

import { RepriseError } from "../../errors.js";
import type { JobRecordData } from "../../format/jobRecord.js";
import { qualifiedGroup } from "../../format/manifest.js";
import { formatShare } from "../../report/amounts.js";
import type { Catalog, Snapshot } from "../../repository/catalog.js";
import { verifyRepository } from "../../verify/verify.js";
import type { SnapshotVerdict, VerifyReport } from "../../verify/verifyReport.js";
import type { JobOf } from "../configJobs.js";
import { callOptions, chosenMachines, type JobContext, snapshotPart, snapshotsOf } from "../jobContext.js";
import type { MachineResult } from "../jobLog.js";
import { jobRecords } from "../jobRecords.js";
import { hasEnded } from "../lastRuns.js";

/** Of more the rest is in the output of reprise verify. */
const MAX_OBJECT_PROBLEMS = 20;

type VerifyContext = JobContext<JobOf<"verify">>;

export async function runVerifyJob(context: VerifyContext): Promise<void> {
  const { catalog, job, log, repository, request, options } = context;
  const machines = chosenMachines(context);
  const chosen = machines.length === 0 ? null : machines.flatMap((machine) => snapshotsOf(catalog, machine));
  const slice = nextSlice(job, catalog, { machines: request.machines, nowMs: options.environment.now() });
  const startedMs = options.environment.now();
  const wanted = {
    snapshots: chosen,
    readData: job.readData,
    ignoreVerified: job.outdatedAfterMs !== null,
    outdatedAfterMs: job.outdatedAfterMs,
    subset: slice,
  };
  if (slice !== null) log.facts.push({ label: "part of the packs", value: `${slice.part} of ${slice.of}` });
  for (const machine of machines.filter((name) => snapshotsOf(catalog, name).length === 0))
    addWithoutSnapshot(context, machine);
  if (request.dryRun) return dryRun(context, chosen ?? catalog.snapshots);
  const calls = callOptions(context, log.onWarning);
  const report = await verifyRepository(repository, { ...wanted, record: true }, calls);
  context.results.slice = slice;
  log.facts.push(
    { label: "snapshots", value: String(report.snapshots.length) },
    { label: "found good before", value: String(report.skipped.length) },
  );
  if (job.readData) log.facts.push({ label: "share of the packs read", value: formatShare(report.coverage, 1) });
  for (const [machine, snapshots] of byMachine(chosen ?? catalog.snapshots))
    log.addLine(machine, resultOf(context, machine, snapshots, report), startedMs);
  addObjectProblems(context, report);
}

/**
 * The part after the one that was read last, so that so many runs have read everything. `machines`: those that the run is narrowed to;
 * what an earlier run has not read of them is no part of theirs. A time yet to come counts for nothing: see lastRuns.
 */
export function nextSlice(
  { name, slices, readData }: Pick<JobOf<"verify">, "name" | "slices" | "readData">,
  catalog: Pick<Catalog, "records">,
  { machines, nowMs }: { machines: readonly string[]; nowMs: number },
): JobRecordData["slice"] {
  if (slices === null || slices < 2 || !readData) return null;
  const counts = (record: JobRecordData) =>
    record.slice?.of === slices && hasEnded(record, nowMs) && hasCovered(record, machines);
  const last = jobRecords(catalog, name).findLast(counts)?.slice;
  return { part: ((last?.part ?? 0) % slices) + 1, of: slices };
}

function hasCovered(record: JobRecordData, machines: readonly string[]): boolean {
  if (!record.partial) return true;
  return machines.length > 0 && machines.every((name) => record.machines.some(({ machine }) => machine === name));
}

function dryRun({ log }: VerifyContext, snapshots: readonly Snapshot[]): void {
  for (const [machine, ofMachine] of byMachine(snapshots))
    log.addLine(machine, { outcome: "skipped", reason: `dry run: would verify ${countOf(ofMachine.length)}` });
}

function resultOf(
  { log, results: { slice } }: VerifyContext,
  machine: string,
  snapshots: readonly Snapshot[],
  report: VerifyReport,
): MachineResult {
  const sids = new Set<string>(snapshots.map(({ sid }) => sid));
  const verdicts = report.snapshots.filter(({ sid }) => sids.has(sid));
  const skipped = report.skipped.filter((sid) => sids.has(sid)).length;
  const damaged = verdicts.filter(({ result }) => result === "damaged");
  const snapshot = snapshotPart(snapshots.at(-1)!);
  // as the verification itself records it: a part of the data proves no snapshot
  const level = slice === null ? report.level : "structure";
  const depth = slice === null ? level : `structure, and part ${slice.part} of ${slice.of} of the data`;
  if (damaged.length === 0) {
    const before = skipped === 0 ? "" : `, ${skipped} found good before`;
    const verification = { level, result: "ok" as const, damagedRanges: 0 };
    const reason = `${countOf(verdicts.length)} without damage (${depth})${before}`;
    return { outcome: "passed", reason, snapshot, verification };
  }
  const damagedRanges = damaged.reduce((sum, each) => sum + each.damaged.length, 0);
  const reason = `${damaged.length} of ${countOf(verdicts.length)} damaged: ${damaged.slice(0, 3).map(nameOf).join(", ")}`;
  const hint = "run reprise verify --read-data to see the ranges, and repair --from a replica where there is one";
  log.addProblem({ severity: "error", code: "SNAPSHOT_DAMAGED", message: reason, hint, machine });
  return { outcome: "failed", reason, snapshot, verification: { level, result: "damaged", damagedRanges } };
}

/** Damage of what is no snapshot's alone. */
function addObjectProblems({ log }: VerifyContext, { objects, packs, ok }: VerifyReport): void {
  const ofObjects = objects.problems.map(({ code, message }) => ({ code, message }));
  const ofPacks = packs.problems.filter(({ needed }) => needed).map(({ code, message }) => ({ code, message }));
  const hint = "run reprise verify --read-data to see all of it, and look at reprise repair";
  for (const problem of [...ofObjects, ...ofPacks].slice(0, MAX_OBJECT_PROBLEMS))
    log.addProblem({ severity: "error", ...problem, hint, machine: null });
  if (!ok) log.worsen("failed");
}

function addWithoutSnapshot({ log }: VerifyContext, machine: string): void {
  const error = new RepriseError("not-found", "MACHINE_NOT_FOUND", `${machine} has no snapshot to verify`, {
    data: { machine },
    hint: "back it up first, or take it out of the job",
  });
  log.addError(error, machine);
  log.addLine(machine, { outcome: "inconclusive", reason: error.message });
}

/** In the order of their names. */
function byMachine(snapshots: readonly Snapshot[]): [string, Snapshot[]][] {
  const groups = Map.groupBy(snapshots, ({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group));
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
}

function nameOf({ sid, time }: SnapshotVerdict): string {
  return `${sid.slice(0, 8)} (${time})`;
}

function countOf(count: number): string {
  return count === 1 ? "1 snapshot" : `${count} snapshots`;
}
