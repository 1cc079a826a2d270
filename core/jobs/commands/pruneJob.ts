// `prune`: forgets what the retention of the job does not keep, then frees the space.

import { isAbort } from "../../errors.js";
import { collectGarbage, DEFAULT_FENCE_AFTER_MS, DEFAULT_MAX_UNUSED } from "../../gc/collect.js";
import { formatBytes } from "../../report/amounts.js";
import type { JobOf } from "../configJobs.js";
import { callOptions, chosenMachines, type JobContext } from "../jobContext.js";
import { reasonOf } from "../jobLog.js";
import { pruneMachines, pruneText } from "../pruneMachines.js";

type PruneContext = JobContext<JobOf<"prune">>;

/** Collects also when nothing could be pruned: what earlier runs have forgotten takes space. */
export async function runPruneJob(context: PruneContext): Promise<void> {
  const { log, job, options } = context;
  const machines = chosenMachines(context);
  const startedMs = options.environment.now();
  try {
    const pruned = await pruneMachines(context, machines, job.retention, log.onWarning);
    for (const { machine, ...counts } of pruned)
      log.addLine(machine, { outcome: "passed", reason: pruneText([{ machine, ...counts }]) }, startedMs);
    for (const machine of machines.filter((name) => !pruned.some((each) => each.machine === name)))
      log.addLine(machine, { outcome: "skipped", reason: "it has no snapshot" }, startedMs);
    log.facts.push({ label: "retention", value: pruneText(pruned) });
  } catch (error) {
    if (isAbort(error)) throw error;
    log.addError(error, null);
    log.addLines(machines, { outcome: log.notDone, reason: reasonOf(error) }, startedMs);
  }
  if (job.gc) await collect(context);
}

async function collect(context: PruneContext): Promise<void> {
  const { log, repository, request } = context;
  const { dryRun } = request;
  const wishes = { dryRun, fenceAfterMs: DEFAULT_FENCE_AFTER_MS, maxUnused: DEFAULT_MAX_UNUSED };
  try {
    const report = await collectGarbage(repository, wishes, callOptions(context, log.onWarning));
    const freed = dryRun ? report.plan.freedBytes : report.deletedBytes;
    log.facts.push(
      { label: dryRun ? "would free" : "freed", value: formatBytes(freed) },
      { label: "unused bytes that stay", value: formatBytes(report.plan.unusedBytes) },
    );
    if (report.waitingFor.length > 0)
      log.facts.push({ label: "waits for running backups", value: String(report.waitingFor.length) });
  } catch (error) {
    if (isAbort(error)) throw error;
    log.addError(error, null);
  }
}
