import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { RepriseError } from "../../core/errors.js";
import { readInventories } from "../../core/evidence/signedInventories.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { folder } from "../../core/format/ids.js";
import { decodeJobReport } from "../../core/jobReport/decodeJobReport.js";
import { encodeJobReport } from "../../core/jobReport/encodeJobReport.js";
import type { JobReport, MachineReportLine } from "../../core/jobReport/jobReport.js";
import { jobRecords } from "../../core/jobs/jobRecords.js";
import { planJobs } from "../../core/jobs/planRuns.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import { DAY, JobWorld } from "./jobWorld.js";

const CONFIG = `
repositories:
  main: { location: memory }
machines:
  vm/a: { disks: a.raw, owner: team-a, tags: [nightly], notes: by the job }
  vm/b: { disks: b.raw, config-files: { path: a.raw, name: extra } }
  host/c: { folders: files }
jobs:
  nightly:
    backup: [vm/a, vm/b]
    schedule: 02:00
    verify-after: data
    retention: { last: 1 }
  folders: { backup: host/c }
  check: { verify: all, read-data: true }
  rolling: { verify: all, read-data: true, slices: 3 }
  proof: { restore-test: all }
  proof-again: { restore-test: a-reads }
  clean: { prune: all, retention: { last: 1 } }
  trim: { prune: [vm/a, vm/b], retention: { last: 1 }, schedule: 02:00 }
  look: { verify: [vm/a, vm/b], schedule: 02:00 }
restore-tests:
  - { name: a-reads, machine: vm/a, level: intact }
`;

