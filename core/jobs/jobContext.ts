// What the commands of jobs work with.

import { resolve } from "node:path";
import type { JobConfig, RepriseConfig } from "../config/repriseConfig.js";
import { folderOfConfig } from "../config/resolveSecret.js";
import type { JobRecordData } from "../format/jobRecord.js";
import { qualifiedGroup } from "../format/manifest.js";
import type { OnProgress } from "../platform/progress.js";
import { type Catalog, loadCatalog, type Snapshot } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { machinesOfJob } from "./configJobs.js";
import type { JobLog } from "./jobLog.js";
import type { JobOptions, JobRequest } from "./jobRequest.js";

export interface JobContext<Job extends JobConfig = JobConfig> {
  request: JobRequest;
  options: JobOptions;
  job: Job;
  repository: Repository;
  /** As it was when the job began. */
  catalog: Catalog;
  log: JobLog;
  /** What only the end of the job knows, for its record and its answer. */
  results: JobResults;
}

export interface JobResults {
  slice: JobRecordData["slice"];
  /** Signed statements about tests. */
  envelopes: string[];
  /** See JobRun. */
  evidenceProblem: string | null;
  reportFiles: string[];
}

/** Options of a core call. */
export function callOptions(
  { options }: JobContext,
  onWarning: OnWarning,
): { signal: AbortSignal; onWarning: OnWarning; onProgress: OnProgress } {
  return { signal: options.signal, onWarning, onProgress: options.onProgress ?? (() => {}) };
}

/** Those of the job that were asked for; empty: the whole repository. */
export function chosenMachines({ request, job }: Pick<JobContext, "request" | "job">): string[] {
  const all = machinesOfJob(request.config, job);
  if (request.machines.length === 0) return all;
  return all.length === 0 ? [...request.machines] : all.filter((machine) => request.machines.includes(machine));
}

/** Oldest first. */
export function snapshotsOf({ snapshots }: Pick<Catalog, "snapshots">, machine: string): Snapshot[] {
  return snapshots.filter(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group) === machine);
}

/** As the repository is now. `fresh`: from the storage, for what decides what may go. */
export async function currentCatalog(context: JobContext, { fresh = false } = {}): Promise<Catalog> {
  const { signal } = context.options;
  return await loadCatalog(context.repository, { fresh, signal, onWarning: () => {} });
}

export function snapshotPart({ sid, digest, manifest }: Pick<Snapshot, "sid" | "digest" | "manifest">): {
  id: string;
  digest: string;
  time: string;
} {
  return { id: sid, digest, time: manifest.time };
}

/** Paths of a config are relative to its folder. */
export function configPath(config: RepriseConfig, path: string): string {
  return resolve(folderOfConfig(config), path);
}
