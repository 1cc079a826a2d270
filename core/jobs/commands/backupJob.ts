// `backup`: one snapshot of each machine, looked at when it is made, and the retention of those that went well.

import { nameArchives } from "../../backup/archiveNames.js";
import { type BackupResult, backUp } from "../../backup/backup.js";
import { parseExcludes } from "../../backup/excludeRules.js";
import { InputDisks } from "../../backup/inputDisks.js";
import { readConfigFile, requireFolder } from "../../backup/inputFiles.js";
import type { TreeInput } from "../../backup/treeInput.js";
import type { FolderConfig, MachineConfig } from "../../config/repriseConfig.js";
import { isAbort, RepriseError } from "../../errors.js";
import type { Archive, Manifest } from "../../format/manifest.js";
import type { MachineReportLine } from "../../jobReport/jobReport.js";
import { formatBytes } from "../../report/amounts.js";
import { splitNamespace } from "../../repository/snapshotName.js";
import type { OnWarning } from "../../repository/warnings.js";
import { type ImageFormat, imageFormats } from "../../source/imageFormat.js";
import { verifyRepository } from "../../verify/verify.js";
import { findMachine, type JobOf } from "../configJobs.js";
import { callOptions, chosenMachines, configPath, currentCatalog, type JobContext } from "../jobContext.js";
import type { MachineResult } from "../jobLog.js";
import { pruneMachines, pruneText } from "../pruneMachines.js";

type BackupContext = JobContext<JobOf<"backup">>;

export async function runBackupJob(context: BackupContext): Promise<void> {
  const { log, request } = context;
  const good: string[] = [];
  for (const machine of chosenMachines(context)) {
    const result = await log.machine(machine, (onWarning) => backUpMachine(context, machine, onWarning));
    if (result.outcome === "passed" || result.outcome === "warned") good.push(machine);
  }
  const added = log.lines.reduce((sum, { backup }) => sum + (backup?.addedBytes ?? 0), 0);
  log.facts.push({ label: request.dryRun ? "would add at most" : "added", value: formatBytes(added) });
  await applyRetention(context, good);
}

async function backUpMachine(context: BackupContext, name: string, onWarning: OnWarning): Promise<MachineResult> {
  const machine = findMachine(context.request.config, name);
  if (machine === undefined || machine.disks.length + machine.folders.length + machine.configFiles.length === 0)
    throw nothingToRead(name);
  const result = await makeSnapshot(context, machine, onWarning);
  const { manifest, digest, statistics } = result;
  const added = `${formatBytes(statistics.bytesStored)} added, ${formatBytes(statistics.bytesRead)} read`;
  const backup = {
    readBytes: statistics.bytesRead,
    addedBytes: statistics.bytesStored,
    sizeBytes: sizeOf(manifest?.archives ?? []),
    protected: manifest?.protected ?? false,
  };
  if (manifest === null || digest === null) return { outcome: "passed", reason: `dry run: ${added}`, backup };
  const snapshot = { id: manifest.sid, digest, time: manifest.time };
  const verification = await verifyNew(context, manifest, onWarning);
  const whole = { snapshot, backup, verification };
  if (verification?.result === "damaged") {
    const reason = `the new snapshot is damaged: ${verification.damagedRanges} ranges cannot be restored`;
    const hint = "run reprise verify --read-data, look at the storage, and back the machine up again";
    context.log.addProblem({ severity: "error", code: "SNAPSHOT_DAMAGED", message: reason, hint, machine: name });
    return { outcome: "failed", reason, ...whole };
  }
  const checked = verification === null ? "" : `; verified (${verification.level})`;
  return { outcome: "passed", reason: `${added}${checked}`, ...whole };
}

async function makeSnapshot(
  context: BackupContext,
  machine: MachineConfig,
  onWarning: OnWarning,
): Promise<BackupResult> {
  const { request, options, repository, job } = context;
  const { signal } = options;
  const toName = <Path extends { name: string | null; path: string }>({ name, path }: Path) => {
    return { name, path: configPath(request.config, path) };
  };
  const named = nameArchives({
    disks: machine.disks.map(toName),
    files: machine.configFiles.map(toName),
    trees: machine.folders.map(toName),
  });
  const disks = await InputDisks.open(
    named.disks.map((disk, index) => ({ ...disk, ...diskManner(machine.disks[index]!) })),
    { signal },
  );
  try {
    const files = await Promise.all(named.files.map((file) => readConfigFile(file, signal)));
    const trees = await Promise.all(named.trees.map((tree, index) => treeInput(tree, machine.folders[index]!)));
    const { namespace, group } = splitNamespace(machine.machine);
    const what = { group, namespace, disks: disks.inputs, files, trees, notes: machine.notes, tags: machine.tags };
    const how = { protected: false, codec: job.codec, dryRun: request.dryRun };
    const result = await backUp(repository, { ...what, ...how }, callOptions(context, onWarning));
    await disks.warnOfChanges(onWarning);
    return result;
  } finally {
    await disks.close();
  }
}

function diskManner({ path, format, allowBackingFile }: MachineConfig["disks"][number]): {
  format?: ImageFormat;
  allowBackingFiles: boolean;
} {
  const known = imageFormats.find((each) => each === format);
  if (format !== null && known === undefined) {
    throw new RepriseError("source", "SOURCE_UNSUPPORTED", `${path}: ${format} is no format of disk images`, {
      data: { path, format },
      hint: `there are: ${imageFormats.join(", ")}`,
    });
  }
  return { format: known, allowBackingFiles: allowBackingFile };
}

async function treeInput(
  { name, path }: { name: string; path: string },
  { exclude, oneFileSystem }: FolderConfig,
): Promise<TreeInput> {
  await requireFolder(path);
  return { name, path, excludes: parseExcludes(exclude), oneFileSystem, readAll: false };
}

/** Null: not asked for. */
async function verifyNew(
  context: BackupContext,
  { sid }: Manifest,
  onWarning: OnWarning,
): Promise<MachineReportLine["verification"]> {
  const { verifyAfter } = context.job;
  if (verifyAfter === "none") return null;
  const { snapshots } = await currentCatalog(context);
  const request = {
    snapshots: snapshots.filter((snapshot) => snapshot.sid === sid),
    ...{ readData: verifyAfter === "data", ignoreVerified: false, outdatedAfterMs: null, subset: null, record: true },
  };
  const report = await verifyRepository(context.repository, request, callOptions(context, onWarning));
  const verdict = report.snapshots.find((each) => each.sid === sid);
  const damaged = verdict === undefined || verdict.result === "damaged";
  const damagedRanges = verdict?.damaged.length ?? 0;
  return { level: report.level, result: damaged ? "damaged" : "ok", damagedRanges };
}

/** The backups are made: what goes wrong here is a warning. */
async function applyRetention(context: BackupContext, machines: readonly string[]): Promise<void> {
  const { job, log, request } = context;
  if (job.retention === null || machines.length === 0) return;
  try {
    const pruned = await pruneMachines(context, machines, job.retention, log.onWarning);
    log.facts.push({ label: request.dryRun ? "retention would" : "retention", value: pruneText(pruned) });
  } catch (error) {
    if (isAbort(error)) throw error;
    log.addError(error, null, "warning");
  }
}

export function sizeOf(archives: readonly Archive[]): number {
  return archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function nothingToRead(machine: string): RepriseError {
  return new RepriseError("usage", "JOB_MACHINE_WITHOUT_SOURCES", `${machine} has nothing to back up`, {
    data: { machine },
    hint: "give it disks, folders or config-files in machines, or take it out of the job",
  });
}
