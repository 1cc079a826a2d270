import assert from "node:assert/strict";
import { folder } from "../../core/format/ids.js";
import type { JobReport } from "../../core/jobReport/jobReport.js";
import { configStatus, repositoryStatus } from "../../core/jobs/status.js";
import { storeTestRecord } from "../../core/restoreTest/storedRecords.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";
import { DAY, HOUR, JobWorld } from "./jobWorld.js";

const MINUTE = 60_000;

const CONFIG = `
repositories: { main: { location: memory }, spare: { location: env:SPARE } }
machines:
  vm/a: { disks: a.raw, owner: team-a, criticality: high }
  vm/b: { disks: b.raw }
jobs:
  nightly: { backup: [vm/a, vm/b], repository: main, schedule: 02:00 }
  quarterly: { backup: vm/b, repository: spare, schedule: "*:0/15" }
  proof: { restore-test: all, repository: main, schedule: sat 04:00 }
restore-tests:
  - { name: web, machine: vm/a, objectives: { rto: 15m } }
`;

describe("status of machines", function () {
  this.timeout(30_000);
  let world: JobWorld;
  beforeEach(async () => {
    world = await JobWorld.make(CONFIG);
  });
  afterEach(() => world.close());

  async function status(machines: string[] = []): Promise<JobReport> {
    const [main] = await configStatus(world.config, { machines, url: null }, world.options);
    assert.ok(main);
    return main;
  }

  const lines = ({ machines }: JobReport) => machines.map(({ machine, outcome, reason }) => [machine, outcome, reason]);

  /** Of the newest snapshot of vm/a, ended now. */
  async function test(outcome: "passed" | "failed" | "inconclusive"): Promise<void> {
    const { snapshots, records } = await world.main.catalog();
    const snapshot = snapshots.filter(({ manifest }) => manifest.group === "vm/a").at(-1)!;
    const sample = recordWithOutcome(outcome);
    const [startedAt, finishedAt] = [world.nowMs - MINUTE, world.nowMs].map((ms) => new Date(ms).toISOString());
    const record = {
      ...sample,
      recordId: world.nowMs.toString(16).padStart(32, "0"),
      asset: { ...sample.asset, machine: "vm/a", name: "web" },
      times: { ...sample.times, startedAt: startedAt!, finishedAt: finishedAt! },
      backup: { ...sample.backup, snapshotId: snapshot.sid, manifestDigest: snapshot.digest },
    };
    await storeTestRecord(world.main.repository, snapshot, record, [], records);
  }

  it("fails for a machine without the backup that its job should make", async () => {
    const report = await status();
    assert.equal(report.outcome, "failed");
    assert.deepEqual(
      lines(report).map(([machine, outcome]) => [machine, outcome]),
      [
        ["vm/a", "failed"],
        ["vm/b", "failed"],
      ],
    );
    const [problem] = report.problems;
    assert.deepEqual([problem?.code, problem?.machine, problem?.line], ["MACHINE_NOT_COVERED", "vm/a", 4]);
  });

  it("gives a run time to end, and then counts it as missing", async () => {
    await world.run("nightly");
    world.pass(DAY);
    assert.equal((await status(["vm/b"])).outcome, "passed", "due since this minute");
    world.pass(6 * HOUR - MINUTE);
    assert.equal((await status(["vm/b"])).outcome, "passed");
    world.pass(2 * MINUTE);
    const report = await status(["vm/b"]);
    assert.equal(report.outcome, "failed");
    assert.match(report.machines[0]?.reason ?? "", /a backup by the job nightly is due since 2026-11-22 02:00:00 UTC/);
  });

  it("asks for backups every fifteen minutes where they are promised", async () => {
    const spareOf = async () => (await configStatus(world.config, { machines: [], url: null }, world.options))[1];
    await world.run("quarterly");
    world.pass(29 * MINUTE);
    assert.equal((await spareOf())?.outcome, "passed", "15 minutes to the next, and as much for it to end");
    world.pass(3 * MINUTE);
    assert.equal((await spareOf())?.outcome, "failed");
  });

  it("knows what was tested, and how long recovery took", async () => {
    await world.run("nightly");
    await test("passed");
    const report = await status(["vm/a"]);
    const { lastTest, owner, criticality, newest } = report.machines[0]?.state ?? {};
    assert.deepEqual([owner, criticality, newest?.ageMs], ["team-a", "high", 0]);
    assert.deepEqual([lastTest?.outcome, lastTest?.provenLevel, lastTest?.ofNewest], ["passed", "serves", true]);
    assert.equal(report.trends[0]?.rtoObjectiveMs, 15 * MINUTE);
    assert.match(report.machines[0]?.reason ?? "", /backed up 0 min ago, proven \(serves\) 0 min ago/);
    world.pass(HOUR);
    await world.run("nightly");
    const later = await status(["vm/a"]);
    assert.equal(later.machines[0]?.state?.lastTest?.ofNewest, false);
  });

  it("fails after a restore test that failed, and warns of one that could not tell", async () => {
    await world.run("nightly");
    await test("inconclusive");
    assert.equal((await status(["vm/a"])).outcome, "warned");
    world.pass(MINUTE);
    await test("failed");
    const report = await status(["vm/a"]);
    assert.equal(report.outcome, "failed");
    assert.match(report.machines[0]?.reason ?? "", /its last restore test failed: the check http failed/);
  });

  it("warns of a restore test that is overdue", async () => {
    world.pass(9 * HOUR);
    await world.run("nightly");
    const report = await status(["vm/a"]);
    assert.deepEqual(lines(report), [
      ["vm/a", "warned", "a restore test by the job proof is due since 2026-11-21 04:00:00 UTC"],
    ]);
  });

  it("warns of a restore test that was never made, at any minute of the hour", async () => {
    await world.close();
    world = await JobWorld.make(CONFIG.replace("sat 04:00", '"*:0/15"'));
    await world.run("nightly");
    for (let minutes = 0; minutes < 60; minutes += 7) {
      world.pass(7 * MINUTE);
      assert.match((await status(["vm/a"])).machines[0]?.reason ?? "", /a restore test by the job proof is due since/);
    }
  });

  it("fails when the newest snapshot is damaged", async () => {
    await world.run("nightly");
    for await (const { key } of world.main.backend.list(folder.packs)) {
      const bytes = await world.main.backend.get(key);
      bytes.fill(0, Math.floor(bytes.length / 4), Math.floor(bytes.length / 2));
      await world.main.backend.put(key, bytes);
    }
    await world.main.verify({ record: true });
    const report = await status();
    assert.equal(report.outcome, "failed");
    assert.ok(report.machines.some(({ reason }) => reason.startsWith("its newest snapshot is damaged")));
  });

  it("distrusts a snapshot of the future", async () => {
    world.pass(DAY);
    await world.run("nightly");
    world.pass(-DAY);
    const report = await status(["vm/a"]);
    assert.equal(report.machines[0]?.outcome, "failed", "it counts for nothing, and there is no other");
    assert.match(report.machines[0]?.reason ?? "", /its newest snapshot claims to be of 24 h 00 min in the future/);
  });

  it("shows machines that are in no job, and expects nothing of them", async () => {
    await world.run("nightly");
    await world.main.backUp("vm/other", { disk: new Uint8Array(10_000).fill(1) });
    const report = await status();
    assert.deepEqual(
      report.machines.map(({ machine }) => machine),
      ["vm/a", "vm/b", "vm/other"],
    );
    assert.equal(report.machines[2]?.outcome, "passed");
  });

  it("of a repository that cannot be read says so for every machine", async () => {
    const open = () => Promise.reject(new Error("no route"));
    const request = { config: world.config, repository: "main", machines: [], url: null };
    const report = await repositoryStatus(request, open, world.options);
    assert.deepEqual(
      [report.outcome, report.machines.map(({ outcome }) => outcome)],
      ["failed", ["inconclusive", "inconclusive"]],
    );
    assert.match(report.verdict, /no route/);
  });
});
