// `sync`: copies what the job's repository does not have from another one of the configuration.

import { RepriseError } from "../../errors.js";
import { qualifiedGroup } from "../../format/manifest.js";
import { formatBytes } from "../../report/amounts.js";
import type { Snapshot } from "../../repository/catalog.js";
import { estimateSync } from "../../sync/estimateSync.js";
import { applySync, planRepositorySync, type RepositorySyncPlan } from "../../sync/sync.js";
import type { SyncReport, SyncRequest } from "../../sync/syncReport.js";
import type { JobOf } from "../configJobs.js";
import { callOptions, chosenMachines, type JobContext } from "../jobContext.js";

type SyncContext = JobContext<JobOf<"sync">>;

/** What is new is stored as a backup stores it. */
const CODEC = { codec: "zstd", level: 3 } as const;

export async function runSyncJob(context: SyncContext): Promise<void> {
  const { job, log, options, repository, request } = context;
  const machines = chosenMachines(context);
  const from = await options.repositories.open(job.from);
  const wanted: SyncRequest = {
    includes: ({ namespace, group }) => machines.length === 0 || machines.includes(qualifiedGroup(namespace, group)),
    transferLast: job.transferLast,
    removeVanished: job.removeVanished,
    encryptedOnly: job.encryptedOnly,
    codec: CODEC,
  };
  const calls = callOptions(context, log.onWarning);
  const startedMs = options.environment.now();
  const plan = await planRepositorySync(from, repository, wanted, calls);
  if (request.dryRun) {
    const { snapshots } = await estimateSync(plan, calls);
    const bytes = snapshots.reduce((sum, one) => sum + one.bytes, 0);
    log.facts.push({ label: "would read at most", value: formatBytes(bytes) });
    addLines(context, plan, null, startedMs);
  } else {
    const report = await applySync(plan, calls);
    const stored = report.copied.reduce((sum, { bytesStored }) => sum + bytesStored, 0);
    log.facts.push(
      { label: "copied", value: String(report.copied.length) },
      { label: "stored", value: formatBytes(stored) },
    );
    addLines(context, plan, report, startedMs);
  }
  addUnknown(context, plan, machines);
}

/** A line for each machine that the source has, and that the job is about. */
function addLines(context: SyncContext, plan: RepositorySyncPlan, report: SyncReport | null, startedMs: number): void {
  const { log } = context;
  const included = plan.from.catalog.snapshots.filter(({ manifest }) => plan.request.includes(manifest));
  const groups = [...Map.groupBy(included, machineOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [machine, snapshots] of groups) {
    const sids = new Set<string>(snapshots.map(({ sid }) => sid));
    const failed = report?.failed.filter((one) => sids.has(one.from)) ?? [];
    const copied = (report?.copied ?? []).filter((one) => sids.has(one.from));
    const count = report === null ? plan.copy.filter((sid) => sids.has(sid)).length : copied.length;
    const reason = `${report === null ? "dry run: would copy" : "copied"} ${count} of ${snapshots.length} snapshots`;
    const last = copied.at(-1);
    const original = snapshots.find(({ sid }) => sid === last?.from);
    const snapshot =
      last === undefined || original === undefined
        ? null
        : { id: last.to, digest: last.digest, time: original.manifest.time };
    const hint = "the source is damaged there: run reprise verify --read-data on it";
    for (const { code, message } of failed) log.addProblem({ severity: "error", code, message, hint, machine });
    const left = failed.length === 0 ? "" : `; ${failed.length} left out, damaged where they are read`;
    log.addLine(
      machine,
      { outcome: failed.length === 0 ? "passed" : "failed", reason: `${reason}${left}`, snapshot },
      startedMs,
    );
  }
  for (const { code, message } of plan.from.catalog.unreadable) {
    log.addProblem({
      severity: "error",
      code,
      message,
      hint: "restore the object from a copy of the storage",
      machine: null,
    });
    log.worsen("failed");
  }
}

function addUnknown({ log, job }: SyncContext, plan: RepositorySyncPlan, machines: readonly string[]): void {
  const known = new Set(plan.from.catalog.snapshots.map(machineOf));
  for (const machine of machines.filter((name) => !known.has(name))) {
    const error = new RepriseError("not-found", "MACHINE_NOT_FOUND", `${job.from} has no snapshot of ${machine}`, {
      data: { machine },
      hint: "back it up there first, or take it out of the job",
    });
    log.addError(error, machine);
    log.addLine(machine, { outcome: "failed", reason: error.message });
  }
}

function machineOf({ manifest: { namespace, group } }: Snapshot): string {
  return qualifiedGroup(namespace, group);
}
