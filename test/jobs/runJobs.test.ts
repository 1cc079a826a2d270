// Jobs together: what is due, replicas, runners side by side, cancelled ones, and evidence on its way to a git branch.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RepriseError } from "../../core/errors.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { readEvidenceBranch } from "../../core/evidenceBranch/readEvidenceBranch.js";
import { folder } from "../../core/format/ids.js";
import { runGit } from "../../core/git/gitProcess.js";
import { openGitRepository } from "../../core/git/gitRepository.js";
import { mergeReports } from "../../core/jobReport/mergeReports.js";
import { jobRecords } from "../../core/jobs/jobRecords.js";
import { loadHistories, planReport } from "../../core/jobs/runJobs.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import { DAY, HOUR, JobWorld } from "./jobWorld.js";

const CONFIG = `
repositories: { main: { location: memory }, offsite: { location: env:OFFSITE } }
machines:
  vm/a: { disks: a.raw }
  vm/b: { disks: b.raw }
  vm/c: { disks: c.raw }
  vm/d: { disks: d.raw }
jobs:
  nightly: { backup: all, repository: main, schedule: 02:00 }
  copy: { sync: all, from: main, repository: offsite, schedule: 03:00 }
  some: { sync: [vm/a, vm/b], from: main, repository: offsite, transfer-last: 1 }
gates: { all: { keys: [first.pub, second.pub], rules: [{ paths: "**", machines: all }] } }
evidence: { branch: reprise-evidence, remote: origin, publish: true }
`;