describe("jobs", function () {
  this.timeout(60_000);
  let world: JobWorld;
  beforeEach(async () => {
    world = await JobWorld.make(CONFIG);
  });
  afterEach(() => world.close());

  function lineOf({ machines }: JobReport, machine: string): MachineReportLine {
    const line = machines.find((each) => each.machine === machine);
    assert.ok(line, `there is a line for ${machine}`);
    return line;
  }

  const outcomes = ({ machines }: JobReport) => machines.map(({ machine, outcome }) => `${machine} ${outcome}`);

  it("back up every machine, verify it, and apply the retention", async () => {
    const { report } = await world.run("nightly");
    assert.equal(report.outcome, "passed", JSON.stringify(report));
    assert.deepEqual(outcomes(report), ["vm/a passed", "vm/b passed"]);
    const line = lineOf(report, "vm/a");
    assert.equal(line.backup?.sizeBytes, 300_000);
    assert.ok((line.backup?.addedBytes ?? 0) > 100_000);
    assert.deepEqual(line.verification, { level: "data", result: "ok", damagedRanges: 0 });
    const { snapshots, records } = await world.main.catalog();
    const stored = snapshots.find(({ sid }) => sid === line.snapshot?.id);
    assert.deepEqual([stored?.tags, stored?.notes, stored?.digest], [["nightly"], "by the job", line.snapshot?.digest]);
    assert.deepEqual(
      snapshots.find(({ manifest }) => manifest.group === "vm/b")?.manifest.archives.map(({ name }) => name),
      ["b", "extra"],
    );
    const [record] = jobRecords({ records });
    assert.deepEqual([record?.job, record?.outcome, record?.partial], ["nightly", "passed", false]);
    assert.deepEqual(record?.machines[0], { machine: "vm/a", outcome: "passed", snapshot: line.snapshot?.id });

    world.pass(DAY);
    await world.writeDisk("a.raw", noise(5, 300_000));
    const again = await world.run("nightly");
    assert.equal(again.report.outcome, "passed");
    assert.deepEqual(again.report.facts.at(-1), { label: "retention", value: "forgets 2 snapshots, keeps 2" });
    assert.equal((await world.main.catalog()).snapshots.length, 2);
    assert.equal(again.report.trends.find(({ machine }) => machine === "vm/a")?.added.length, 1);
    assert.deepEqual(decodeJobReport(encodeJobReport(again.report)), again.report);
  });

  it("go on with the other machines when one fails, and keep what it had", async () => {
    await world.run("nightly");
    world.pass(DAY);
    await rm(world.path("a.raw"));
    const { report } = await world.run("nightly");
    assert.equal(report.outcome, "failed");
    assert.deepEqual(outcomes(report), ["vm/a failed", "vm/b failed"]); // b keeps a.raw as a file of its own
    await world.writeDisk("a.raw", new Uint8Array());
    const empty = await world.run("nightly");
    assert.deepEqual(outcomes(empty.report), ["vm/a failed", "vm/b passed"]);
    assert.match(lineOf(empty.report, "vm/a").reason, /a\.raw has no bytes/);
    const problem = empty.report.problems.find(({ machine }) => machine === "vm/a");
    assert.equal(problem?.code, "SOURCE_EMPTY");
    assert.equal(problem?.line, world.config.machines[0]?.line);
    assert.equal(problem?.file, world.config.fileName);
    const kept = (await world.main.catalog()).snapshots.filter(({ manifest }) => manifest.group === "vm/a");
    assert.equal(kept.length, 1, "the retention leaves machines alone whose backup failed");
    assert.match(empty.report.verdict, /^nightly: 1 of 2 machines backed up; vm\/a failed: /);
  });

  it("may be narrowed to some machines, and say so in their record", async () => {
    const { report } = await world.run("nightly", { machines: ["vm/b"] });
    assert.deepEqual(outcomes(report), ["vm/b passed"]);
    const [record] = jobRecords(await world.main.catalog());
    assert.equal(record?.partial, true);
    await assertCode(world.run("nightly", { machines: ["vm/x"] }), "JOB_MACHINE_UNKNOWN");
    await assertCode(world.run("weekly"), "JOB_UNKNOWN");
  });

  it("back up folders; what is no folder fails with its reason", async () => {
    const failed = await world.run("folders");
    assert.equal(failed.report.outcome, "failed");
    assert.equal(failed.report.problems[0]?.code, "SOURCE_NOT_FOUND");
    await world.writeDisk("files/one.txt", noise(3, 1000));
    const { report } = await world.run("folders");
    assert.equal(report.outcome, "passed", report.verdict);
  });

  it("change nothing in a dry run", async () => {
    await world.run("nightly");
    await world.main.backUp("vm/a", { a: noise(9, 50_000) });
    const before = (await world.main.catalog()).records.length;
    for (const job of ["nightly", "check", "proof", "clean"]) {
      const { report, envelopes } = await world.run(job, { dryRun: true, signingKeys: [SigningKey.generate()] });
      assert.equal(report.outcome, "passed", `${job}: ${report.verdict}`);
      assert.equal(report.dryRun, true);
      assert.match(report.verdict, /dry run/);
      assert.deepEqual(envelopes, []);
    }
    const { snapshots, records } = await world.main.catalog();
    assert.deepEqual([snapshots.length, records.length], [3, before]);
  });

  it("verify everything, or another part with every run", async () => {
    await world.run("nightly");
    const { report } = await world.run("check");
    assert.equal(report.outcome, "passed");
    assert.deepEqual(outcomes(report), ["vm/a passed", "vm/b passed"]);
    const parts: (number | undefined)[] = [];
    for (let night = 0; night < 4; night++) {
      world.pass(DAY);
      const { report: part } = await world.run("rolling");
      assert.deepEqual(lineOf(part, "vm/a").verification?.level, "structure", "a part of the data proves no snapshot");
      parts.push(jobRecords(await world.main.catalog(), "rolling").at(-1)?.slice?.part);
    }
    assert.deepEqual(parts, [1, 2, 3, 1]);
  });

  it("find damage, and name the machines that it touches", async () => {
    await world.run("nightly");
    for await (const { key } of world.main.backend.list(folder.packs)) {
      const bytes = await world.main.backend.get(key);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      await world.main.backend.put(key, bytes);
    }
    const { report } = await world.run("check");
    assert.equal(report.outcome, "failed");
    assert.ok(report.machines.some(({ verification }) => verification?.result === "damaged"));
    assert.ok(report.problems.some(({ code, severity }) => code === "SNAPSHOT_DAMAGED" && severity === "error"));
  });

  it("prune, and free the space", async () => {
    for (let day = 0; day < 3; day++) {
      await world.main.backUp("vm/a", { a: noise(20 + day, 200_000) });
      await world.main.backUp("vm/a", { a: noise(20 + day, 200_000) });
    }
    const refused = await world.run("clean");
    assert.equal(refused.report.outcome, "failed");
    assert.ok(
      refused.report.problems.some(({ code }) => code === "PRUNE_DROPS_MANY"),
      "as in reprise prune",
    );
    const { snapshots } = await world.main.catalog();
    await world.main.forget(...snapshots.slice(0, 4).map(({ sid }) => sid));
    const { report } = await world.run("clean");
    assert.equal(report.outcome, "passed", JSON.stringify(report.problems));
    assert.deepEqual(outcomes(report), ["vm/a passed"]);
    assert.equal(lineOf(report, "vm/a").reason, "forgets 1 snapshot, keeps 1");
    assert.match(report.facts.find(({ label }) => label === "freed")?.value ?? "", /KiB/);
  });

  it("make restore tests, sign them, and sign what there is of each machine", async () => {
    await world.run("nightly");
    const signingKey = SigningKey.generate();
    const { report, envelopes, reportFiles } = await world.run("proof", {
      signingKeys: [signingKey],
      reportFolder: world.path("reports"),
    });
    assert.equal(report.outcome, "passed", JSON.stringify(report.machines));
    assert.equal(report.verdict, "proof: 1 machine tested, proven: intact");
    const { test, snapshot } = lineOf(report, "vm/a");
    assert.deepEqual([test?.name, test?.level, test?.provenLevel], ["a-reads", "intact", "intact"]);
    assert.ok(reportFiles.some((path) => path.endsWith("reports/proof/a-reads/vm-a/report.html")));
    const again = await world.run("proof-again", { reportFolder: world.path("reports") });
    assert.ok(!again.reportFiles.some((path) => reportFiles.includes(path)), "two jobs with the same test");
    assert.ok(envelopes.length >= 3, "two of the test, one of the machine");
    const trust = { keys: [signingKey.verificationKey], threshold: 1 };
    const [inventory] = readInventories(envelopes, trust, { ignored: [], problems: [] });
    assert.deepEqual([inventory?.inventory.machine, inventory?.inventory.snapshots[0]?.sid], ["vm/a", snapshot?.id]);
    assert.ok(world.events.some((event) => event.event === "test"));
  });

  it("tell in a dry run why it would not work", async () => {
    const { report } = await world.run("proof", { dryRun: true });
    assert.equal(report.outcome, "inconclusive");
    assert.match(report.verdict, /^proof: dry run, nothing was changed; vm\/a could not be told: .*no machine vm\/a/);
  });

  it("tell that a machine cannot be tested", async () => {
    const { report } = await world.run("proof");
    assert.equal(report.outcome, "inconclusive");
    assert.match(lineOf(report, "vm/a").reason, /not tested: there is no machine vm\/a/);
  });

  async function planned(job: string): Promise<string[]> {
    const filter = { jobs: [job], machines: [], due: false };
    const runs = planJobs(world.config, new Map([["main", await world.main.catalog()]]), world.nowMs, filter);
    return runs.map(({ machine, due, reason }) => `${machine} ${due ? "due" : "not due"}: ${reason}`);
  }

  it("leave a record when the whole command fails, and are not due again at once", async () => {
    await world.run("nightly");
    const { backend } = world.main;
    const list = backend.list.bind(backend);
    backend.list = (prefix, ...rest) => {
      if (prefix === folder.packs) throw new RepriseError("backend", "STORAGE_FAILED", "the storage burns");
      return list(prefix, ...rest);
    };
    const { report } = await world.run("look");
    backend.list = list;
    assert.deepEqual(outcomes(report), ["vm/a inconclusive", "vm/b inconclusive"]);
    assert.deepEqual(
      report.problems.map(({ code }) => code),
      ["STORAGE_FAILED"],
    );
    for (const run of await planned("look")) assert.match(run, /^vm\/. not due: .*; tried again from /);
    world.pass(31 * 60_000);
    for (const run of await planned("look")) assert.match(run, /^vm\/. due: /);
  });

  it("wait after a prune that refuses, and not for a machine that has nothing to prune", async () => {
    for (let at = 0; at < 6; at++) await world.main.backUp("vm/a", { a: noise(20 + at, 20_000) });
    const refused = await world.run("trim");
    assert.ok(refused.report.problems.some(({ code }) => code === "PRUNE_DROPS_MANY"));
    assert.deepEqual(outcomes(refused.report), ["vm/a failed", "vm/b failed"]);
    for (const run of await planned("trim")) assert.match(run, /^vm\/. not due: .*; tried again from /);
    const { snapshots } = await world.main.catalog();
    await world.main.forget(...snapshots.slice(0, 4).map(({ sid }) => sid));
    world.pass(31 * 60_000);
    assert.deepEqual(outcomes((await world.run("trim")).report), ["vm/a passed", "vm/b skipped"]);
    world.pass(31 * 60_000);
    for (const run of await planned("trim")) assert.match(run, /^vm\/. not due: last run /);
  });

  it("leave a report when the repository does not open", async () => {
    const open = async () => await Promise.reject(new Error("no such place"));
    const { report } = await world.run("nightly", {}, { repositories: { ...world.options.repositories, open } });
    assert.deepEqual([report.outcome, report.repository], ["failed", null]);
    assert.match(report.verdict, /no such place/);
    const check = await world.run("check", {}, { repositories: { ...world.options.repositories, open } });
    assert.equal(check.report.outcome, "inconclusive");
  });

  it("leave a report and a sound repository when they are cancelled", async () => {
    const onEvent = ({ event }: { event: string }) => {
      if (event === "machine-finished") world.controller.abort();
    };
    const { report } = await world.run("nightly", {}, { onEvent });
    assert.equal(report.outcome, "cancelled");
    assert.deepEqual(outcomes(report), ["vm/a passed", "vm/b skipped"]);
    assert.match(report.verdict, /^nightly: cancelled; 1 of 2 machines done before/);
    const catalog = await world.main.catalog();
    assert.deepEqual([catalog.snapshots.length, jobRecords(catalog).length], [1, 0]);
    assert.equal((await world.main.verify()).ok, true);
  });

  it("do not fail for a record that cannot be stored", async () => {
    const { backend } = world.main;
    for (const method of ["put", "putIfAbsent"] as const) {
      const write = backend[method].bind(backend) as (...args: Parameters<typeof backend.put>) => Promise<never>;
      backend[method] = async (key, ...rest) => {
        if (key.startsWith(folder.records)) throw new Error("full");
        return await write(key, ...rest);
      };
    }
    await world.writeDisk("files/one.txt", noise(3, 1000));
    const { report } = await world.run("folders");
    assert.equal(report.outcome, "warned");
    assert.equal(report.problems[0]?.code, "JOB_RECORD_NOT_STORED");
    assert.equal(report.machines[0]?.outcome, "passed");
  });

  it("warn of what changes while it is read", async () => {
    const onProgress = () => {
      const fd = openSync(world.path("a.raw"), "r+");
      writeSync(fd, "written");
      closeSync(fd);
    };
    const { report } = await world.run("nightly", { machines: ["vm/a"] }, { onProgress });
    assert.equal(report.outcome, "warned");
    assert.match(lineOf(report, "vm/a").reason, /was written to during the backup/);
    assert.equal(world.warnings[0]?.code, "SOURCE_MODIFIED");
  });
});
