// Whether one machine is as proven as one rule demands: yes with its reason, or every reason against it. Whatever is missing, unclear or
// yet to come speaks against it. Pure.

import type { GateRequirement } from "../config/repriseConfig.js";
import type { GateFacts, MachineFacts, SnapshotFacts } from "../evidence/gateFacts.js";
import { MAX_CLOCK_SKEW_MS } from "../evidence/objections.js";
import { spanText } from "../evidence/spanText.js";
import { formatDuration, formatInstant } from "../report/amounts.js";
import { shortLine } from "../report/inertText.js";
import { agoText, fromText, instantText } from "./gateWords.js";
import { type GateReason, type GateTrust, type Proof, proofOf } from "./provenTests.js";

export interface JudgedMachine {
  decision: "go" | "blocked";
  /** Most important first, at least one. */
  reasons: readonly GateReason[];
  found: readonly { label: string; value: string }[];
  /** What the decision relies on; null: nothing. */
  proof: Proof | null;
}

export interface JudgeContext extends GateTrust {
  /** Null: there are none at all. */
  facts: GateFacts | null;
  maxEvidenceAgeMs: number;
  /** What shuts the gate for every machine. */
  problems: readonly GateReason[];
}

const MAX_MESSAGE_CHARS = 600;

export function judgeMachine(machine: string, requirement: GateRequirement, context: JudgeContext): JudgedMachine {
  const { facts, nowMs } = context;
  const objections: GateReason[] = [...context.problems];
  if (!Number.isFinite(nowMs)) objections.push({ code: "clock", message: "nobody knows what time it is" });
  if (facts === null) {
    if (objections.length === 0) objections.push({ code: "evidence-missing", message: "there is no evidence at all" });
    return blocked(objections, [], null);
  }
  const own = facts.machineProblems.get(machine) ?? [];
  objections.push(
    ...[...facts.problems, ...own].map(({ code, message }) => ({
      code,
      message: shortLine(message, MAX_MESSAGE_CHARS),
    })),
  );
  const known = facts.machines.get(machine);
  if (known === undefined || known.machine !== machine) {
    // something is known of it, only not what
    if (own.length > 0) return blocked(objections, [], null);
    objections.push({ code: "machine-unknown", message: `nothing is known of ${machine} ${placeOf(facts)}` });
    return blocked(objections, [], null);
  }
  objections.push(...objectionsToKnowledge(known, facts, context));
  const snapshots = known.snapshots.toSorted((a, b) => b.timeMs - a.timeMs);
  const newest = snapshots[0];
  if (newest === undefined) {
    objections.push({ code: "no-backup", message: `there is no backup of ${machine}` });
    return blocked(objections, [], null);
  }
  objections.push(...objectionsToBackup(newest, requirement, nowMs));
  const proof = proofOf(known, snapshots, requirement, context);
  objections.push(...proof.objections, ...objectionsToProof(machine, proof, newest, requirement));
  const found = foundRows(known, newest, proof, nowMs);
  if (objections.length > 0) return blocked(objections, found, proof);
  const message = provenText(machine, newest, proof, nowMs);
  return { decision: "go", reasons: [{ code: "proven", message }], found, proof };
}

function blocked(objections: readonly GateReason[], found: JudgedMachine["found"], proof: Proof | null): JudgedMachine {
  return { decision: "blocked", reasons: objections, found, proof };
}

function placeOf({ source }: GateFacts): string {
  return source === "branch" ? "on the evidence branch" : "in the repository";
}

/** How old what is known is: a gate that reads an old list does not see what came after it. */
function objectionsToKnowledge(
  { asOfMs, snapshots }: MachineFacts,
  { source, publishedAtMs }: GateFacts,
  { nowMs, maxEvidenceAgeMs }: JudgeContext,
): GateReason[] {
  const ageMs = nowMs - asOfMs;
  const found: GateReason[] = [];
  if (!Number.isFinite(ageMs)) return [{ code: "clock", message: "the list of backups has no time" }];
  if (!snapshots.every(({ timeMs }) => Number.isFinite(timeMs)))
    found.push({ code: "clock", message: "a backup has no time: it may be the newest" });
  if (ageMs < -MAX_CLOCK_SKEW_MS || (publishedAtMs ?? asOfMs) - nowMs > MAX_CLOCK_SKEW_MS)
    found.push({ code: "clock", message: "the evidence is from a time yet to come: one of the clocks is wrong" });
  if (!(ageMs <= maxEvidenceAgeMs)) {
    const what = source === "branch" ? "the newest list of its backups on the evidence branch" : "what is known of it";
    const message = `${what} is ${spanText(ageMs)} old; allowed are ${spanText(maxEvidenceAgeMs)}`;
    found.push({ code: "evidence-stale", message });
  }
  return found;
}

