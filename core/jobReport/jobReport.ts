// What a command leaves for people and for later steps: one shape for every command, so that summaries, outputs, annotations,
// notifications and merged reports read only this. docs/job-reports.md. It is written to a file as canonical JSON.

import { MIB } from "../format/limits.js";
import type { Outcome, TestLevel } from "../format/restoreTestRecord.js";

export const REPORT_COMMANDS = [
  "backup",
  "verify",
  "restore-test",
  "gate",
  "prune",
  "sync",
  "status",
  "plan",
  "run",
] as const;
export type ReportCommand = (typeof REPORT_COMMANDS)[number];

/** From best to worst. `cancelled`: ended by a signal; what was finished before counts. */
export const REPORT_OUTCOMES = ["passed", "warned", "inconclusive", "cancelled", "failed"] as const;
export type ReportOutcome = (typeof REPORT_OUTCOMES)[number];

export const JOB_REPORT_SCHEMA = "job-report/v1";
/** Of the JSON of one report. */
export const MAX_JOB_REPORT_BYTES = 32 * MIB;
/** Points of a trend. */
export const MAX_TREND_POINTS = 60;

export interface JobReport {
  /** "job-report/v1" */
  schema: string;
  command: ReportCommand;
  /** Name in reprise.yml; null: none. */
  job: string | null;
  tool: { name: string; version: string };
  /** Location without secrets; null: the command opened none. */
  repository: { name: string | null; location: string; id: string } | null;
  /** ISO 8601 UTC. */
  startedAt: string;
  finishedAt: string;
  dryRun: boolean;
  /** Where the run can be looked at. */
  url: string | null;
  outcome: ReportOutcome;
  /** One sentence: what came out of it and why. */
  verdict: string;
  machines: MachineReportLine[];
  /** Facts about the whole command, for a table: "freed", "1.2 GiB". */
  facts: { label: string; value: string }[];
  gate: GateReportPart | null;
  /** Machines of a plan, and runs that are due. */
  plan: PlanReportPart | null;
  problems: ReportProblem[];
  trends: MachineTrend[];
}

/** One machine in one command; null: not part of this command. */
export interface MachineReportLine {
  machine: string;
  /** Of the job that worked on it, as its name stands in reprise.yml; null: none. */
  job: string | null;
  outcome: Outcome;
  reason: string;
  /** ISO 8601 UTC: of two lines of one job and machine the later one counts. */
  finishedAt: string;
  durationMs: number;
  snapshot: { id: string; digest: string; time: string } | null;
  backup: { readBytes: number; addedBytes: number; sizeBytes: number; protected: boolean } | null;
  verification: { level: "structure" | "data"; result: "ok" | "damaged"; damagedRanges: number } | null;
  test: TestReportPart | null;
  /** What is known of it: for `status`. */
  state: MachineState | null;
}

export interface TestReportPart {
  name: string;
  /** The file of the spec, to which the lines of the checks belong; null: not known. */
  file: string | null;
  recordId: string;
  level: TestLevel;
  provenLevel: TestLevel | null;
  /** Measured; null: not reached. */
  rtoMs: number | null;
  rpoMs: number;
  objectives: { rtoMs: number | null; rtoMet: boolean | null; rpoMs: number | null; rpoMet: boolean | null };
  restoreMs: number | null;
  checks: { id: string; outcome: Outcome; reason: string | null; line: number | null }[];
  /** Of the machine's last screen; null: none. */
  screenshot: { name: string; sha256: string; pngBase64: string } | null;
}

export interface MachineState {
  owner: string;
  criticality: string;
  snapshots: number;
  newest: {
    id: string;
    time: string;
    ageMs: number;
    verification: "ok" | "damaged" | "none";
    protected: boolean;
  } | null;
  lastTest: {
    at: string;
    ageMs: number;
    outcome: Outcome;
    provenLevel: TestLevel | null;
    rtoMs: number | null;
    ofNewest: boolean;
  } | null;
}

export const GATE_DECISIONS = ["go", "not-needed", "overridden", "blocked"] as const;
export type GateDecision = (typeof GATE_DECISIONS)[number];

export interface GateReportPart {
  gate: string;
  decision: GateDecision;
  /** File of the policy, to which the lines of the rules belong; null: not known. */
  policyFile: string | null;
  /** Commits that were compared. */
  base: string | null;
  head: string | null;
  changedFiles: number;
  machines: {
    machine: string;
    decision: "go" | "blocked";
    /** Changed files that ask for it: the first ten, and how many. */
    files: string[];
    filesTotal: number;
    required: { label: string; value: string }[];
    found: { label: string; value: string }[];
    /** All of them, most important first; one that says "go" has its reasons, too. */
    reasons: { code: string; message: string }[];
    /** Line of the rule. */
    line: number;
  }[];
  /** Who asked for it and why, as the pull request says. */
  override: { label: string; reason: string; by: string } | null;
  /** SHA-256 of the policy's bytes. */
  policyDigest: string;
  evidence: {
    source: "branch" | "repository";
    commit: string | null;
    sequence: number | null;
    publishedAt: string | null;
  } | null;
}

export interface PlanReportPart {
  /** For `strategy.matrix` of a workflow: one entry for each machine that a job works on. */
  matrix: { job: string; machine: string }[];
  runs: {
    job: string;
    command: string;
    machine: string | null;
    due: boolean;
    dueAt: string | null;
    lastRunAt: string | null;
    nextAt: string | null;
    reason: string;
  }[];
}

export interface ReportProblem {
  severity: "error" | "warning" | "notice";
  code: string;
  message: string;
  hint: string | null;
  machine: string | null;
  /** Of the file that is to blame, as annotations want it; null: none. */
  file: string | null;
  line: number | null;
  column: number | null;
}

/** Oldest first, at most 60 points each. */
export interface MachineTrend {
  machine: string;
  /** Drawn as a line; null: none. */
  rtoObjectiveMs: number | null;
  rto: { at: string; ms: number; outcome: Outcome }[];
  /** New bytes of each backup. */
  added: { at: string; bytes: number }[];
  /** What a restore of each backup would write. */
  size: { at: string; bytes: number }[];
}
