// What a restore test leaves: one record for each machine, complete enough for an auditor. docs/format/restore-test-record.md.
// Times are ISO 8601 UTC, durations whole milliseconds: the record is canonical JSON in the repository.

import type { Severity, TestLevel } from "./spec/restoreTestSpec.js";

export const OUTCOMES = ["passed", "warned", "failed", "inconclusive", "skipped"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface RestoreTestRecord {
  /** "restore-test/v1" */
  schema: string;
  /** Random, 32 hex digits; one run may test several machines. */
  recordId: string;
  runId: string;
  /** SHA-256 of the canonical JSON of the machine's record before this one; null: the first. */
  previous: string | null;
  tool: { name: string; version: string };
  asset: { machine: string; name: string; owner: string; criticality: string; controls: string[] };
  plan: {
    spec: string;
    specDigest: string;
    description: string;
    trigger: "manual" | "scheduled" | "pipeline" | "drill";
    level: TestLevel;
    /** Where the run can be looked at, or null. */
    url: string | null;
  };
  backup: {
    repositoryId: string;
    location: string;
    snapshotId: string;
    /** SHA-256 of the manifest: the subject of every statement. */
    manifestDigest: string;
    startedAt: string;
    finishedAt: string;
    mode: string;
    consistency: string;
    sizeBytes: number;
    storedBytes: number;
    encrypted: boolean;
    keyId: string | null;
  };
  environment: {
    executedBy: string;
    host: string;
    node: string;
    hypervisor: string | null;
    accelerator: string | null;
    acceleratorReason: string | null;
    hardware: string[];
    /** What differs from the machine's own configuration, in words. */
    deviations: string[];
  };
  isolation: {
    network: "none" | "isolated" | "not-started";
    /** Each with what was seen. */
    proofs: { what: string; outcome: "held" | "broken" | "not-probed"; observed: string }[];
  };
  times: {
    startedAt: string;
    finishedAt: string;
    /** In order: restore, power-on, firmware, ready, each check, teardown. */
    phases: Phase[];
    /** Instant: power-on straight from the repository until it served. Restored: with the full restore before it. */
    rto: { way: "instant" | "restored"; restoreMs: number; bootMs: number; serveMs: number; totalMs: number }[];
    rpoMs: number;
    objectives: { rtoMs: number | null; rtoMet: boolean | null; rpoMs: number | null; rpoMet: boolean | null };
  };
  coverage: {
    disks: number;
    disksTotal: number;
    bytesVerified: number;
    bytesTotal: number;
    chunksVerified: number;
    volumesOpened: number;
    /** In words, never empty of what was left out. */
    notTested: string[];
  };
  checks: CheckResult[];
  result: {
    outcome: Exclude<Outcome, "skipped">;
    /** The highest level that was proven, null: none. */
    provenLevel: TestLevel | null;
    reason: string;
    deviations: string[];
  };
  /** True for `--drill`: made to fail on purpose, proves nothing about the snapshot. */
  simulated: boolean;
  integrity: {
    artifacts: Artifact[];
    teardown: { confirmed: boolean; observed: string };
    disposal: { confirmed: boolean; observed: string };
  };
}

export interface Phase {
  name: string;
  /** From the start of the test. */
  startMs: number;
  durationMs: number;
}

export interface CheckResult {
  id: string;
  type: string;
  severity: Severity;
  outcome: Outcome;
  expected: string;
  observed: string;
  reason: string | null;
  startMs: number;
  durationMs: number;
  attempts: number;
  /** Line of the spec; null: implied by the level. */
  line: number | null;
  artifacts: string[];
}

/** A file beside the report: name, digest, kind. */
export interface Artifact {
  name: string;
  mediaType: string;
  bytes: number;
  sha256: string;
}