function objectionsToBackup(newest: SnapshotFacts, requirement: GateRequirement, nowMs: number): GateReason[] {
  const ageMs = nowMs - newest.timeMs;
  const found: GateReason[] = [];
  if (!(ageMs >= -MAX_CLOCK_SKEW_MS))
    found.push({ code: "clock", message: "the newest backup is from a time yet to come: one of the clocks is wrong" });
  else if (!(ageMs <= requirement.maxBackupAgeMs)) {
    const message = `the newest backup is ${spanText(ageMs)} old; allowed are ${spanText(requirement.maxBackupAgeMs)}`;
    found.push({ code: "backup-too-old", message });
  }
  if (newest.verification?.result === "damaged") found.push(damaged("the newest backup", newest));
  return found;
}

function objectionsToProof(
  machine: string,
  { record, snapshot }: Proof,
  newest: SnapshotFacts,
  { rtoMs }: GateRequirement,
): GateReason[] {
  if (record === null || snapshot === null) return [];
  const found: GateReason[] = [];
  if (record.asset.machine !== machine)
    found.push({ code: "evidence-invalid", message: `the test is of ${shortLine(record.asset.machine, 200)}` });
  if (snapshot !== newest && snapshot.verification?.result === "damaged")
    found.push(damaged("the backup that was tested", snapshot));
  if (rtoMs === null) return found;
  const measuredMs = recoveryMs(record.times.rto);
  if (measuredMs === null) found.push({ code: "rto-missed", message: "the test has measured no recovery time" });
  else if (!(measuredMs <= rtoMs)) {
    const message = `recovery took ${formatDuration(measuredMs)}; allowed are ${spanText(rtoMs)}`;
    found.push({ code: "rto-missed", message });
  }
  return found;
}

function damaged(which: string, { verification }: SnapshotFacts): GateReason {
  const when = verification === null ? "" : ` (${verification.level}, seen ${instantText(verification.atMs)})`;
  return { code: "backup-damaged", message: `${which} is damaged${when}` };
}

/** Of the faster way: whoever must be back takes that one. Null: not measured. */
function recoveryMs(rto: readonly { totalMs: number }[]): number | null {
  return rto.length === 0 ? null : Math.min(...rto.map(({ totalMs }) => totalMs));
}

function provenText(machine: string, newest: SnapshotFacts, { record, snapshot }: Proof, nowMs: number): string {
  const backupAge = fromText(nowMs - newest.timeMs);
  if (record === null || snapshot === null) return `${machine} has a backup ${backupAge}`;
  const tested = agoText(nowMs - Date.parse(record.times.finishedAt));
  const measuredMs = recoveryMs(record.times.rto);
  const rto = measuredMs === null ? "" : `, RTO ${formatDuration(measuredMs)}`;
  const warned = record.result.outcome === "warned" ? ", with warnings" : "";
  const how = `proven ${tested} (level ${record.result.provenLevel}${rto}${warned})`;
  if (snapshot === newest) return `${machine} has a backup ${backupAge} whose restore was ${how}`;
  const testedAge = fromText(nowMs - snapshot.timeMs);
  return `${machine} has a backup ${backupAge}, and the restore of one ${testedAge} was ${how}`;
}

function foundRows(
  { asOfMs }: MachineFacts,
  newest: SnapshotFacts,
  { record, snapshot }: Proof,
  nowMs: number,
): JudgedMachine["found"] {
  const rows = [
    { label: "newest backup", value: `${instantText(newest.timeMs)} (${shortLine(newest.sid, 8)})` },
    { label: "verified", value: newest.verification === null ? "not yet" : newest.verification.result },
    { label: "known as of", value: `${instantText(asOfMs)} (${agoText(Math.max(0, nowMs - asOfMs))})` },
  ];
  if (record === null || snapshot === null) return [...rows, { label: "test", value: "none" }];
  const measuredMs = recoveryMs(record.times.rto);
  const of = snapshot === newest ? "the newest backup" : `the backup of ${instantText(snapshot.timeMs)}`;
  return [
    ...rows,
    { label: "test", value: `${record.result.outcome}, ${formatInstant(record.times.finishedAt)}, of ${of}` },
    { label: "proven level", value: record.result.provenLevel ?? "none" },
    { label: "RTO", value: measuredMs === null ? "not measured" : formatDuration(measuredMs) },
  ];
}
