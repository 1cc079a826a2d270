// What a run of restore tests is asked for, what it tells while it goes on, and what it answers.

import type { SigningKey } from "../../evidence/signingKey.js";
import type { Sid } from "../../format/ids.js";
import type { CheckResult, Outcome, RestoreTestRecord, TestTrigger } from "../../format/restoreTestRecord.js";
import type { RemovedLeftovers } from "../../hypervisor/leftovers.js";
import type { Catalog } from "../../repository/catalog.js";
import type { Repository } from "../../repository/repository.js";
import type { OnWarning } from "../../repository/warnings.js";
import type { ObservedArtifact } from "../checks/check.js";
import type { DrillFaultName } from "../drill/drillFaults.js";
import type { RestoreTestSpec } from "../spec/restoreTestSpec.js";

export interface TestRequest {
  repository: Repository;
  catalog: Catalog;
  spec: RestoreTestSpec;
  /** Of the file, as it is named in the record; its SHA-256 in hex. */
  specPath: string;
  specDigest: string;
  /** Of the repository, without secrets. */
  location: string;
  trigger: TestTrigger;
  /** Where the run can be looked at, or null. */
  url: string | null;
  /** Who runs it: a user, a pipeline. */
  executedBy: string;
  /** Where folders of runs are made; also looked through for what a killed run has left. */
  runsFolder: string;
  signingKeys: readonly SigningKey[];
  /** Write the records into the repository. */
  store: boolean;
  /** Where a failed machine's overlays go when its spec keeps them, one folder a machine; null: nowhere. */
  keepFolder: string | null;
  /** A fault that is put between the backup and the test, which must then notice it; null: the real thing. */
  drill: DrillFaultName | null;
  /** Only these checks beside those that the level implies; null: all. */
  only: readonly string[] | null;
}

export type TestEvent =
  | { event: "machine-started"; machine: string; snapshot: string; sid: Sid; level: string }
  | { event: "phase"; machine: string; phase: string; state: "started" | "finished"; durationMs: number | null }
  | { event: "check"; machine: string; result: CheckResult }
  | { event: "machine-finished"; machine: string; outcome: Outcome; reason: string };

export interface TestOptions {
  signal: AbortSignal;
  onEvent: (event: TestEvent) => void;
  /** Each line of a machine's serial console, without escapes and control characters, as soon as it is complete. */
  onConsoleLine?: (machine: string, line: string) => void;
  onWarning: OnWarning;
}

export interface MachineReport {
  record: RestoreTestRecord;
  /** DSSE envelopes, when there was a key to sign with. */
  envelopes: readonly string[];
  /** Screenshots, the serial log: their digests are in the record. */
  artifacts: readonly ObservedArtifact[];
  /** The record's name in the repository, or null. */
  storedAs: Sid | null;
}

export interface TestReport {
  runId: Sid;
  machines: readonly MachineReport[];
  /** Machines without a snapshot that could be chosen: there is nothing a record could speak of. */
  untested: readonly { machine: string; error: unknown }[];
  /** What a killed run had left and this one has removed. */
  leftovers: RemovedLeftovers;
}
