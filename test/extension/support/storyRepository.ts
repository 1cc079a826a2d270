// The repository of the story: three machines that really boot, two weeks of backups. Disks, changes, backups and restore tests are
// real; only the days are made up.

import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { backUp } from "../../../core/backup/backup.js";
import { InputDisks } from "../../../core/backup/inputDisks.js";
import { DEFAULT_CHUNKER } from "../../../core/chunking/chunkerParams.js";
import type { JobRecordData } from "../../../core/format/jobRecord.js";
import { defaultRunBase } from "../../../core/hypervisor/runFolder.js";
import { loadCatalog } from "../../../core/repository/catalog.js";
import { initRepository } from "../../../core/repository/initRepository.js";
import { writeRecord } from "../../../core/repository/records.js";
import { type Repository, systemEnvironment } from "../../../core/repository/repository.js";
import { rescueFiles } from "../../../core/repository/rescueFiles.js";
import { runRestoreTest } from "../../../core/restoreTest/run/runRestoreTest.js";
import { readRestoreTestSpec } from "../../../core/restoreTest/spec/readSpec.js";
import { openBackend } from "../../../core/storage/openBackend.js";
import { verifyRepository } from "../../../core/verify/verify.js";
import { copyTinyGuest } from "../../fixtures/guests.js";
import { changeGuest } from "./guestFiles.js";
import { DAYS, MACHINES, type StoryMachine } from "./storyMachines.js";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** How old the newest snapshots are. */
const AGE_MS = 3 * 60 * MINUTE_MS;
const HOST = "hv1";

/** Restore tests that were made on the way. To `readable` nothing is started. */
const TESTED = [
  { machine: "vm/db1", day: 5, level: "readable" },
  { machine: "vm/web1", day: 7, level: "serves" },
  { machine: "vm/web1", day: 11, level: "serves" },
] as const;

interface Story {
  repository: Repository;
  clock: { nowMs: number };
  signal: AbortSignal;
  disks: Map<StoryMachine, string>;
}

/** Makes the folder `location` a repository with that passphrase. `work` is for disks. */
export async function makeStoryRepository(location: string, passphrase: string, work: string): Promise<void> {
  const { signal } = new AbortController();
  const endMs = Date.now();
  const clock = { nowMs: endMs - AGE_MS - (DAYS - 1) * DAY_MS };
  const system = systemEnvironment("0.1.0");
  const environment = { ...system, host: HOST, now: () => clock.nowMs, heartbeatMs: 0 };
  const backend = await openBackend(location, { signal, create: true });
  const chunker = { ...DEFAULT_CHUNKER, minBytes: 65_536, averageBytes: 262_144, maxBytes: 1_048_576 };
  const made = { passphrase, chunker, environment, cacheFolder: null, rescue: rescueFiles(), signal };
  try {
    const { repository } = await initRepository(backend, made);
    const disks = new Map(MACHINES.map((machine) => [machine, join(work, `${machine.guest.hostname}.raw`)]));
    const story: Story = { repository, clock, signal, disks };
    for (const [machine, disk] of disks) await copyTinyGuest(disk, machine.guest);
    for (let day = 0; day < DAYS; day++) await makeDay(story, day, endMs - AGE_MS - (DAYS - 1 - day) * DAY_MS);
    clock.nowMs = endMs - AGE_MS + 20 * MINUTE_MS;
    const all = { snapshots: null, readData: true, ignoreVerified: false, outdatedAfterMs: null, subset: null };
    await verifyRepository(repository, { ...all, record: true }, quiet(signal));
    for (const disk of disks.values()) await rm(disk);
  } finally {
    await backend.close();
  }
}

async function makeDay(story: Story, day: number, startMs: number): Promise<void> {
  const { clock, disks } = story;
  for (const [i, [machine, disk]] of [...disks].entries()) {
    clock.nowMs = startMs - DAY_MS / 2;
    await changeGuest(disk, { ...machine.files(day), atMs: clock.nowMs });
    clock.nowMs = startMs + i * 2 * MINUTE_MS;
    await backUpDisk(story, machine, disk, day);
  }
  await recordNight(story, startMs);
  for (const tested of TESTED.filter((each) => each.day === day)) {
    clock.nowMs += 60 * MINUTE_MS;
    await testMachine(story, tested);
  }
}

