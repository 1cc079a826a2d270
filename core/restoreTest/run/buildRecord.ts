// From what a run has gathered to the record of one machine. Pure, but for what it is given.

import { createHash } from "node:crypto";
import { judge } from "../../evidence/testVerdict.js";
import { qualifiedGroup } from "../../format/manifest.js";
import type { Artifact, CheckResult, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { RECORD_SCHEMA } from "../../format/restoreTestRecord.js";
import { mapTexts } from "../../report/mapTexts.js";
import type { Snapshot } from "../../repository/catalog.js";
import type { ObservedArtifact } from "../checks/check.js";
import type { MachineTest } from "../spec/restoreTestSpec.js";
import { objectiveResults } from "./ownResults.js";
import type { TestRequest } from "./testRequest.js";
import type { Timeline } from "./timeline.js";

/** Everything that a run knows of one machine when all is over. */
export interface RunFacts {
  request: TestRequest;
  test: MachineTest;
  runId: string;
  recordId: string;
  snapshot: Snapshot;
  /** Why this snapshot, and what is known against it. */
  choice: string[];
  timeline: Timeline;
  results: readonly CheckResult[];
  artifacts: readonly ObservedArtifact[];
  hypervisor: RestoreTestRecord["environment"]["hypervisor"];
  accelerator: { kind: string; reason: string } | null;
  hardware: string[];
  deviations: string[];
  network: RestoreTestRecord["isolation"]["network"];
  proofs: RestoreTestRecord["isolation"]["proofs"];
  rto: RestoreTestRecord["times"]["rto"];
  coverage: Omit<RestoreTestRecord["coverage"], "disksTotal" | "bytesTotal">;
  simulated: boolean;
  teardown: { confirmed: boolean; observed: string };
  disposal: { confirmed: boolean; observed: string };
}

/** `previous`: digest of the machine's record before this one. */
export function buildRecord(facts: RunFacts, previous: string | null): RestoreTestRecord {
  const { shownLocation, backend } = facts.request.repository;
  const record = recordOf(facts, previous);
  if (shownLocation === backend.location) return record;
  // reasons that are errors of the storage name the place
  return mapTexts(record, (text) => text.replaceAll(backend.location, shownLocation));
}

function recordOf(facts: RunFacts, previous: string | null): RestoreTestRecord {
  const { request, test, snapshot, timeline } = facts;
  const times = timesOf(facts);
  const checks = [...facts.results, ...objectiveResults(times, timeline.elapsed())];
  const verdict = judge({ level: test.level, simulated: facts.simulated, checks });
  const images = snapshot.manifest.archives.filter(({ kind }) => kind === "image");
  return {
    schema: RECORD_SCHEMA,
    recordId: facts.recordId,
    runId: facts.runId,
    previous,
    tool: request.repository.environment.tool,
    asset: assetOf(facts),
    plan: planOf(facts),
    backup: backupOf(facts),
    environment: {
      executedBy: request.executedBy,
      host: request.repository.environment.host,
      node: process.version,
      hypervisor: facts.hypervisor,
      accelerator: facts.accelerator?.kind ?? null,
      acceleratorReason: facts.accelerator?.reason ?? null,
      hardware: facts.hardware,
      deviations: facts.deviations,
    },
    isolation: { network: facts.network, proofs: facts.proofs },
    times,
    coverage: {
      ...facts.coverage,
      disksTotal: images.length,
      bytesTotal: snapshot.manifest.archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
    checks,
    result: { ...verdict, deviations: facts.choice },
    simulated: facts.simulated,
    integrity: {
      artifacts: facts.artifacts.map(describeArtifact),
      teardown: facts.teardown,
      disposal: facts.disposal,
    },
  };
}

export function describeArtifact({ name, mediaType, bytes }: ObservedArtifact): Artifact {
  return { name, mediaType, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

function assetOf({ request, snapshot }: RunFacts): RestoreTestRecord["asset"] {
  const { name, owner, criticality, controls } = request.spec;
  const machine = qualifiedGroup(snapshot.manifest.namespace, snapshot.manifest.group);
  return { machine, name, owner, criticality, controls: [...controls] };
}

function planOf({ request, test }: RunFacts): RestoreTestRecord["plan"] {
  const { specPath, specDigest, trigger, url, spec } = request;
  return { spec: specPath, specDigest, description: spec.description, trigger, level: test.level, url };
}

function backupOf({ request, snapshot }: RunFacts): RestoreTestRecord["backup"] {
  const { manifest, sid, digest } = snapshot;
  const { repository } = request;
  return {
    repositoryId: repository.config.repositoryId,
    location: request.location,
    snapshotId: sid,
    manifestDigest: digest,
    startedAt: manifest.time,
    finishedAt: manifest.finishedAt,
    mode: manifest.mode,
    consistency: manifest.consistency,
    sizeBytes: manifest.archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    storedBytes: manifest.statistics.bytesStored,
    encrypted: repository.keyring !== null,
    keyId: repository.keyring?.keyIdHex ?? null,
  };
}

function timesOf({ test, snapshot, timeline, rto }: RunFacts): RestoreTestRecord["times"] {
  const rpoMs = Math.max(0, timeline.startedAtMs - snapshot.timeMs);
  const { objectives } = test;
  // Whoever must be back in time takes the faster way.
  const best = rto.length === 0 ? null : Math.min(...rto.map(({ totalMs }) => totalMs));
  return {
    startedAt: timeline.iso(0),
    finishedAt: timeline.iso(timeline.elapsed()),
    phases: [...timeline.phases].sort((a, b) => a.startMs - b.startMs),
    rto,
    rpoMs,
    objectives: {
      rtoMs: objectives.rtoMs,
      rtoMet: objectives.rtoMs === null || best === null ? null : best <= objectives.rtoMs,
      rpoMs: objectives.rpoMs,
      rpoMet: objectives.rpoMs === null ? null : rpoMs <= objectives.rpoMs,
    },
  };
}
