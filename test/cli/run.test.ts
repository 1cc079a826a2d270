// `reprise run` on local repositories, and once with a machine that really starts.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Interruption } from "../../cli/interruption.js";
import { decodeJobReport } from "../../core/jobReport/decodeJobReport.js";
import type { JobReport } from "../../core/jobReport/jobReport.js";
import { tinyGuest } from "../fixtures/guests.js";
import { LONG_BOOT, MachineTests, TINY_HARDWARE } from "../support/machineTests.js";
import { ConfiguredFolder, PASSPHRASE } from "./configured.js";

interface RunDocument {
  outcome: string;
  reports: JobReport[];
  files: string[];
}

const CONFIG = `
repositories: { main: { location: repository } }
machines: { vm/a: { disks: a.raw }, vm/b: { disks: b.raw } }
jobs:
  nightly: { backup: [vm/a, vm/b], schedule: hourly, verify-after: structure }
  check: { verify: all, read-data: true, schedule: daily }
  manual: { prune: all, retention: { last: 5 } }
`;

describe("reprise run", function () {
  this.timeout(60_000);
  let folder: ConfiguredFolder;
  beforeEach(async () => {
    folder = await ConfiguredFolder.make(CONFIG);
  });
  afterEach(() => folder.remove());

  const jobsOf = ({ reports }: RunDocument) => reports.map(({ job, outcome }) => `${job} ${outcome}`);

  it("runs what is due, and then nothing", async () => {
    const first = await folder.json<RunDocument>(["run", "--due"]);
    assert.deepEqual(jobsOf(first), ["nightly passed", "check passed"]);
    assert.deepEqual(
      first.reports[0]?.machines.map(({ machine }) => machine),
      ["vm/a", "vm/b"],
    );
    const again = await folder.configured(["run", "--due"]);
    assert.deepEqual([again.code, again.stdout], [0, "nothing is due\n"], again.stderr);
  });

  it("runs what is named, for the machines that are named", async () => {
    const { reports } = await folder.json<RunDocument>(["run", "nightly", "--machine", "vm/b"]);
    assert.deepEqual(
      reports[0]?.machines.map(({ machine }) => machine),
      ["vm/b"],
    );
    const due = await folder.json<RunDocument>(["run", "nightly", "--due"]);
    assert.deepEqual(
      due.reports[0]?.machines.map(({ machine }) => machine),
      ["vm/a"],
      "the other one is done",
    );
  });

  it("tells a mistake in what was asked for before it does anything", async () => {
    for (const args of [
      ["run"],
      ["run", "weekly"],
      ["run", "nightly", "--machine", "vm/x"],
      ["run", "nightly", "--trigger", "me"],
    ]) {
      const { code, stderr } = await folder.configured(args);
      assert.equal(code, 64, `${args.join(" ")}: ${stderr}`);
    }
    const { stderr } = await folder.configured(["run"]);
    assert.match(stderr, /there are: nightly, check, manual; or say --due/);
    const missing = await folder.cli(["run", "--due", "--config", folder.path("none.yml")]);
    assert.equal(missing.code, 64);
  });

  it("goes on when a machine fails, and ends with 1", async () => {
    await rm(folder.path("a.raw"));
    const document = await folder.json<RunDocument>(["run", "nightly"], 1);
    assert.deepEqual(
      document.reports[0]?.machines.map(({ machine, outcome }) => `${machine} ${outcome}`),
      ["vm/a failed", "vm/b passed"],
    );
    const people = await folder.configured(["run", "nightly"]);
    assert.equal(people.code, 1);
    assert.match(people.stdout, /^Backup failed: (?:nightly: )?1 of 2 machines backed up; vm\/a failed: /);
  });

  it("cannot tell without a passphrase, and shows the one it has nowhere", async () => {
    const env = { REPRISE_PASSPHRASE: "" };
    const { code, stdout } = await folder.configured(["run", "check"], { env });
    assert.equal(code, 2, stdout);
    assert.match(stdout, /PASSPHRASE_MISSING/);
    const good = await folder.configured(["run", "nightly", "--report", folder.path("reports"), "--json"]);
    const files = (JSON.parse(good.stdout) as RunDocument).files;
    const texts = await Promise.all(files.map((path) => readFile(path, "utf8")));
    for (const text of [good.stdout, good.stderr, ...texts]) assert.ok(!text.includes(PASSPHRASE));
  });

  it("takes the passphrase from --passphrase-file before the variable", async () => {
    await writeFile(folder.path("secret"), `${PASSPHRASE}\n`);
    const env = { REPRISE_PASSPHRASE: "wrong" };
    const { code, stderr } = await folder.configured(["run", "check", "--passphrase-file", folder.path("secret")], {
      env,
    });
    assert.equal(code, 0, stderr);
  });

  it("writes reports", async () => {
    const { files } = await folder.json<RunDocument>(["run", "nightly", "check", "--report", folder.path("reports")]);
    assert.deepEqual(
      files.map((path) => path.slice(folder.path("reports").length + 1)),
      ["nightly.json", "check.json", "report.html", "report.md"],
    );
    assert.equal(decodeJobReport(await readFile(folder.path("reports/nightly.json"))).job, "nightly");
    assert.match(await readFile(folder.path("reports/report.html"), "utf8"), /vm\/b/);
  });

  it("changes nothing in a dry run", async () => {
    const { reports } = await folder.json<RunDocument>(["run", "--due", "--dry-run"]);
    assert.equal(reports.length, 2);
    const { stdout } = await folder.cli(["snapshots", "--json", "-r", folder.path("repository")]);
    assert.deepEqual(JSON.parse(stdout), []);
  });

  it("leaves a report when it is interrupted", async () => {
    const controller = new AbortController();
    controller.abort(new Interruption("SIGTERM"));
    const running = folder.configured(["run", "nightly"], { signal: controller.signal });
    assert.equal((await running).code, 143);
    const { code } = await folder.configured(["run", "nightly"]);
    assert.equal(code, 0, "the next one finds nothing in its way");
  });
});

