// `reprise test` with machines, hosts and people that do not do what they should: it says so, in time, and leaves nothing.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tinyGuest } from "../fixtures/guests.js";
import { checkOf, LONG_BOOT, MachineTests, type TestDocument, TINY_HARDWARE } from "../support/machineTests.js";

const FAILED = 1;
const COULD_NOT = 2;
const BOOTS = { machine: "vm/web1", level: "boots", hardware: TINY_HARDWARE, network: "none" };
const READY = { serial: "FIXTURE-READY" };

describe("a restore test in trouble", function () {
  this.timeout(600_000);
  let tests: MachineTests;

  before(async () => {
    tests = await MachineTests.open();
    await tests.backUp("vm/web1", await tinyGuest());
    await tests.backUp("vm/silent", await tinyGuest({ words: "app.httpd=0 app.ga=0" }));
  });
  after(() => tests.close());
  afterEach(async () => {
    assert.deepEqual(await tests.leftFiles(), []);
    assert.deepEqual(await tests.leftProcesses(), []);
  });

  function only({ machines }: TestDocument): TestDocument["machines"][number] {
    assert.equal(machines.length, 1);
    return machines[0] as TestDocument["machines"][number];
  }

  it("a machine whose service was not started, and that has no agent, fails", async () => {
    const spec = await tests.spec("silent", {
      machine: "vm/silent",
      level: "serves",
      hardware: TINY_HARDWARE,
      ready: READY,
      timeouts: { ...LONG_BOOT, agent: "2s", application: "6s" },
      checks: [
        { type: "http", path: "/", timeout: "5s", retries: 0 },
        { type: "command", run: ["hostname"], timeout: "5s", retries: 0 },
        { type: "agent", timeout: "5s", retries: 0 },
      ],
    });
    const { code, document } = await tests.test([spec, "--report", tests.path("report")]);
    assert.equal(code, FAILED);
    assert.equal(document.passed, false);
    const record = only(document);
    assert.equal(record.result.outcome, "failed");
    assert.equal(record.result.provenLevel, "readable", "boots asks for the agent, which does not answer");
    assert.equal(checkOf(record, "level.ready").outcome, "passed");
    const [http, command, agent] = ["http", "command", "agent"].map((id) => checkOf(record, id));
    assert.equal(http?.outcome, "failed");
    assert.equal(http?.reason, "no answer");
    assert.equal(command?.outcome, "inconclusive");
    assert.match(command?.reason ?? "", /agent/);
    assert.equal(agent?.outcome, "failed");
    assert.equal(agent?.reason, "the agent did not answer");
    const inner = record.isolation.proofs.slice(2);
    assert.deepEqual(
      inner.map(({ outcome }) => outcome),
      ["not-probed", "not-probed"],
    );
    assert.ok(record.coverage.notTested.some((text) => text.startsWith("command: ")));
    assert.ok(record.integrity.artifacts.some(({ name }) => name === "screen-at-the-end.png"));
    assert.equal(record.integrity.disposal.confirmed, true);
  });

  it("a destroyed chunk fails, and the machine is not started from it", async () => {
    const spec = await tests.spec("damaged", { ...BOOTS, ready: READY, checks: ["screenshot"] });
    const repair = await tests.destroyChunk();
    try {
      const { code, document } = await tests.test([spec, "--no-record"]);
      assert.equal(code, FAILED);
      const record = only(document);
      assert.equal(record.result.outcome, "failed");
      assert.equal(record.result.provenLevel, null);
      assert.equal(checkOf(record, "level.chunks").outcome, "failed");
      assert.equal(checkOf(record, "level.ready").outcome, "skipped");
      assert.match(checkOf(record, "level.ready").reason ?? "", /data of the snapshot is lost or damaged/);
      assert.equal(checkOf(record, "screenshot").outcome, "skipped");
      assert.equal(record.environment.hypervisor, null);
      assert.equal(record.isolation.network, "not-started");
      assert.equal(record.coverage.bytesVerified, 0);
    } finally {
      await repair();
    }
  });

  it("a machine that is not ready in its time fails", async () => {
    const spec = await tests.spec("never", {
      ...{ ...BOOTS, ready: { serial: "never printed" }, timeouts: { boot: "3s" } },
      "keep-on-failure": ["serial-log", "overlay"],
    });
    const report = tests.path("never-ready");
    const { code, document } = await tests.test([spec, "--report", report]);
    assert.equal(code, FAILED);
    const ready = checkOf(only(document), "level.ready");
    assert.equal(ready.outcome, "failed");
    assert.equal(ready.reason, "not ready after 3 s");
    assert.equal(only(document).result.provenLevel, "readable");
    const overlay = join(report, "vm-web1", "root.overlay.qcow2");
    assert.equal((await readFile(overlay)).toString("latin1", 0, 3), "QFI");
    assert.ok(only(document).integrity.disposal.observed.endsWith(`kept before: ${overlay}`));
  });

  it("Ctrl-C while the machine boots ends with 130, and without a record", async () => {
    const spec = await tests.spec("interrupted", { ...BOOTS, ready: { serial: "NEVER-SAID" }, timeouts: LONG_BOOT });
    const { child, ended } = tests.start(["test", spec, "--json"]);
    const machine = await tests.machineStarted();
    assert.ok(machine > 0);
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    assert.equal(code, 130);
    assert.equal((JSON.parse(stdout) as TestDocument).error?.code, "INTERRUPTED");
    const history = JSON.parse(await tests.succeed("test", "--history", "vm/web1", "--json")) as { tests: object[] };
    assert.ok(!JSON.stringify(history.tests).includes("interrupted"));
  });

  it("kill -9 while it boots leaves a folder; a run beside it does not touch it, the next one removes all", async () => {
    // waits for what never comes: on a busy host a machine that ends by itself may be faster than the run beside it
    const spec = await tests.spec("killed", { ...BOOTS, ready: { serial: "NEVER-SAID" }, timeouts: LONG_BOOT });
    const killed = tests.start(["test", spec, "--json"]);
    const machine = await tests.machineStarted();
    const [folder] = await tests.leftFiles();
    assert.match(folder ?? "", /^reprise-run-/);

    const short = await tests.spec("beside", { ...BOOTS, ready: READY, timeouts: { boot: "2s" } });
    const beside = await tests.test([short]);
    assert.equal(beside.code, FAILED);
    assert.deepEqual(beside.document.leftovers, [{ folders: [], processes: [] }]);
    assert.equal(killed.child.exitCode, null);
    assert.deepEqual(await tests.leftFiles(), [folder], "the other run goes on");
    assert.ok((await tests.leftProcesses()).includes(machine));

    killed.child.kill("SIGKILL");
    assert.equal((await killed.ended).signal, "SIGKILL");
    const next = await tests.test([await tests.spec("next", { machine: "vm/web1", level: "readable" })]);
    assert.equal(next.code, 0);
    assert.deepEqual(
      next.document.leftovers.flatMap(({ folders }) => folders.map((path) => path.split("/").at(-1))),
      [folder],
    );
    for (let round = 0; round < 100 && (await tests.leftProcesses()).length > 0; round++) await sleep(50);
  });

  it("without QEMU nothing is known, and the package is named", async () => {
    const spec = await tests.spec("no-qemu", { ...BOOTS, ready: READY });
    const { code, document } = await tests.test([spec], { PATH: tests.path("nothing") });
    assert.equal(code, COULD_NOT);
    const record = only(document);
    assert.equal(record.result.outcome, "inconclusive");
    assert.equal(record.result.provenLevel, "readable");
    assert.match(record.result.reason, /level\.ready/);
    assert.match(checkOf(record, "level.ready").reason ?? "", /qemu-system-x86_64 is not installed.*qemu-system-x86\b/);
  });

  it("without space for what the machine writes nothing is known", async () => {
    const spec = await tests.spec("no-space", { ...BOOTS, ready: READY });
    // A file system that never has any.
    const { code, document } = await tests.test([spec], { TMPDIR: "/sys" });
    assert.equal(code, COULD_NOT);
    const ready = checkOf(only(document), "level.ready");
    assert.equal(ready.outcome, "inconclusive");
    assert.match(ready.reason ?? "", /\/sys cannot hold the files of a running machine: less than 64 MiB are free/);
  });

  it("a machine without a snapshot is not tested, the others are", async () => {
    const spec = await tests.spec("missing", { level: "readable", machines: ["vm/nobody", "vm/web1"] });
    const { code, document } = await tests.test([spec]);
    assert.equal(code, COULD_NOT);
    assert.equal(document.passed, false);
    assert.deepEqual(
      document.untested.map(({ machine }) => machine),
      ["vm/nobody"],
    );
    assert.equal(only(document).asset.machine, "vm/web1");
    assert.equal(only(document).result.outcome, "passed");
    assert.equal(only(document).result.provenLevel, "readable");
  });

  it("each record names the one before", async () => {
    const spec = await tests.spec("chain", { machine: "vm/web1", level: "readable" });
    for (let round = 0; round < 2; round++) assert.equal((await tests.test([spec])).code, 0);
    const history = JSON.parse(await tests.succeed("test", "--history", "vm/web1", "--json")) as {
      tests: { previous: string | null; digest: string; times: { finishedAt: string } }[];
    };
    const inOrder = history.tests.toSorted((a, b) => (a.times.finishedAt < b.times.finishedAt ? -1 : 1));
    assert.ok(inOrder.length >= 2);
    assert.equal(inOrder.at(-1)?.previous, inOrder.at(-2)?.digest);
  });

  it("a drill that destroys a chunk or takes a disk away is noticed, and changes nothing", async () => {
    const spec = await tests.spec("drill", { machine: "vm/web1", level: "readable" });
    for (const fault of ["destroyed-chunk", "missing-disk"]) {
      const { code, stdout } = await tests.start(["test", spec, "--drill", fault, "--json"]).ended;
      assert.equal(code, 0, stdout);
      const { drills } = JSON.parse(stdout) as { drills: { noticed: boolean; outcome: string }[] };
      assert.deepEqual(
        drills.map(({ noticed, outcome }) => [noticed, outcome]),
        [[true, "failed"]],
      );
    }
    assert.equal((await tests.test([spec])).code, 0);
  });
});
