// Retention of chosen machines, by the same rules as reprise prune.

import { applyPrune, type GroupPrunePlan, planRepositoryPrune } from "../forget/forget.js";
import { qualifiedGroup } from "../format/manifest.js";
import type { OnWarning } from "../repository/warnings.js";
import { DEFAULT_TIME_DISTRUST } from "../retention/planPrune.js";
import type { KeepOptions } from "../retention/prunePolicy.js";
import { callOptions, currentCatalog, type JobContext } from "./jobContext.js";

export interface PrunedMachine {
  machine: string;
  kept: number;
  /** Forgotten, or to be forgotten after a dry run. */
  removed: number;
}

/**
 * Empty `machines`: all of the repository. PRUNE_SNAPSHOT_UNREADABLE, PRUNE_RECORD_UNREADABLE, PRUNE_DROPS_MANY, KEEPER_KEY_REQUIRED: then nothing was
 * forgotten. With a dry run nothing is.
 */
export async function pruneMachines(
  context: JobContext,
  machines: readonly string[],
  keep: KeepOptions,
  onWarning: OnWarning,
): Promise<PrunedMachine[]> {
  const { repository, request, job, options } = context;
  const catalog = await currentCatalog(context, { fresh: true });
  const snapshots = catalog.snapshots.filter(({ manifest: { namespace, group } }) => {
    return machines.length === 0 || machines.includes(qualifiedGroup(namespace, group));
  });
  // Where a thief may be among the writers, the times that they claim are compared with the storage's.
  const distrust = repository.config.keeper === null ? undefined : DEFAULT_TIME_DISTRUST;
  const scope = { keep, timeZone: job.timeZone, nowMs: options.environment.now(), group: null, namespace: null };
  const plans = planRepositoryPrune({ ...catalog, snapshots }, { ...scope, distrust });
  if (!request.dryRun) await applyPrune(repository, plans, callOptions(context, onWarning));
  return plans.map(prunedMachine);
}

/** "forgets 3 snapshots, keeps 12". */
export function pruneText(machines: readonly PrunedMachine[]): string {
  const removed = machines.reduce((sum, each) => sum + each.removed, 0);
  const kept = machines.reduce((sum, each) => sum + each.kept, 0);
  return `forgets ${removed} ${removed === 1 ? "snapshot" : "snapshots"}, keeps ${kept}`;
}

function prunedMachine({ namespace, group, decisions }: GroupPrunePlan): PrunedMachine {
  const removed = decisions.filter(({ mark }) => mark === "remove").length;
  return { machine: qualifiedGroup(namespace, group), removed, kept: decisions.length - removed };
}
