// A record as a run makes it, with everything in it that a report shows.

import type { CheckResult, RestoreTestRecord } from "../../../core/format/restoreTestRecord.js";
import { decodeRestoreTestRecord, encodeRestoreTestRecord } from "../../../core/format/restoreTestRecord.js";

export function sampleCheck(id: string, type: string, given: Partial<CheckResult> = {}): CheckResult {
  return {
    ...{ id, type, severity: "fail", outcome: "passed", expected: "", observed: "", reason: null },
    ...{ startMs: 0, durationMs: 100, attempts: 1, line: 12, artifacts: [], ...given },
  };
}

export function sampleRecord(change: (record: RestoreTestRecord) => void = () => {}): RestoreTestRecord {
  const record = structuredClone(SAMPLE);
  change(record);
  // A record that the repository would not take proves nothing about reports.
  return decodeRestoreTestRecord(encodeRestoreTestRecord(record), "sample");
}

const SAMPLE: RestoreTestRecord = {
  schema: "restore-test/v1",
  recordId: "5f0c2d9be1a34c6f8a7b9c0d1e2f3a4b",
  runId: "00112233445566778899aabbccddeeff",
  previous: "9f".repeat(32),
  tool: { name: "reprise", version: "0.1.0" },
  asset: {
    machine: "prod/vm/web1",
    name: "web tier, weekly",
    owner: "platform team",
    criticality: "high",
    controls: ["ISO27001:A.8.13", "NIS2:21.2.c"],
  },
  plan: {
    spec: "tests/web1.yml",
    specDigest: "ab".repeat(32),
    description: "boots in isolation and answers on its health page",
    trigger: "scheduled",
    level: "serves",
    url: "https://ci.example/runs/42",
  },
  backup: {
    repositoryId: "0123456789abcdef0123456789abcdef",
    location: "s3://backups/prod",
    snapshotId: "fedcba9876543210fedcba9876543210",
    manifestDigest: "cd".repeat(32),
    startedAt: "2026-11-21T02:00:00Z",
    finishedAt: "2026-11-21T02:07:12Z",
    mode: "snapshot",
    consistency: "filesystem",
    sizeBytes: 34_359_738_368,
    storedBytes: 9_123_456_789,
    encrypted: true,
    keyId: "a1b2c3d4",
  },
  environment: {
    executedBy: "ci@runner-7",
    host: "runner-7",
    node: "v24.21.0",
    hypervisor: "QEMU 7.2.19",
    accelerator: "tcg",
    acceleratorReason: "/dev/kvm is there, but the processor has no virtualization",
    hardware: ["q35", "2 vCPUs", "1024 MiB", "UEFI", "virtio disks"],
    deviations: ["CPU type host became max", "passed-through device 0000:01:00.0 left out"],
  },
  isolation: {
    network: "isolated",
    proofs: [
      { what: "the host's loopback from the guest", outcome: "held", observed: "connection to 10.0.2.2:38211 refused" },
      { what: "arguments of the hypervisor", outcome: "held", observed: "restrict=on, no bridge, no tap device" },
      { what: "names on the internet", outcome: "not-probed", observed: "the guest has no resolver to ask with" },
    ],
  },
  times: {
    startedAt: "2026-11-22T05:00:00.120Z",
    finishedAt: "2026-11-22T05:01:31.020Z",
    phases: [
      { name: "prepare", startMs: 0, durationMs: 1200 },
      { name: "power-on", startMs: 22_300, durationMs: 900 },
      { name: "ready", startMs: 23_200, durationMs: 41_700 },
      { name: "teardown", startMs: 88_400, durationMs: 2500 },
    ],
    rto: [{ way: "instant", restoreMs: 0, bootMs: 42_600, serveMs: 5100, totalMs: 47_700 }],
    rpoMs: 97_200_000,
    objectives: { rtoMs: 900_000, rtoMet: true, rpoMs: 86_400_000, rpoMet: false },
  },
  coverage: {
    disks: 1,
    disksTotal: 2,
    bytesVerified: 17_179_869_184,
    bytesTotal: 34_359_738_368,
    chunksVerified: 131_072,
    volumesOpened: 3,
    notTested: ["disk data1 was not attached: the spec leaves it out", "load: one request was made, not many"],
  },
  checks: [
    sampleCheck("level.chunks", "chunks", {
      ...{
        line: null,
        startMs: 1200,
        durationMs: 18_000,
        expected: "every chunk of the snapshot is stored, and undamaged",
      },
      observed: "812 packs, 9123456789 bytes read",
    }),
    sampleCheck("level.filesystem", "filesystem", {
      ...{ line: null, startMs: 19_200, durationMs: 3000 },
      expected: "every file system that can be read here opens and its root lists",
      observed: "/sda/p2: ext4, label root, 21 entries in its root (journal replayed: 12 blocks of 3 transactions)",
    }),
    sampleCheck("level.ready", "ready", {
      ...{
        line: null,
        startMs: 23_200,
        durationMs: 41_700,
        expected: "the machine starts, and shows it: a login prompt",
      },
      observed: "web1 login:",
    }),
    sampleCheck("health", "http", {
      ...{ line: 24, startMs: 65_000, durationMs: 5100, attempts: 3 },
      expected: "http://web1.example:80/health answers 200, body matching /ok/",
      observed: '200 OK\n{"status":"ok","database":"up"}',
    }),
    sampleCheck("orders", "sql", {
      ...{ line: 31, startMs: 70_100, durationMs: 2600, outcome: "failed" },
      expected: 'psql shop: select count(*) from orders answers "50000"',
      observed: "49120",
      reason: "the answer is another",
    }),
    sampleCheck("license", "script", {
      ...{ line: 40, startMs: 72_700, durationMs: 800, outcome: "inconclusive", severity: "warn" },
      expected: "./license.sh ends with 0",
      observed: "exit 2\nlicense server: no route to host",
      reason: "it ended with 2: it could not tell",
    }),
    sampleCheck("console", "serial", {
      ...{ line: 36, startMs: 73_500, durationMs: 12, outcome: "warned", severity: "warn" },
      expected: "nothing on the console matches /EXT4-fs error/",
      observed: "EXT4-fs error (device sda2): ext4_lookup:1851",
      reason: "forbidden text is on the console",
    }),
    sampleCheck("screen", "screenshot", {
      ...{ line: 44, startMs: 74_000, durationMs: 12_000, artifacts: ["screen.png"] },
      expected: "the screen shows something and stays the same for 10000 ms",
      observed: "720×400, the same for 10012 ms",
    }),
    sampleCheck("restart", "command", {
      line: 50,
      outcome: "skipped",
      attempts: 0,
      durationMs: 0,
      reason: "a check before it failed",
    }),
  ],
  result: {
    outcome: "failed",
    provenLevel: "boots",
    reason: "failed: orders (the answer is another)",
    deviations: ["the newest snapshot was chosen out of 14"],
  },
  simulated: false,
  integrity: {
    artifacts: [
      { name: "screen.png", mediaType: "image/png", bytes: 4182, sha256: "12".repeat(32) },
      { name: "serial.log", mediaType: "text/plain", bytes: 18_211, sha256: "34".repeat(32) },
    ],
    teardown: { confirmed: true, observed: "the hypervisor has ended, its folder is removed" },
    disposal: { confirmed: true, observed: "the overlay of 324 KiB was deleted" },
  },
};
