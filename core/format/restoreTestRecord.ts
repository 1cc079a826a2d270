// What a restore test leaves: one record for each machine, complete enough for an auditor. docs/format/restore-test-record.md.
// Times are ISO 8601 UTC, durations whole milliseconds. Records come from whoever can write to the repository or hand over an
// envelope: everything in them is bounded and checked here.

import { formatError, unsupportedVersion } from "./bytes.js";
import { encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import { KIB } from "./limits.js";

/** What a test proves, each including the ones before. */
export const TEST_LEVELS = ["intact", "readable", "boots", "serves"] as const;
export type TestLevel = (typeof TEST_LEVELS)[number];

export const SEVERITIES = ["fail", "warn", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const OUTCOMES = ["passed", "warned", "failed", "inconclusive", "skipped"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const RECORD_SCHEMA = "restore-test/v1";
/** Canonical JSON of one record, in bytes. */
export const MAX_TEST_RECORD_BYTES = 256 * KIB;

export interface RestoreTestRecord {
  /** "restore-test/v1" */
  schema: string;
  /** Random, 32 hex digits; one run may test several machines. */
  recordId: string;
  /** 32 hex digits. */
  runId: string;
  /** SHA-256 of the canonical JSON of the machine's record before this one; null: the first. */
  previous: string | null;
  tool: { name: string; version: string };
  asset: { machine: string; name: string; owner: string; criticality: string; controls: string[] };
  plan: {
    spec: string;
    specDigest: string;
    description: string;
    trigger: TestTrigger;
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
    network: (typeof TEST_NETWORKS)[number];
    /** Each with what was seen. */
    proofs: { what: string; outcome: (typeof PROOF_OUTCOMES)[number]; observed: string }[];
  };
  times: {
    startedAt: string;
    finishedAt: string;
    /** In order: restore, power-on, firmware, ready, each check, teardown. */
    phases: Phase[];
    /** Instant: power-on straight from the repository until it served. Restored: with the full restore before it. */
    rto: { way: (typeof RTO_WAYS)[number]; restoreMs: number; bootMs: number; serveMs: number; totalMs: number }[];
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

const TEST_TRIGGERS = ["manual", "scheduled", "pipeline", "drill"] as const;
export type TestTrigger = (typeof TEST_TRIGGERS)[number];
const TEST_NETWORKS = ["none", "isolated", "not-started"] as const;
const PROOF_OUTCOMES = ["held", "broken", "not-probed"] as const;
const RTO_WAYS = ["instant", "restored"] as const;
const RESULT_OUTCOMES = ["passed", "warned", "failed", "inconclusive"] as const;

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

export const MAX_RECORD_NAME_CHARS = 300;
export const MAX_RECORD_TEXT_CHARS = 8_000;
/** Elements of a list of texts. */
export const MAX_RECORD_WORDS = 500;
/** A namespace of eight safe ids and a group: docs/format/manifest.md. */
const MAX_MACHINE_CHARS = 1_200;
const MAX_NAME = MAX_RECORD_NAME_CHARS;
const MAX_TEXT = MAX_RECORD_TEXT_CHARS;
const MAX_WORDS = MAX_RECORD_WORDS;
const MAX_CHECKS = 1_000;
const MAX_PHASES = 3_000;
const MAX_ARTIFACTS = 2_000;
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/**
 * The record as the JSON that is stored, signed and hashed. FORMAT_INVALID for one that decodeRestoreTestRecord would not take
 * (too long, a fraction of a millisecond).
 */
export function encodeRestoreTestRecord(record: RestoreTestRecord): JsonValue {
  const value = record as unknown as JsonValue;
  decodeRestoreTestRecord(value, "restore test record");
  return value;
}

/** FORMAT_INVALID, UNSUPPORTED_VERSION. Members that are not of this version are left out of the answer. */
export function decodeRestoreTestRecord(value: JsonValue, what: string): RestoreTestRecord {
  const { length } = encodeCanonicalJson(value);
  if (length > MAX_TEST_RECORD_BYTES)
    throw formatError(what, `has ${length} bytes, more than ${MAX_TEST_RECORD_BYTES}`);
  const fields = new Fields(value, what);
  const schema = fields.string("schema", MAX_NAME);
  if (schema !== RECORD_SCHEMA) throw unsupportedVersion(what, schema);
  return {
    schema,
    recordId: fields.hex("recordId", 16),
    runId: fields.hex("runId", 16),
    previous: fields.raw("previous") === null ? null : fields.hex("previous", 32),
    tool: decodeTool(fields.object("tool")),
    asset: decodeAsset(fields.object("asset")),
    plan: decodePlan(fields.object("plan")),
    backup: decodeBackup(fields.object("backup")),
    environment: decodeEnvironment(fields.object("environment")),
    isolation: decodeIsolation(fields.object("isolation")),
    times: decodeTimes(fields.object("times")),
    coverage: decodeCoverage(fields.object("coverage")),
    checks: objects(fields, "checks", MAX_CHECKS).map(decodeCheck),
    result: decodeResult(fields.object("result")),
    simulated: fields.boolean("simulated"),
    integrity: decodeIntegrity(fields.object("integrity")),
  };
}

function decodeTool(fields: Fields): RestoreTestRecord["tool"] {
  return { name: fields.string("name", MAX_NAME), version: fields.string("version", MAX_NAME) };
}

function decodeAsset(fields: Fields): RestoreTestRecord["asset"] {
  return {
    machine: fields.string("machine", MAX_MACHINE_CHARS),
    name: fields.string("name", MAX_NAME),
    owner: fields.string("owner", MAX_NAME),
    criticality: fields.string("criticality", MAX_NAME),
    controls: fields.strings("controls", MAX_WORDS, MAX_NAME),
  };
}

function decodePlan(fields: Fields): RestoreTestRecord["plan"] {
  return {
    spec: fields.string("spec", MAX_TEXT),
    specDigest: fields.hex("specDigest", 32),
    description: fields.string("description", MAX_TEXT),
    trigger: fields.oneOf("trigger", TEST_TRIGGERS),
    level: fields.oneOf("level", TEST_LEVELS),
    url: fields.nullableString("url", MAX_TEXT),
  };
}

function decodeBackup(fields: Fields): RestoreTestRecord["backup"] {
  return {
    repositoryId: fields.sid("repositoryId"),
    location: fields.string("location", MAX_TEXT),
    snapshotId: fields.sid("snapshotId"),
    manifestDigest: fields.hex("manifestDigest", 32),
    startedAt: fields.instant("startedAt"),
    finishedAt: fields.instant("finishedAt"),
    mode: fields.string("mode", MAX_NAME),
    consistency: fields.string("consistency", MAX_NAME),
    sizeBytes: count(fields, "sizeBytes"),
    storedBytes: count(fields, "storedBytes"),
    encrypted: fields.boolean("encrypted"),
    keyId: fields.nullableString("keyId", MAX_NAME),
  };
}

function decodeEnvironment(fields: Fields): RestoreTestRecord["environment"] {
  return {
    executedBy: fields.string("executedBy", MAX_NAME),
    host: fields.string("host", MAX_NAME),
    node: fields.string("node", MAX_NAME),
    hypervisor: fields.nullableString("hypervisor", MAX_NAME),
    accelerator: fields.nullableString("accelerator", MAX_NAME),
    acceleratorReason: fields.nullableString("acceleratorReason", MAX_TEXT),
    hardware: fields.strings("hardware", MAX_WORDS, MAX_TEXT),
    deviations: fields.strings("deviations", MAX_WORDS, MAX_TEXT),
  };
}

function decodeIsolation(fields: Fields): RestoreTestRecord["isolation"] {
  return {
    network: fields.oneOf("network", TEST_NETWORKS),
    proofs: objects(fields, "proofs", MAX_WORDS).map((proof) => ({
      what: proof.string("what", MAX_TEXT),
      outcome: proof.oneOf("outcome", PROOF_OUTCOMES),
      observed: proof.string("observed", MAX_TEXT),
    })),
  };
}

function decodeTimes(fields: Fields): RestoreTestRecord["times"] {
  const objectives = fields.object("objectives");
  return {
    startedAt: fields.instant("startedAt"),
    finishedAt: fields.instant("finishedAt"),
    phases: objects(fields, "phases", MAX_PHASES).map((phase) => ({
      name: phase.string("name", MAX_NAME),
      startMs: count(phase, "startMs"),
      durationMs: count(phase, "durationMs"),
    })),
    rto: objects(fields, "rto", RTO_WAYS.length).map((rto) => ({
      way: rto.oneOf("way", RTO_WAYS),
      restoreMs: count(rto, "restoreMs"),
      bootMs: count(rto, "bootMs"),
      serveMs: count(rto, "serveMs"),
      totalMs: count(rto, "totalMs"),
    })),
    // negative: the clocks of the source and of the runner disagree
    rpoMs: fields.integer("rpoMs", -MAX_COUNT, MAX_COUNT),
    objectives: {
      rtoMs: orNull(objectives, "rtoMs", count),
      rtoMet: orNull(objectives, "rtoMet", truth),
      rpoMs: orNull(objectives, "rpoMs", count),
      rpoMet: orNull(objectives, "rpoMet", truth),
    },
  };
}

function decodeCoverage(fields: Fields): RestoreTestRecord["coverage"] {
  return {
    disks: count(fields, "disks"),
    disksTotal: count(fields, "disksTotal"),
    bytesVerified: count(fields, "bytesVerified"),
    bytesTotal: count(fields, "bytesTotal"),
    chunksVerified: count(fields, "chunksVerified"),
    volumesOpened: count(fields, "volumesOpened"),
    notTested: fields.strings("notTested", MAX_WORDS, MAX_TEXT),
  };
}

function decodeCheck(fields: Fields): CheckResult {
  return {
    id: fields.string("id", MAX_NAME),
    type: fields.string("type", MAX_NAME),
    severity: fields.oneOf("severity", SEVERITIES),
    outcome: fields.oneOf("outcome", OUTCOMES),
    expected: fields.string("expected", MAX_TEXT),
    observed: fields.string("observed", MAX_TEXT),
    reason: fields.nullableString("reason", MAX_TEXT),
    startMs: count(fields, "startMs"),
    durationMs: count(fields, "durationMs"),
    attempts: count(fields, "attempts"),
    line: orNull(fields, "line", count),
    artifacts: fields.strings("artifacts", MAX_WORDS, MAX_NAME),
  };
}

function decodeResult(fields: Fields): RestoreTestRecord["result"] {
  return {
    outcome: fields.oneOf("outcome", RESULT_OUTCOMES),
    provenLevel: orNull(fields, "provenLevel", (from, name) => from.oneOf(name, TEST_LEVELS)),
    reason: fields.string("reason", MAX_TEXT),
    deviations: fields.strings("deviations", MAX_WORDS, MAX_TEXT),
  };
}

function decodeIntegrity(fields: Fields): RestoreTestRecord["integrity"] {
  const confirmation = (part: Fields) => ({
    confirmed: part.boolean("confirmed"),
    observed: part.string("observed", MAX_TEXT),
  });
  return {
    artifacts: objects(fields, "artifacts", MAX_ARTIFACTS).map((artifact) => ({
      name: artifact.string("name", MAX_NAME),
      mediaType: artifact.string("mediaType", MAX_NAME),
      bytes: count(artifact, "bytes"),
      sha256: artifact.hex("sha256", 32),
    })),
    teardown: confirmation(fields.object("teardown")),
    disposal: confirmation(fields.object("disposal")),
  };
}

function objects(fields: Fields, name: string, maxCount: number): Fields[] {
  return fields.array(name, maxCount).map((value, index) => new Fields(value, `${fields.what}.${name}[${index}]`));
}

function count(fields: Fields, name: string): number {
  return fields.integer(name, 0, MAX_COUNT);
}

function truth(fields: Fields, name: string): boolean {
  return fields.boolean(name);
}

function orNull<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T): T | null {
  return fields.raw(name) === null ? null : read(fields, name);
}
