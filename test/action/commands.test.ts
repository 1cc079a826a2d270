// Every command of the built bundle on real repositories, as a runner starts it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeJobReport } from "../../core/jobReport/decodeJobReport.js";
import type { JobReport } from "../../core/jobReport/jobReport.js";
import { ActionStory, CANARY, filesBelow } from "./actionStory.js";
import type { EndedAction } from "./runAction.js";

async function reportOf({ outputs }: EndedAction): Promise<JobReport> {
  return decodeJobReport(await readFile(outputs["report-json"] as string));
}

describe("commands of the action", function () {
  this.timeout(60_000);
  let story: ActionStory;
  let main: string;

  before(async () => {
    story = await ActionStory.begin("commands");
    main = await story.repository("main");
    const copy = await story.repository("copy");
    await story.file("reprise.yml", {
      repositories: { main: { location: main }, copy: { location: copy } },
      machines: {
        "vm/web1": { owner: "team-web", disks: await story.disk("web1", 3_000_000) },
        "vm/db1": { owner: "team-db", criticality: "high", disks: await story.disk("db1", 2_000_000) },
      },
      jobs: {
        nightly: { backup: "all", repository: "main", schedule: "daily" },
        check: { verify: "all", "read-data": true, repository: "main" },
        trim: { prune: "all", retention: { last: 1 }, repository: "main" },
        offsite: { sync: "all", from: "main", repository: "copy" },
      },
    });
  });
  after(() => story.end());

  async function snapshotCounts(location: string): Promise<number[]> {
    const snapshots = await story.cli<{ group: string }[]>("snapshots", "-r", location);
    return [...Map.groupBy(snapshots, ({ group }) => group).values()].map(({ length }) => length);
  }

  it("plan: the machines of a job as a matrix, due ones only when asked", async () => {
    const ended = await story.passes({ command: "plan", due: "true" });
    const matrix = JSON.parse(ended.outputs.matrix as string) as { include: unknown[] };
    assert.deepEqual(matrix.include, [
      { job: "nightly", machine: "vm/web1" },
      { job: "nightly", machine: "vm/db1" },
    ]);
    assert.equal(ended.outputs.due, '["nightly"]');
    assert.equal(ended.outputs["any-due"], "true");
    assert.match(ended.summary, /nightly/);
    const all = await story.passes({ command: "plan" });
    assert.equal(JSON.parse(all.outputs.matrix as string).include.length, 5);
  });

  it("backup --dry-run changes nothing, and says what it would do", async () => {
    const before = await filesBelow(main);
    const ended = await story.passes({ command: "backup", "dry-run": "true" });
    assert.deepEqual(await filesBelow(main), before);
    assert.equal((await reportOf(ended)).dryRun, true);
  });

  it("backup: one machine of a job, with everything that a later step wants to know", async () => {
    const ended = await story.passes({ command: "backup", job: "nightly", machine: "vm/web1" });
    const { outputs } = ended;
    assert.match(outputs["snapshot-id"] as string, /^[0-9a-f]{32}$/);
    assert.match(outputs["manifest-digest"] as string, /^[0-9a-f]{64}$/);
    assert.ok(Number(outputs["added-bytes"]) >= 3_000_000);
    assert.ok(Number(outputs["read-bytes"]) >= 3_000_000);
    assert.equal(outputs["error-code"], "");
    const report = await reportOf(ended);
    assert.deepEqual(
      report.machines.map(({ machine }) => machine),
      ["vm/web1"],
    );
    assert.equal(report.url, "https://github.example/team/infra/actions/runs/42");
    assert.ok(existsSync(outputs["report-html"] as string) && existsSync(outputs["report-summary"] as string));
    assert.match(ended.summary, /vm\/web1/);
    assert.match(ended.log, /vm\/web1: passed/);
  });

  it("run: what is due, and then nothing is", async () => {
    const first = await story.passes({ command: "run" });
    assert.equal(first.outputs.due, '["nightly"]');
    assert.deepEqual(
      (await reportOf(first)).machines.map(({ machine }) => machine),
      ["vm/db1"],
    );
    const second = await story.passes({ command: "run" });
    assert.equal(second.outputs.due, "[]");
    assert.match(second.outputs.verdict as string, /nothing is due/);
  });

  it("verify, sync and prune: the jobs of their kind", async () => {
    const verified = await story.passes({ command: "verify" });
    assert.match((await reportOf(verified)).machines[0]?.verification?.result ?? "", /ok/);
    const synced = await story.passes({ command: "sync" });
    assert.match(synced.summary, /vm\/db1/);
    await story.passes({ command: "backup" });
    await story.passes({ command: "prune" });
    assert.deepEqual(await snapshotCounts(main), [1, 1]);
  });

  it("status: how old the newest backups are", async () => {
    const ended = await story.run({ command: "status" });
    const age = Number(ended.outputs["backup-age-seconds"]);
    assert.ok(age >= 0 && age < 600, ended.printed);
    assert.match(ended.summary, /team-db/);
    assert.equal(ended.code, 0, ended.printed);
  });

  it("report: the reports of other jobs as one; what is missing makes it inconclusive", async () => {
    const plan = await story.passes({ command: "plan", job: "nightly", "report-folder": "reports/plan" });
    assert.ok(plan.outputs["report-folder"]?.endsWith("checkout/reports/plan"));
    await story.passes({ command: "backup", machine: "vm/web1", "report-folder": "reports/web1" });
    const half = await story.run({ command: "report", reports: "reports" });
    assert.equal(half.outputs.result, "inconclusive");
    assert.equal(half.code, 1);
    assert.match(half.outputs.verdict as string, /vm\/db1 \(job nightly\) has left no report/);
    await story.passes({ command: "backup", machine: "vm/db1", "report-folder": "reports/db1" });
    const whole = await story.passes({ command: "report", reports: "reports" });
    assert.deepEqual(
      (await reportOf(whole)).machines.map(({ machine }) => machine),
      ["vm/db1", "vm/web1"],
    );
    const none = await story.run({ command: "report", reports: "disks" });
    assert.equal(none.code, 1);
    assert.equal(none.outputs["error-code"], "REPORTS_MISSING");
  });

  it("work without a configuration file", async () => {
    const location = await story.repository("simple");
    const disk = story.path("disks", "web1.raw");
    const backup = { command: "backup", repository: location, machine: "vm/simple", disk: `root=${disk}` };
    const made = await story.passes(backup);
    assert.match(made.outputs["snapshot-id"] as string, /^[0-9a-f]{32}$/);
    await story.passes(backup);
    await story.passes({ command: "verify", repository: location });
    await story.passes({ command: "status", repository: location });
    await story.passes({ command: "prune", repository: location, keep: "last=1" });
    assert.deepEqual(await snapshotCounts(location), [1]);
  });

  it("fail by the threshold that is given", async () => {
    const missing = { command: "backup", repository: join(main), machine: "vm/gone", disk: "/does/not/exist" };
    const failed = await story.run(missing);
    assert.deepEqual([failed.code, failed.outputs.result], [1, "failed"]);
    assert.ok(failed.annotations.length > 0 && failed.annotations.every(({ file }) => file === undefined));
    assert.ok(!failed.summary.includes("inputs of this step"), failed.summary);
    assert.notEqual(failed.outputs["error-code"], "");
    assert.equal((await story.run({ ...missing, "fail-on": "never" })).code, 0);
  });

  it("open nothing without the passphrase, and say so", async () => {
    const ended = await story.run({ command: "backup" }, { env: { REPRISE_PASSPHRASE: "" } });
    assert.deepEqual([ended.code, ended.outputs["error-code"]], [1, "PASSPHRASE_MISSING"]);
    assert.equal(ended.annotations[0]?.file, "reprise.yml");
    const wrong = await story.run({ command: "verify" }, { env: { REPRISE_PASSPHRASE: "not-this-one" } });
    assert.deepEqual([wrong.code, wrong.outputs["error-code"]], [1, "PASSPHRASE_WRONG"]);
    assert.ok(!wrong.printed.includes("not-this-one"));
  });

  it("have left the canary nowhere in the repositories", async () => {
    for (const name of ["main", "copy", "simple"]) {
      for (const file of await filesBelow(story.path(name))) {
        assert.ok(!file.includes(CANARY) && !(await readFile(file, "latin1")).includes(CANARY));
      }
    }
  });
});