describe("runs of jobs", function () {
  this.timeout(60_000);
  let world: JobWorld;
  beforeEach(async () => {
    const disks = Object.fromEntries(["a", "b", "c", "d"].map((name, i) => [`${name}.raw`, noise(i, 150_000)]));
    world = await JobWorld.make(CONFIG, { disks });
  });
  afterEach(() => world.close());

  const due = async () => {
    const filter = { jobs: [], machines: [], due: true };
    const histories = await loadHistories(world.config, world.options);
    const { plan } = planReport(world.config, histories, filter, { ...world.options, url: null });
    return plan?.runs.map(({ job, machine }) => `${job}:${machine ?? ""}`);
  };

  it("do what is due, once, and remember it in the repository alone", async () => {
    world.pass(2 * HOUR);
    assert.deepEqual(await due(), ["nightly:vm/a", "nightly:vm/b", "nightly:vm/c", "nightly:vm/d", "copy:"]);
    const runs = await world.runAll({ due: true, trigger: "scheduled" });
    assert.deepEqual(
      runs.map(({ report }) => [report.job, report.outcome]),
      [
        ["nightly", "passed"],
        ["copy", "passed"],
      ],
    );
    assert.deepEqual(await due(), []);
    const [record] = jobRecords(await world.main.catalog());
    assert.deepEqual(
      [record?.trigger, record?.scheduledFor, record?.partial],
      ["scheduled", "2026-11-21T02:00:00.000Z", false],
    );
    world.pass(9 * DAY);
    const later = await world.runAll({ due: true });
    assert.equal(later.length, 2);
    assert.equal((await world.main.catalog()).snapshots.length, 8, "nine nights are made up for by one backup");
    assert.deepEqual(await due(), []);
  });

  it("take up only the machines that are due", async () => {
    await world.run("nightly", { machines: ["vm/a", "vm/c"] });
    const [run] = await world.runAll({ due: true, jobs: ["nightly"] });
    assert.deepEqual(
      run?.report.machines.map(({ machine }) => machine),
      ["vm/b", "vm/d"],
    );
  });

  it("copy to another repository, and know it", async () => {
    await world.run("nightly");
    const { report } = await world.run("some");
    assert.equal(report.outcome, "passed", JSON.stringify(report.problems));
    assert.deepEqual(
      report.machines.map(({ machine, reason }) => [machine, reason]),
      [
        ["vm/a", "copied 1 of 1 snapshots"],
        ["vm/b", "copied 1 of 1 snapshots"],
      ],
    );
    const copies = (await world.repositories.get("offsite")!.catalog()).snapshots;
    assert.deepEqual(copies.map(({ sid }) => sid).sort(), report.machines.map(({ snapshot }) => snapshot?.id).sort());
    const dry = await world.run("copy", { dryRun: true });
    assert.match(dry.report.machines.find(({ machine }) => machine === "vm/c")?.reason ?? "", /would copy 1 of 1/);
    const all = await world.run("copy");
    assert.equal(all.report.facts.find(({ label }) => label === "copied")?.value, "2");
    const again = await world.run("copy");
    assert.equal(again.report.facts.find(({ label }) => label === "copied")?.value, "0");
  });

  it("go on side by side from one plan, to one merged report and one sound repository", async () => {
    const histories = await loadHistories(world.config, world.options);
    const filter = { jobs: ["nightly"], machines: [], due: true };
    const { plan } = planReport(world.config, histories, filter, { ...world.options, url: null });
    assert.equal(plan?.matrix.length, 4);
    const runs = await Promise.all(
      (plan?.matrix ?? []).map(async ({ job, machine }) => {
        const { repository } = await world.main.reopen();
        const repositories = { ...world.options.repositories, open: async () => repository };
        return await world.runAll({ jobs: [job], machines: [machine] }, { repositories });
      }),
    );
    const merged = mergeReports(runs.flat().map(({ report }) => report));
    assert.equal(merged.outcome, "passed");
    assert.deepEqual(
      merged.machines.map(({ machine }) => machine),
      ["vm/a", "vm/b", "vm/c", "vm/d"],
    );
    assert.equal((await world.main.verify()).ok, true);
    assert.deepEqual(await due(), ["copy:"]);
  });

  it("stop when they are cancelled in the middle of a disk; the next run finds nothing in its way", async () => {
    await world.writeDisk("a.raw", noise(9, 4_000_000));
    const onProgress = () => world.controller.abort();
    const [run, ...others] = await world.runAll({ jobs: ["nightly", "copy"] }, { onProgress });
    assert.equal(run?.report.outcome, "cancelled");
    assert.deepEqual(others, [], "later jobs are not begun");
    assert.deepEqual(
      run?.report.machines.map(({ machine, outcome }) => `${machine} ${outcome}`),
      ["vm/a inconclusive", "vm/b skipped", "vm/c skipped", "vm/d skipped"],
    );
    assert.equal((await world.main.catalog()).snapshots.length, 0);
    await sleep(0);
    const next = new AbortController();
    const [again] = await world.runAll({ jobs: ["nightly"] }, { signal: next.signal });
    assert.equal(again?.report.outcome, "passed");
    assert.equal((await world.main.verify()).ok, true);
  });

  it("refuse a machine that no job has, before anything is done", async () => {
    await assertCode(world.runAll({ jobs: ["nightly"], machines: ["vm/x"] }), "JOB_MACHINE_UNKNOWN");
    await assertCode(world.runAll({ jobs: ["weekly"], due: true }), "JOB_UNKNOWN");
    assert.equal((await world.main.catalog()).records.length, 0);
  });

  it("publish what they have signed; a branch that cannot be reached is a warning", async () => {
    const git = async (...args: string[]) => {
      const { exitCode, stderr } = await runGit(world.folder, args);
      assert.equal(exitCode, 0, stderr);
    };
    await git("init", "--quiet", "--bare", "remote.git");
    await git("init", "--quiet", ".");
    await git("remote", "add", "origin", world.path("remote.git"));
    const signingKey = SigningKey.generate();
    const options = { gitFolder: world.folder };
    const [run] = await world.runAll({ jobs: ["nightly"], signingKeys: [signingKey] }, options);
    assert.equal(run?.report.outcome, "passed", JSON.stringify(run?.report.problems));
    assert.equal(run?.envelopes.length, 4);
    assert.deepEqual([run?.published?.status, run?.published?.added.length], ["published", 4]);
    const repository = await openGitRepository(world.folder);
    const place = { repository, remote: "origin", branch: "reprise-evidence" };
    const trust = { keys: [signingKey.verificationKey], nowMs: world.nowMs, repositoryId: null };
    const facts = await readEvidenceBranch(place, trust);
    assert.deepEqual(facts.problems, []);
    const line = run?.report.machines.find(({ machine }) => machine === "vm/b");
    assert.equal(facts.machines.get("vm/b")?.snapshots[0]?.sid, line?.snapshot?.id);
    world.pass(HOUR);
    const stranger = await world.runAll({ jobs: ["nightly"], signingKeys: [SigningKey.generate()] }, options);
    assert.match(stranger[0]?.report.verdict ?? "", /not published/, "it cannot tell who has published before it");
    await writeFile(world.path("first.pub"), signingKey.verificationKey.toPem());
    const second = await world.runAll({ jobs: ["nightly"], signingKeys: [SigningKey.generate()] }, options);
    assert.equal(second[0]?.report.outcome, "passed", "a gate of the configuration trusts the first");
    await git("remote", "set-url", "origin", world.path("gone.git"));
    world.pass(HOUR);
    const [later] = await world.runAll({ jobs: ["nightly"], signingKeys: [signingKey] }, options);
    assert.equal(later?.report.outcome, "warned");
    assert.equal(later?.report.problems[0]?.code, "EVIDENCE_NOT_PUBLISHED");
    assert.ok(later?.report.machines.every(({ outcome }) => outcome === "passed"));
    assert.equal(later?.published, null);
    world.pass(HOUR);
    const must = { ...options, mustPublish: true };
    const [failed] = await world.runAll({ jobs: ["nightly"], signingKeys: [signingKey] }, must);
    assert.deepEqual([failed?.report.outcome, failed?.report.problems[0]?.severity], ["failed", "error"]);
    await git("remote", "set-url", "origin", world.path("remote.git"));
    const { backend } = world.main;
    const list = backend.list.bind(backend);
    const onEvent = ({ event }: { event: string }) => {
      if (event !== "machine-finished") return;
      backend.list = (...args) => {
        backend.list = list;
        if (args[0] === folder.forgotten) throw new RepriseError("backend", "STORAGE_FAILED", "it burns");
        return list(...args);
      };
    };
    const unsigned = { jobs: ["nightly"], machines: ["vm/b"], signingKeys: [signingKey] };
    const [silent] = await world.runAll(unsigned, { ...must, onEvent });
    assert.deepEqual([silent?.report.outcome, silent?.envelopes.length], ["failed", 0]);
    const last = silent?.report.problems.at(-1);
    assert.deepEqual([last?.severity, last?.code], ["error", "EVIDENCE_NOT_PUBLISHED"]);
    assert.match(last?.message ?? "", /not all of the evidence was signed: it burns/);
    const [told] = await world.runAll(unsigned, { ...options, onEvent });
    assert.equal(told?.report.outcome, "warned");
    const [keyless] = await world.runAll({ jobs: ["nightly"] }, must);
    assert.deepEqual([keyless?.report.outcome, keyless?.report.problems[0]?.code], ["failed", "SIGNING_KEY_MISSING"]);
  });

  it("publish later what could not be published, and tell of tests that nobody has signed", async () => {
    await world.close();
    const proof = "  proof: { restore-test: a-reads, repository: main }\ngates:";
    const tests = "restore-tests: [{ name: a-reads, machine: vm/a, level: intact }]\n";
    world = await JobWorld.make(CONFIG.replace("gates:", proof) + tests, { disks: { "a.raw": noise(1, 150_000) } });
    const git = async (...args: string[]) => assert.equal((await runGit(world.folder, args)).exitCode, 0);
    await git("init", "--quiet", "--bare", "remote.git");
    await git("init", "--quiet", ".");
    await git("remote", "add", "origin", world.path("gone.git"));
    const [signingKey, options] = [SigningKey.generate(), { gitFolder: world.folder }];
    const signingKeys = [signingKey];
    await world.runAll({ jobs: ["nightly"], machines: ["vm/a"] });
    const [failed] = await world.runAll({ jobs: ["proof"], signingKeys }, options);
    assert.equal(failed?.report.problems[0]?.code, "EVIDENCE_NOT_PUBLISHED");
    const recordId = failed?.report.machines[0]?.test?.recordId;
    await git("remote", "set-url", "origin", world.path("remote.git"));
    const place = { repository: await openGitRepository(world.folder), remote: "origin", branch: "reprise-evidence" };
    const read = async () => {
      const trust = { keys: [signingKey.verificationKey], nowMs: world.nowMs, repositoryId: null };
      return (await readEvidenceBranch(place, trust)).machines.get("vm/a");
    };
    world.pass(HOUR);
    await world.runAll({ jobs: ["nightly"], machines: ["vm/a"], signingKeys }, options);
    const caughtUp = await read();
    assert.equal(caughtUp?.envelopes.length, 2, "the statements of the test");
    const tested = caughtUp?.snapshots.find(({ newestTest }) => newestTest !== null);
    const known = tested?.newestTest;
    assert.deepEqual([known?.outcome, typeof recordId], ["passed", "string"]);
    world.pass(HOUR);
    await world.runAll({ jobs: ["proof"] }, options);
    world.pass(HOUR);
    await world.runAll({ jobs: ["nightly"], machines: ["vm/a"], signingKeys }, options);
    const later = await read();
    assert.equal(later?.envelopes.length, 2, "the unsigned test is on the branch by its outcome alone");
    const newest = later?.snapshots.flatMap(({ newestTest }) => newestTest ?? []) ?? [];
    assert.deepEqual([newest.length, new Set(newest.map(({ recordDigest }) => recordDigest)).size], [2, 2]);
  });
});
