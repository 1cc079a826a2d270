// A gate that is open, to be shut by tests: one machine, a backup of three hours ago, and a test of it of yesterday.

import type { GateConfig, GateRequirement } from "../../core/config/repriseConfig.js";
import type { GateFacts, MachineFacts, SnapshotFacts } from "../../core/evidence/gateFacts.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { signTestEvidence } from "../../core/evidence/testStatements.js";
import type { RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { decideGate, type GateInput } from "../../core/gate/decideGate.js";
import { sampleTestRecord } from "../support/sampleTestRecord.js";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const nowMs = Date.UTC(2026, 10, 22, 12);
export const key = SigningKey.generate();
export const stranger = SigningKey.generate();
export const SPEC = "5e".repeat(32);

export const requirement: GateRequirement = {
  level: "serves",
  maxBackupAgeMs: DAY,
  maxTestAgeMs: 7 * DAY,
  proof: "newest",
  rtoMs: 60_000,
  checks: ["http"],
  allowWarned: false,
  tests: [],
};

export function gateWith(change: Partial<GateConfig> = {}, wanted: Partial<GateRequirement> = {}): GateConfig {
  return {
    name: "production",
    description: "",
    source: { kind: "branch", repository: null },
    keys: ["ci.pub"],
    maxEvidenceAgeMs: DAY,
    rules: [{ paths: ["db/"], machines: ["vm/101"], requirement: { ...requirement, ...wanted }, line: 12 }],
    override: { label: "skip-gate", reasonPrefix: "Reason" },
    line: 8,
    ...change,
  };
}

export function digestOf(number: number): string {
  return number.toString(16).padStart(2, "0").repeat(32);
}

export function snapshot(number: number, ageMs: number, change: Partial<SnapshotFacts> = {}): SnapshotFacts {
  return {
    sid: digestOf(number).slice(32),
    digest: digestOf(number),
    timeMs: nowMs - ageMs,
    verification: null,
    newestTest: null,
    ...change,
  };
}

/** Ended `ageMs` ago. */
export function testOf(number: number, ageMs: number, change: Partial<RestoreTestRecord> = {}): RestoreTestRecord {
  const sample = sampleTestRecord();
  const finishedAt = new Date(nowMs - ageMs).toISOString();
  const startedAt = new Date(nowMs - ageMs - HOUR).toISOString();
  const backedUpAt = new Date(nowMs - ageMs - 2 * HOUR).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    ...sample,
    asset: { ...sample.asset, machine: "vm/101" },
    plan: { ...sample.plan, specDigest: SPEC },
    backup: { ...sample.backup, manifestDigest: digestOf(number), startedAt: backedUpAt, finishedAt: backedUpAt },
    times: { ...sample.times, startedAt, finishedAt },
    ...change,
  };
}

export function sign(record: RestoreTestRecord, by: SigningKey = key): string[] {
  return signTestEvidence(record, [by]);
}

export function machine(change: Partial<MachineFacts> = {}): MachineFacts {
  return {
    machine: "vm/101",
    asOfMs: nowMs - HOUR,
    snapshots: [snapshot(2, 26 * HOUR), snapshot(1, 50 * HOUR)],
    envelopes: sign(testOf(2, 25 * HOUR)),
    ...change,
  };
}

export function factsOf(...machines: MachineFacts[]): GateFacts {
  return {
    source: "branch",
    problems: [],
    machines: new Map(machines.map((each) => [each.machine, each])),
    machineProblems: new Map(),
    commit: "c".repeat(40),
    sequence: 7,
    publishedAtMs: nowMs - HOUR,
  };
}

export function inputWith(change: Partial<GateInput> = {}): GateInput {
  const files = [{ path: "db/schema.sql", change: "modified", kind: "file" }] as const;
  return {
    gate: gateWith({}, { maxBackupAgeMs: 2 * DAY }),
    policy: { fileName: "reprise.yml", digest: "d".repeat(64) },
    head: "b".repeat(40),
    changes: { base: "a".repeat(40), files },
    changesProblem: null,
    facts: factsOf(machine()),
    problems: [],
    override: { labels: [], description: null, by: "ada" },
    keys: [key.verificationKey],
    specDigests: new Map([["web", SPEC]]),
    nowMs,
    ...change,
  };
}

export function decide(change: Partial<GateInput> = {}) {
  return decideGate(inputWith(change));
}

/** Decision and codes of the first machine. */
export function verdict(change: Partial<GateInput> = {}): [string, ...string[]] {
  const { part } = decide(change);
  return [part.decision, ...(part.machines[0]?.reasons.map(({ code }) => code) ?? [])];
}
