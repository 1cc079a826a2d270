// What every form of a report says about a record, as labels and plain text; each form makes it safe for its own medium.

import type { CheckResult, Outcome, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { formatBytes, formatDuration, formatInstant, formatShare } from "../../report/amounts.js";

export interface FactGroup {
  title: string;
  facts: readonly (readonly [label: string, value: string])[];
}

const HEADLINES: Record<RestoreTestRecord["result"]["outcome"], string> = {
  passed: "Restore test passed",
  warned: "Restore test passed with warnings",
  failed: "Restore test failed",
  inconclusive: "Restore test inconclusive",
};

/** "Restore test passed: vm/web1 of 2026-11-21 02:00:00 UTC". */
export function headlineOf(record: RestoreTestRecord): string {
  const drill = record.simulated ? "DRILL — " : "";
  const { machine } = record.asset;
  return `${drill}${HEADLINES[record.result.outcome]}: ${machine} of ${formatInstant(record.backup.startedAt)}`;
}

export function levelOf({ plan, result }: RestoreTestRecord): string {
  return `${result.provenLevel ?? "nothing"} proven, ${plan.level} asked for`;
}

export function rtoOf({ times }: RestoreTestRecord): string {
  if (times.rto.length === 0) return "not measured";
  return times.rto.map(({ way, totalMs }) => `${formatDuration(totalMs)} ${way}`).join(", ");
}

export function rpoOf({ times }: RestoreTestRecord): string {
  return formatDuration(times.rpoMs);
}

/** "" when there is no objective; else "objective 15 min 00 s, met". */
export function objectiveOf(ms: number | null, met: boolean | null): string {
  if (ms === null) return "";
  return `objective ${formatDuration(ms)}, ${met === null ? "not measured" : met ? "met" : "not met"}`;
}

/** How many of each, those that are there, worst first. */
export function countsOf(checks: readonly CheckResult[]): [Outcome, number][] {
  const order: Outcome[] = ["failed", "inconclusive", "skipped", "warned", "passed"];
  return order
    .map((outcome): [Outcome, number] => [outcome, checks.filter((check) => check.outcome === outcome).length])
    .filter(([, count]) => count > 0);
}

export function factGroupsOf(record: RestoreTestRecord): FactGroup[] {
  return [assetFacts(record), backupFacts(record), timeFacts(record), environmentFacts(record), endFacts(record)];
}

function assetFacts({ asset, plan, recordId, runId, previous }: RestoreTestRecord): FactGroup {
  return {
    title: "Test",
    facts: [
      ["Test", asset.name],
      ["Description", plan.description],
      ["Owner", asset.owner],
      ["Criticality", asset.criticality],
      ["Controls", asset.controls.join(", ")],
      ["Spec", plan.spec],
      ["Spec digest", plan.specDigest],
      ["Trigger", plan.trigger],
      ["Record", recordId],
      ["Run", runId],
      ["Record before", previous ?? "none: this is the first"],
    ],
  };
}

function backupFacts({ backup }: RestoreTestRecord): FactGroup {
  const key = backup.keyId === null ? "" : `, key ${backup.keyId}`;
  return {
    title: "Backup",
    facts: [
      ["Snapshot", backup.snapshotId],
      ["Manifest digest", backup.manifestDigest],
      ["Taken", `${formatInstant(backup.startedAt)} to ${formatInstant(backup.finishedAt)}`],
      ["Mode", `${backup.mode}, consistency: ${backup.consistency}`],
      ["Size", `${formatBytes(backup.sizeBytes)}, ${formatBytes(backup.storedBytes)} stored for it`],
      ["Encryption", backup.encrypted ? `yes${key}` : "no"],
      ["Repository", backup.repositoryId],
      ["Location", backup.location],
    ],
  };
}

function timeFacts(record: RestoreTestRecord): FactGroup {
  const { startedAt, finishedAt, rto, rpoMs, objectives } = record.times;
  const ways = rto.map(({ way, restoreMs, bootMs, serveMs, totalMs }): readonly [string, string] => [
    `RTO, ${way}`,
    `${formatDuration(totalMs)}: restore ${formatDuration(restoreMs)}, boot ${formatDuration(bootMs)}, ` +
      `service ${formatDuration(serveMs)}`,
  ]);
  return {
    title: "Times",
    facts: [
      ["Started", formatInstant(startedAt)],
      ["Finished", formatInstant(finishedAt)],
      ...(ways.length === 0 ? [["RTO", "not measured"] as const] : ways),
      ["RTO objective", objectiveOf(objectives.rtoMs, objectives.rtoMet) || "none"],
      ["RPO", formatDuration(rpoMs)],
      ["RPO objective", objectiveOf(objectives.rpoMs, objectives.rpoMet) || "none"],
    ],
  };
}

function environmentFacts({ environment, tool }: RestoreTestRecord): FactGroup {
  const { hypervisor, accelerator, acceleratorReason } = environment;
  const why = acceleratorReason === null ? "" : ` (${acceleratorReason})`;
  return {
    title: "Environment",
    facts: [
      ["Tool", `${tool.name} ${tool.version}`],
      ["Executed by", environment.executedBy],
      ["Host", environment.host],
      ["Node", environment.node],
      ["Hypervisor", hypervisor ?? "not used"],
      ["Acceleration", accelerator === null ? "none" : `${accelerator}${why}`],
      ["Hardware", environment.hardware.join(", ")],
      ["Differs from the machine", environment.deviations.join("; ") || "nothing"],
    ],
  };
}

function endFacts({ integrity }: RestoreTestRecord): FactGroup {
  const confirmation = ({ confirmed, observed }: { confirmed: boolean; observed: string }) =>
    `${confirmed ? "confirmed" : "NOT CONFIRMED"}: ${observed}`;
  return {
    title: "Afterwards",
    facts: [
      ["Teardown", confirmation(integrity.teardown)],
      ["Data disposal", confirmation(integrity.disposal)],
    ],
  };
}

/** Label and value of each number of the coverage. */
export function coverageFacts({ coverage }: RestoreTestRecord): FactGroup["facts"] {
  const { disks, disksTotal, bytesVerified, bytesTotal, chunksVerified, volumesOpened } = coverage;
  return [
    ["Disks", `${disks} of ${disksTotal}`],
    [
      "Bytes",
      `${formatBytes(bytesVerified)} of ${formatBytes(bytesTotal)} (${formatShare(bytesVerified, bytesTotal)})`,
    ],
    ["Chunks verified", String(chunksVerified)],
    ["Volumes opened", String(volumesOpened)],
  ];
}
