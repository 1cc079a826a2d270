// A backup that is cut off, gently or not: the next one succeeds, and nothing has to be cleaned up.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ActionStory, assertClean } from "./actionStory.js";
import { startAction } from "./runAction.js";

const DISK_BYTES = 24_000_000;
const FIRST = 8_000_000;

describe("a backup that is cut off", function () {
  this.timeout(90_000);
  let story: ActionStory;
  let location: string;

  before(async () => {
    story = await ActionStory.begin("signals");
    location = await story.repository("main");
    const disk = story.path("disks", "web1.raw");
    await writeFile(disk, randomBytes(DISK_BYTES));
    const machines = { "vm/web1": { disks: disk } };
    const jobs = { nightly: { backup: "all" } };
    await story.file("reprise.yml", { repositories: { main: { location } }, machines, jobs });
    // slow enough to be met in the middle
    const slow = { main: { location, "bandwidth-limit": FIRST } };
    await story.file("slow.yml", { repositories: slow, machines, jobs });
  });
  after(() => story.end());

  /** Waits until some packs are stored. */
  async function packsStored(): Promise<void> {
    const before = (await packs()).length;
    while ((await packs()).length < before + 2) await sleep(20);
  }

  async function packs(): Promise<string[]> {
    const found = await readdir(`${location}/packs`, { recursive: true }).catch(() => []);
    return found.filter((name) => name.includes("-"));
  }

  async function backUpAndVerify(): Promise<void> {
    const ended = await story.passes({ command: "backup" });
    assert.match(ended.outputs["snapshot-id"] ?? "", /^[0-9a-f]{32}$/);
    const { warnings } = await story.cli<{ warnings: unknown[] }>("verify", "-r", location, "--read-data");
    assert.deepEqual(warnings, []);
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`${signal}: ends cleanly and says that it was cancelled`, async () => {
      await writeFile(story.path("disks", "web1.raw"), randomBytes(DISK_BYTES));
      const started = await startAction(story.step({ command: "backup", config: "slow.yml" }));
      await started.printed(/vm\/web1 …/);
      await packsStored();
      const beganAt = Date.now();
      started.child.kill(signal);
      const ended = await started.ended;
      assert.ok(Date.now() - beganAt < 7_500, "before the runner loses its patience");
      assert.deepEqual(
        [ended.code, ended.outputs.result, ended.outputs["error-code"]],
        [1, "cancelled", "INTERRUPTED"],
      );
      assert.match(ended.summary, /cancelled/i);
      await assertClean(ended);
      await backUpAndVerify();
    });
  }

  it("SIGINT, and SIGTERM at once: the process is gone, the repository is sound", async () => {
    await writeFile(story.path("disks", "web1.raw"), randomBytes(DISK_BYTES));
    const started = await startAction(story.step({ command: "backup", config: "slow.yml" }));
    await packsStored();
    started.child.kill("SIGINT");
    started.child.kill("SIGTERM");
    const ended = await started.ended;
    assert.notEqual(ended.code, 0);
    await backUpAndVerify();
  });

  it("SIGKILL: the next run succeeds and uses what was stored", async () => {
    await writeFile(story.path("disks", "web1.raw"), randomBytes(DISK_BYTES));
    const started = await startAction(story.step({ command: "backup", config: "slow.yml" }));
    await packsStored();
    started.child.kill("SIGKILL");
    const ended = await started.ended;
    assert.equal(ended.signal, "SIGKILL");
    await backUpAndVerify();
  });
});

describe("four runners at once", function () {
  this.timeout(90_000);
  let story: ActionStory;

  before(async () => {
    story = await ActionStory.begin("parallel");
    const location = await story.repository("main");
    const machines: Record<string, object> = {};
    for (const name of ["a", "b", "c", "d"]) machines[`vm/${name}`] = { disks: await story.disk(name, 3_000_000) };
    const repositories = { main: { location } };
    await story.file("reprise.yml", {
      repositories,
      machines,
      jobs: { nightly: { backup: "all", schedule: "hourly" } },
    });
  });
  after(() => story.end());

  it("from one matrix: one merged report and one sound repository", async () => {
    const plan = await story.passes({ command: "plan", due: "true", "report-folder": "reports/plan" });
    const { include } = JSON.parse(plan.outputs.matrix as string) as { include: { job: string; machine: string }[] };
    assert.equal(include.length, 4);
    const runs = include.map(({ job, machine }, at) =>
      story.passes({ command: "run", job, machine, summary: "false", "report-folder": `reports/${at}` }),
    );
    for (const ended of await Promise.all(runs)) assert.equal(ended.summary, "");
    const report = await story.passes({ command: "report", reports: "reports" });
    const machines = JSON.parse(report.outputs.machines as string) as { machine: string; outcome: string }[];
    assert.deepEqual(
      machines.map(({ machine, outcome }) => `${machine} ${outcome}`),
      ["vm/a passed", "vm/b passed", "vm/c passed", "vm/d passed"],
    );
    for (const { machine } of include) assert.ok(report.summary.includes(machine));
    const verified = await story.cli<{ warnings: unknown[]; snapshots: unknown[] }>(
      "verify",
      "-r",
      story.path("main"),
      "--read-data",
    );
    assert.deepEqual([verified.warnings.length, verified.snapshots.length], [0, 4]);
    const after = await story.passes({ command: "plan", due: "true" });
    assert.deepEqual([after.outputs["any-due"], after.outputs.matrix], ["false", '{"include":[]}']);
  });
});
