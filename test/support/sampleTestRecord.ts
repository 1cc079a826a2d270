// A complete record of a restore test that passed at level "serves", to be changed by tests.

import type { CheckResult, RestoreTestRecord } from "../../core/format/restoreTestRecord.js";

export const sampleDigest = "ab".repeat(32);
export const testedAtMs = Date.UTC(2026, 10, 22, 3, 30);

export function sampleCheck(id: string, change: Partial<CheckResult> = {}): CheckResult {
  return {
    id,
    type: "serial",
    severity: "fail",
    outcome: "passed",
    expected: "the text /ready/",
    observed: "ready",
    reason: null,
    startMs: 12_000,
    durationMs: 34,
    attempts: 1,
    line: 17,
    artifacts: ["serial.log"],
    ...change,
  };
}

/** One of each type that a level needs for being proven. */
export function provingChecks(): CheckResult[] {
  const implied = ["chunks", "partition-table", "filesystem"].map((type) => sampleCheck(`level.${type}`, { type }));
  return [
    ...implied,
    sampleCheck("ready", { type: "ready" }),
    sampleCheck("http", { type: "http", line: null, artifacts: [] }),
  ];
}

export function sampleTestRecord(change: Partial<RestoreTestRecord> = {}): RestoreTestRecord {
  return {
    schema: "restore-test/v1",
    recordId: "11".repeat(16),
    runId: "22".repeat(16),
    previous: null,
    tool: { name: "reprise", version: "0.1.0" },
    asset: { machine: "vm/web1", name: "Web", owner: "ops", criticality: "high", controls: ["ISO27001:A.8.13"] },
    plan: {
      spec: "restore-tests/web.yaml",
      specDigest: "cd".repeat(32),
      description: "the shop answers",
      trigger: "scheduled",
      level: "serves",
      url: "https://ci.example.com/runs/7",
    },
    backup: {
      repositoryId: "33".repeat(16),
      location: "s3:https://s3.example.com/backups/lab",
      snapshotId: "44".repeat(16),
      manifestDigest: sampleDigest,
      startedAt: "2026-11-21T02:00:00Z",
      finishedAt: "2026-11-21T02:03:04Z",
      mode: "offline",
      consistency: "crash",
      sizeBytes: 1_073_741_824,
      storedBytes: 400_000_000,
      encrypted: true,
      keyId: "0123456789abcdef",
    },
    environment: {
      executedBy: "runner",
      host: "runner-1",
      node: "v24.0.0",
      hypervisor: "QEMU 7.2.0",
      accelerator: "tcg",
      acceleratorReason: "no /dev/kvm",
      hardware: ["pc-q35-7.2", "512 MiB"],
      deviations: ["no second network card"],
    },
    isolation: {
      network: "isolated",
      proofs: [{ what: "the host's loopback", outcome: "held", observed: "connection refused" }],
    },
    times: {
      startedAt: "2026-11-22T03:00:00.000Z",
      finishedAt: new Date(testedAtMs).toISOString(),
      phases: [{ name: "power-on", startMs: 100, durationMs: 20 }],
      rto: [{ way: "instant", restoreMs: 0, bootMs: 20_000, serveMs: 25_000, totalMs: 45_000 }],
      rpoMs: 90_000,
      objectives: { rtoMs: 60_000, rtoMet: true, rpoMs: null, rpoMet: null },
    },
    coverage: {
      disks: 1,
      disksTotal: 2,
      bytesVerified: 1_000,
      bytesTotal: 2_000,
      chunksVerified: 10,
      volumesOpened: 2,
      notTested: ["disk data"],
    },
    checks: provingChecks(),
    result: { outcome: "passed", provenLevel: "serves", reason: "all checks passed", deviations: [] },
    simulated: false,
    integrity: {
      artifacts: [{ name: "serial.log", mediaType: "text/plain", bytes: 1234, sha256: "ef".repeat(32) }],
      teardown: { confirmed: true, observed: "no process is left" },
      disposal: { confirmed: true, observed: "the run folder is gone" },
    },
    ...change,
  };
}

/** As it would be with this outcome: the result and one check that explains it. */
export function recordWithOutcome(outcome: "passed" | "warned" | "failed" | "inconclusive"): RestoreTestRecord {
  const record = sampleTestRecord();
  const provenLevel = outcome === "passed" || outcome === "warned" ? "serves" : "boots";
  const severity = outcome === "warned" ? ("warn" as const) : ("fail" as const);
  return {
    ...record,
    checks: [
      ...provingChecks().map((check) => (check.type === "http" ? { ...check, outcome, severity } : check)),
      ...(outcome === "warned" ? [sampleCheck("port", { type: "tcp" })] : []),
    ],
    result: { outcome, provenLevel, reason: `the check http ${outcome}`, deviations: [] },
  };
}

/** Ended `afterMs` after the sample did. */
export function endingLater(record: RestoreTestRecord, afterMs: number): RestoreTestRecord {
  return { ...record, times: { ...record.times, finishedAt: new Date(testedAtMs + afterMs).toISOString() } };
}
