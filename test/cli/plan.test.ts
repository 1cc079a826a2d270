import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { PlanReportPart } from "../../core/jobReport/jobReport.js";
import { ConfiguredFolder } from "./configured.js";

const CONFIG = `
repositories: { main: { location: repository } }
machines: { vm/a: { disks: a.raw }, vm/b: { disks: b.raw } }
jobs:
  nightly: { backup: [vm/a, vm/b], schedule: hourly }
  check: { verify: all, schedule: daily }
  manual: { prune: all, retention: { last: 5 } }
`;

describe("reprise plan", function () {
  this.timeout(30_000);
  let folder: ConfiguredFolder;
  before(async () => {
    folder = await ConfiguredFolder.make(CONFIG);
    const { code, stderr } = await folder.configured(["run", "nightly", "--machine", "vm/a"]);
    assert.equal(code, 0, stderr);
  });
  after(() => folder.remove());

  it("says what is due, and why", async () => {
    const { runs } = await folder.json<PlanReportPart>(["plan"]);
    assert.deepEqual(
      runs.map(({ job, machine, due }) => [job, machine, due]),
      [
        ["nightly", "vm/a", false],
        ["nightly", "vm/b", true],
        ["check", null, true],
        ["manual", null, false],
      ],
    );
    assert.match(runs[0]?.reason ?? "", /^last run .* UTC, next run .* UTC$/);
    const { stdout } = await folder.configured(["plan"]);
    assert.match(stdout, /JOB +COMMAND +MACHINE/);
    assert.match(stdout, /nightly +backup +vm\/b +due +due since .*, never run/);
    assert.match(stdout, /2 of 4 runs due/);
  });

  it("leaves out what is not due", async () => {
    const { runs } = await folder.json<PlanReportPart>(["plan", "--due", "nightly"]);
    assert.deepEqual(
      runs.map(({ machine }) => machine),
      ["vm/b"],
    );
  });

  it("prints a matrix for a pipeline, as one line of JSON", async () => {
    const { code, stdout } = await folder.configured(["plan", "nightly", "--matrix"]);
    assert.equal(code, 0);
    const include = ["vm/a", "vm/b"].map((machine) => ({ job: "nightly", machine }));
    assert.deepEqual(JSON.parse(stdout), { include });
    const due = await folder.json<{ include: unknown[] }>(["plan", "--due", "--matrix"]);
    assert.deepEqual(due.include, [
      { job: "nightly", machine: "vm/b" },
      { job: "check", machine: "" },
    ]);
  });

  it("takes everything for due whose history it cannot read, and warns", async () => {
    await writeFile(folder.path("elsewhere.yml"), CONFIG.replace("repository }", "nowhere }"));
    const result = await folder.cli(["plan", "--due", "--config", folder.path("elsewhere.yml")]);
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stderr, /JOB_HISTORY_UNREADABLE/);
    assert.match(result.stdout, /repository main could not be read/);
  });

  it("tells mistakes of the configuration with their lines", async () => {
    await writeFile(folder.path("wrong.yml"), "jobs:\n  nightly: { backup: vm/zzz }\n");
    const { code, stderr } = await folder.cli(["plan", "--config", folder.path("wrong.yml")]);
    assert.equal(code, 64);
    assert.match(stderr, /wrong\.yml:2:\d+/);
  });
});