async function backUpDisk({ repository, signal }: Story, machine: StoryMachine, disk: string, day: number) {
  const { group, namespace } = machine;
  const opened = await InputDisks.open([{ name: "sda", path: disk, format: "raw", allowBackingFiles: false }], {
    signal,
  });
  try {
    await backUp(
      repository,
      {
        ...{ group, namespace, files: [], disks: opened.inputs, dryRun: false, lanes: 1 },
        ...{ tags: machine.tags(day), notes: "", protected: group === "vm/web1" && day === 9 },
        codec: { codec: "zstd", level: 3 },
      },
      quiet(signal),
    );
  } finally {
    await opened.close();
  }
}

async function recordNight({ repository, clock, signal }: Story, startMs: number): Promise<void> {
  const { snapshots, records } = await loadCatalog(repository, quiet(signal));
  const newest = snapshots.slice(-MACHINES.length);
  const data: JobRecordData = {
    ...{ job: "nightly", command: "backup", outcome: "passed", trigger: "scheduled", host: HOST },
    ...{ scheduledFor: new Date(startMs).toISOString(), partial: false, slice: null },
    startedAt: new Date(startMs).toISOString(),
    finishedAt: new Date(clock.nowMs + MINUTE_MS).toISOString(),
    machines: newest.map(({ sid, manifest }) => ({ machine: manifest.group, outcome: "passed", snapshot: sid })),
  };
  await writeRecord(repository, { type: "job", data }, [], records, { signal });
}

async function testMachine({ repository, signal }: Story, { machine, level }: (typeof TESTED)[number]): Promise<void> {
  const text = JSON.stringify({
    ...{ apiVersion: "reprise/v1", kind: "RestoreTest", metadata: { name: machine.slice(3) } },
    spec: { machine, level, ...(level === "serves" ? SERVES : {}) },
  });
  const spec = await readRestoreTestSpec(text, "restore-test.yaml");
  const { machines } = await runRestoreTest(
    {
      ...{ repository, catalog: await loadCatalog(repository, quiet(signal)), spec, specPath: "restore-test.yaml" },
      ...{ specDigest: createHash("sha256").update(text).digest("hex"), location: "/srv/backup", trigger: "scheduled" },
      ...{ url: null, executedBy: "backup", runsFolder: defaultRunBase(), signingKeys: [], store: true },
      ...{ keepFolder: null, drill: null, only: null },
    },
    { ...quiet(signal), onEvent: () => {} },
  );
  const [{ record } = { record: undefined }] = machines;
  if (record?.result.outcome !== "passed") throw new Error(`${machine}: ${record?.result.reason ?? "not tested"}`);
}

/** As the policy below: it has to do without KVM, beside other tests. */
const SERVES = {
  hardware: { memory: "256MiB" },
  timeouts: { boot: "5m" },
  ready: { agent: true },
  checks: [{ id: "shop-answers", type: "http", path: "/cgi-bin/health", matches: '"status":"ok"' }],
};

/** The policy that a team has beside its code. */
export const storyPolicy = (location: string) => `# The backups of the shop, and what proves them.
repositories:
  main: {location: ${location}}

machines:
  vm/web1: {owner: team-web, criticality: high, disks: /dev/vg0/web1}
  vm/db1: {owner: team-data, criticality: high, disks: /dev/vg0/db1}
  prod:vm/mail: {owner: team-mail, disks: /dev/vg0/mail}

jobs:
  nightly:
    backup: all
    schedule: mon..sun 02:30
    retention: {daily: 14, weekly: 8, monthly: 12}

restore-tests:
  - name: web1
    description: the shop comes back
    machine: vm/web1
    level: serves
    objectives: {rto: 5m, rpo: 26h}
    hardware: {memory: 256MiB}
    timeouts: {boot: 5m}
    ready: {agent: true}
    checks:
      - {id: shop-answers, type: http, path: /cgi-bin/health, matches: '"status":"ok"'}
      - {id: hostname, type: file, path: /etc/hostname, matches: web1}
      - {id: certificate, type: file, path: /etc/nginx/tls/shop.pem, severity: warn}
      - {id: screen, type: screenshot}
  - name: db1
    machine: vm/db1
    level: boots
`;

function quiet(signal: AbortSignal) {
  return { signal, onWarning: () => {}, onProgress: () => {} };
}