describe("reprise run, with a machine that starts", function () {
  this.timeout(600_000);
  let tests: MachineTests;
  before(async () => {
    tests = await MachineTests.open();
  });
  after(() => tests.close());

  it("backs it up, starts it from the backup, and knows its recovery time", async () => {
    await tests.succeed("key", "signing", "generate", "--out", tests.path("key.pem"));
    const config = {
      repositories: { main: { location: tests.repository } },
      machines: {
        "vm/web1": { owner: "team-test", disks: [{ name: "root", path: await tinyGuest(), format: "raw" }] },
      },
      jobs: { nightly: { backup: "vm/web1", schedule: "hourly" }, proof: { "restore-test": "all", schedule: "daily" } },
      "restore-tests": [
        {
          ...{ name: "web1", machine: "vm/web1", level: "serves", hardware: TINY_HARDWARE, timeouts: LONG_BOOT },
          ...{ ready: { serial: "FIXTURE-READY" }, objectives: { rto: "1h" } },
          checks: [
            { type: "http", path: "/cgi-bin/health" },
            { type: "screenshot", "stable-for": "1s" },
          ],
        },
      ],
      evidence: { publish: false },
    };
    await writeFile(tests.path("reprise.yml"), JSON.stringify(config));
    const args = ["--due", "--config", tests.path("reprise.yml"), "--signing-key", tests.path("key.pem")];
    const run = tests.start(["run", ...args, "--report", tests.path("reports"), "--json"]);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 0, `${stderr}${stdout.slice(0, 2000)}`);
    const { reports } = JSON.parse(stdout) as RunDocument;
    assert.deepEqual(
      reports.map(({ job, outcome }) => `${job} ${outcome}`),
      ["nightly passed", "proof passed"],
    );
    const test = reports[1]?.machines[0]?.test;
    assert.equal(test?.provenLevel, "serves");
    assert.ok((test?.rtoMs ?? 0) > 1000);
    assert.equal(test?.objectives.rtoMet, true);
    assert.match(test?.screenshot?.pngBase64 ?? "", /^iVBOR/);
    assert.equal(reports[1]?.trends[0]?.rto.length, 1);
    const evidence = await readFile(
      join(tests.path("reports"), "proof", "web1", "vm-web1", "evidence.intoto.jsonl"),
      "utf8",
    );
    assert.ok(evidence.trim().split("\n").length >= 2);
    const status = await tests.start(["status", "--config", tests.path("reprise.yml"), "--json"]).ended;
    assert.equal(status.code, 0, status.stderr);
    const [report] = (JSON.parse(status.stdout) as RunDocument).reports;
    assert.equal(report?.machines[0]?.state?.lastTest?.ofNewest, true);
    assert.deepEqual(await tests.leftFiles(), []);
  });
});
