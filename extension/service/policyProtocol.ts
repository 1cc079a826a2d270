// The part of the service's protocol that is about policies: what a reprise.yml or a spec says, how machines stand, restore tests
// and gates. Plain data, like all of protocol.ts, which names the type of handles.

export interface FileProblemData {
  /** 1-based, as people count. */
  line: number;
  column: number;
  severity: "error" | "warning";
  message: string;
  /** Another file than the one that was read, as it is written there; null: the one that was read. */
  file: string | null;
}

export type KeepRule = "last" | "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/** What a retention says: counts by rule, and `within` as it is written. */
export interface KeepData {
  counts: Partial<Record<KeepRule, number>>;
  within: string | null;
}

export interface PolicyRepositoryData {
  name: string;
  /** As openRepository takes it; null: only a variable that is not set says where it is. */
  location: string | null;
  /** The variables that its passphrase and its keeper's key are taken from; null: from a file. */
  passphraseVariable: string | null;
  keeperKeyVariable: string | null;
  line: number;
}

export interface PolicyMachineData {
  machine: string;
  owner: string;
  line: number;
}

export interface PolicyJobData {
  name: string;
  command: string;
  repository: string;
  /** Empty: all of the repository, or all restore tests. */
  machines: readonly string[];
  schedule: { text: string; words: string; timeZone: string; nextRunsMs: readonly number[] } | null;
  keep: KeepData | null;
  line: number;
}

export interface CheckData {
  id: string;
  type: string;
  line: number;
}

export interface TestMachineData {
  machine: string;
  level: string;
  checks: readonly CheckData[];
}

export interface RestoreTestData {
  name: string;
  description: string;
  /** Full path of the file that it stands in. */
  file: string;
  line: number;
  machines: readonly TestMachineData[];
}

/** What a reprise.yml says. Everything but the problems is empty when it has mistakes. */
export interface PolicyData {
  problems: readonly FileProblemData[];
  sound: boolean;
  repositories: readonly PolicyRepositoryData[];
  machines: readonly PolicyMachineData[];
  jobs: readonly PolicyJobData[];
  restoreTests: readonly RestoreTestData[];
  gates: readonly { name: string; line: number }[];
  /** Patterns of rules of gates, with the line of their rule. */
  patterns: readonly { pattern: string; line: number }[];
  /** Full paths of what was read for it beside the text, or would have been, also with mistakes. */
  named: { files: readonly string[]; folders: readonly string[] };
}

export interface SpecData {
  problems: readonly FileProblemData[];
  restoreTests: readonly RestoreTestData[];
}

/** How a machine stands, by what is stored and, with a policy, by what its schedules ask for. */
export interface MachineStateData {
  machine: string;
  outcome: string;
  reason: string;
  snapshots: number;
  newest: { timeMs: number; verification: "ok" | "damaged" | "none"; protected: boolean } | null;
  lastTest: {
    atMs: number;
    outcome: string;
    provenLevel: string | null;
    rtoMs: number | null;
    /** Of the newest snapshot. */
    ofNewest: boolean;
  } | null;
}

/** What a retention would do to the snapshots of one machine today. */
export interface KeepPreviewData {
  machine: string;
  keeps: number;
  removes: number;
  rules: readonly { rule: string; limit: string; kept: number; oldestKeptMs: number | null }[];
}

export interface KeepPreviewsData {
  /** When the snapshots were listed. */
  asOfMs: number;
  /** Machines without snapshots are left out. */
  previews: readonly KeepPreviewData[];
}

export type OutcomeData = "passed" | "warned" | "failed" | "inconclusive" | "skipped";

export interface CheckResultData {
  id: string;
  type: string;
  severity: string;
  outcome: OutcomeData;
  expected: string;
  observed: string;
  reason: string | null;
  durationMs: number;
  line: number | null;
}

export type TestEventData =
  | { event: "machine-started"; machine: string; snapshot: string; level: string }
  | { event: "phase"; machine: string; phase: string; state: "started" | "finished"; durationMs: number | null }
  | { event: "check"; machine: string; result: CheckResultData }
  | { event: "console"; machine: string; line: string }
  | { event: "machine-finished"; machine: string; outcome: OutcomeData; reason: string };

export interface TestedMachineData {
  machine: string;
  outcome: OutcomeData;
  reason: string;
  provenLevel: string | null;
  durationMs: number;
  rtoMs: number | null;
  checks: readonly CheckResultData[];
  /** Full paths of what was written: the report, and pictures of its screen. */
  report: string;
  screenshots: readonly string[];
}

export interface TestRunData {
  machines: readonly TestedMachineData[];
  untested: readonly { machine: string; code: string | null; message: string; hint: string | null }[];
}

export interface GateMachineData {
  machine: string;
  decision: "go" | "blocked";
  reasons: readonly { code: string; message: string }[];
  files: readonly string[];
  filesTotal: number;
  /** Line of the rule in the policy of the base. */
  line: number;
}

export interface GateData {
  gate: string;
  decision: "go" | "not-needed" | "overridden" | "blocked";
  verdict: string;
  base: string | null;
  head: string | null;
  changedFiles: number;
  machines: readonly GateMachineData[];
}

/** `data` null: this gate could not be decided, so it is shut; `problem` says why. */
export type GateAnswerData = { gate: string } & (
  | { data: GateData; problem: null }
  | { data: null; problem: { code: string; message: string } }
);

/** `trusted` false: only files beside the policy, or below its folder, are read. */
interface PolicyText {
  /** Full path, whether or not the text is saved there. */
  path: string;
  text: string;
  trusted: boolean;
}

export interface PolicyApi<Handle> {
  readPolicy: { argument: PolicyText; answer: PolicyData };
  readSpecs: { argument: Omit<PolicyText, "trusted">; answer: SpecData };
  /**
   * `policy` null: nothing is expected of the machines. `maxAgeMs`: an older list of snapshots is read again; none: any will do.
   * CONFIG_INVALID, and what reading a repository throws: what cannot be read is never "no backup".
   */
  machineStates: {
    argument: { repository: Handle; policy: (PolicyText & { repositoryName: string }) | null; maxAgeMs?: number };
    answer: readonly MachineStateData[];
  };
  /** By what the storage had within the last minute. PRUNE_SNAPSHOT_UNREADABLE. */
  keepPreview: {
    argument: { repository: Handle; machines: readonly string[]; keep: KeepData; timeZone: string };
    answer: KeepPreviewsData;
  };
  /**
   * One restore test of a text. `machine` and `checks` narrow it; with `checks` no record is stored, because it would hide the others. Tells TestEventData as it goes on; a cancelled call leaves no machine
   * running. SPEC_INVALID, CONFIG_INVALID, RESTORE_TEST_UNKNOWN; TOOL_MISSING when QEMU is not installed.
   */
  runTest: {
    argument: {
      repository: Handle;
      path: string;
      text: string;
      test: string;
      machine: string | null;
      checks: readonly string[] | null;
      reportFolder: string;
      /** Where QEMU is; null for where programs are. */
      toolFolder: string | null;
    };
    answer: TestRunData;
  };
  /**
   * The gates of what is committed, by the policy of the base. `gate` null: all that it has, which may be none. `base`: a revision.
   * `secrets`: passphrases that the editor keeps, by location; used for a repository at exactly that place. GIT_*, GATE_POLICY_MISSING,
   * CONFIG_INVALID: nothing could be decided.
   */
  gate: {
    argument: {
      folder: string;
      configPath: string;
      gate: string | null;
      base: string;
      secrets?: readonly { location: string; secret: string }[];
    };
    answer: readonly GateAnswerData[];
  };
}
