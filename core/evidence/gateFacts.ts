// What is known about machines when a gate decides, wherever it comes from: the evidence branch, or the repository itself.

import type { RestoreTestRecord } from "../format/restoreTestRecord.js";

export interface GateFacts {
  source: "branch" | "repository";
  /** What makes everything below doubtful: a branch that was rewritten, a repository that cannot be read. One is enough to block. */
  problems: readonly { code: GateReasonCode; message: string }[];
  machines: ReadonlyMap<string, MachineFacts>;
  /** The same for what makes but one machine doubtful; it need not be among `machines`. */
  machineProblems: ReadonlyMap<string, readonly { code: GateReasonCode; message: string }[]>;
  /** Of the evidence branch. */
  commit: string | null;
  sequence: number | null;
  publishedAtMs: number | null;
}

export interface MachineFacts {
  machine: string;
  /** When somebody trusted saw this to be so. */
  asOfMs: number;
  /** Newest first. */
  snapshots: readonly SnapshotFacts[];
  /** Signed statements (DSSE envelopes) about tests of these snapshots; whoever decides verifies them. */
  envelopes: readonly string[];
}

export interface SnapshotFacts {
  sid: string;
  /** SHA-256 of the manifest, hex. */
  digest: string;
  timeMs: number;
  verification: { result: "ok" | "damaged"; level: "structure" | "data"; atMs: number } | null;
  /** The newest test of it that is stored in the repository, whether its statement is at hand or not; null: none is known. */
  newestTest: KnownTest | null;
}

export interface KnownTest {
  /** SHA-256 of the record's canonical JSON, hex. */
  recordDigest: string;
  outcome: RestoreTestRecord["result"]["outcome"];
  finishedAtMs: number;
}

/** Why a gate is shut, or why it is open. Codes stay the same, sentences may change. */
export const GATE_REASONS = [
  "evidence-missing",
  "evidence-forged",
  "evidence-rewritten",
  "evidence-stale",
  "repository-unreadable",
  "policy-invalid",
  "key-unreadable",
  "clock",
  "changes-unknown",
  "machine-unknown",
  "no-backup",
  "backup-too-old",
  "backup-damaged",
  "untested",
  "test-failed",
  "test-inconclusive",
  "test-warned",
  "test-too-old",
  "level-too-low",
  "check-missing",
  "check-not-passed",
  "spec-not-allowed",
  "rto-missed",
  "evidence-invalid",
  "proven",
] as const;
export type GateReasonCode = (typeof GATE_REASONS)[number];
