// The way of a test from its spec to its records where something on it is missing, too small or over.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { loadCatalog } from "../../../core/repository/catalog.js";
import { openRepository } from "../../../core/repository/openRepository.js";
import { systemEnvironment } from "../../../core/repository/repository.js";
import { runRestoreTest } from "../../../core/restoreTest/run/runRestoreTest.js";
import type { TestEvent, TestReport, TestRequest } from "../../../core/restoreTest/run/testRequest.js";
import { readRestoreTestSpec } from "../../../core/restoreTest/spec/readSpec.js";
import type { RestoreTestSpec } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import { openBackend } from "../../../core/storage/openBackend.js";
import { tinyGuest } from "../../fixtures/guests.js";
import { checkOf, LONG_BOOT, MachineTests, TINY_HARDWARE } from "../../support/machineTests.js";

const BOOTS = { machine: "vm/web1", level: "boots", hardware: TINY_HARDWARE, network: "none" };
const READY = { serial: "FIXTURE-READY" };
const onWarning = () => {};

describe("a run of restore tests", function () {
  this.timeout(600_000);
  let tests: MachineTests;

  before(async () => {
    tests = await MachineTests.open();
    await tests.backUp("vm/web1", await tinyGuest());
    await tests.backUp("vm/panics", await tinyGuest({ words: "app.panic=1" }));
    await tests.succeed("backup", "--dir", tests.runs, "--group", "host/files");
  });
  after(() => tests.close());
  afterEach(async () => {
    assert.deepEqual(await tests.leftFiles(), []);
    assert.deepEqual(await tests.leftProcesses(), []);
  });

  interface Given {
    change?: (spec: RestoreTestSpec) => RestoreTestSpec;
    signal?: AbortSignal;
    onEvent?: (event: TestEvent) => void;
    request?: Partial<TestRequest>;
  }

  async function run(value: Record<string, unknown>, given: Given = {}): Promise<TestReport> {
    const document = { apiVersion: "reprise/v1", kind: "RestoreTest", metadata: { name: "one" }, spec: value };
    const spec = await readRestoreTestSpec(JSON.stringify(document), "one.yaml");
    const backend = await openBackend(tests.repository);
    try {
      const repository = await openRepository(backend, {
        secret: async () => assert.fail("the repository is not encrypted"),
        environment: systemEnvironment("0.0.1"),
        cacheFolder: null,
        onWarning,
        trust: { stateFolder: tests.path("state"), expected: undefined, onFirstMeeting: () => {} },
      });
      const request: TestRequest = {
        ...{ repository, catalog: await loadCatalog(repository, { onWarning }), spec: given.change?.(spec) ?? spec },
        ...{ specPath: "one.yaml", specDigest: "0".repeat(64), location: tests.repository, trigger: "manual" },
        ...{
          url: null,
          executedBy: "somebody",
          runsFolder: tests.runs,
          signingKeys: [],
          store: false,
          keepFolder: null,
        },
        ...{ drill: null, only: null, ...given.request },
      };
      const { signal = new AbortController().signal, onEvent = () => {} } = given;
      return await runRestoreTest(request, { signal, onEvent, onWarning });
    } finally {
      await backend.close();
    }
  }

  function recordOf({ machines }: TestReport, machine = "vm/web1") {
    const found = machines.find(({ record }) => record.asset.machine === machine);
    assert.ok(found, `no record of ${machine}`);
    return found.record;
  }

  it("knows nothing of a machine that was booting when the time for everything was over", async () => {
    const spec = { ...BOOTS, ready: READY, checks: ["screenshot"] };
    const record = recordOf(await run(spec, { change: (read) => ({ ...read, totalMs: 5_000 }) }));
    assert.equal(record.result.outcome, "inconclusive");
    assert.equal(record.result.provenLevel, "readable");
    const ready = checkOf(record, "level.ready");
    assert.equal(ready.outcome, "inconclusive");
    assert.match(ready.reason ?? "", /the time of the whole test, 5 s, was over/);
    assert.equal(checkOf(record, "screenshot").outcome, "skipped");
    assert.match(record.environment.hypervisor ?? "", /^QEMU/);
    assert.match(record.integrity.teardown.observed, /^process \d+ has ended$/);
    assert.equal(record.integrity.disposal.confirmed, true);
  });

  it("tests nothing when the time for everything is over at once", async () => {
    const report = await run({ ...BOOTS, ready: READY }, { change: (read) => ({ ...read, totalMs: 1 }) });
    assert.deepEqual(report.machines, []);
    assert.deepEqual(
      report.untested.map(({ machine, error }) => [machine, (error as Error).message]),
      [["vm/web1", "the time of the whole test, 1 ms, was over"]],
    );
  });

  it("sees a kernel panic at once, and keeps what stood on the console", async () => {
    const limits = { ...LONG_BOOT, boot: "10m" };
    const spec = { ...BOOTS, machine: "vm/panics", ready: { serial: "never printed" }, timeouts: limits };
    const report = await run(spec);
    const record = recordOf(report, "vm/panics");
    assert.equal(record.result.outcome, "failed");
    assert.equal(record.result.provenLevel, "readable");
    const ready = checkOf(record, "level.ready");
    assert.equal(ready.outcome, "failed");
    assert.match(ready.reason ?? "", /panic|console says so/);
    assert.match(ready.observed, /[Pp]anic/);
    assert.ok(ready.durationMs < 300_000, "long before its time was over");
    const names = report.machines[0]?.artifacts.map(({ name }) => name).toSorted();
    assert.deepEqual(names, ["screen-at-the-end.png", "serial.log"], "it has ended, its last picture is there");
    const log = report.machines[0]?.artifacts.find(({ name }) => name === "serial.log");
    assert.match(Buffer.from(log?.bytes ?? []).toString("latin1"), /Kernel panic - not syncing/);
  });

  it("sees a machine that panics right after it said that it is ready", async () => {
    const spec = { ...BOOTS, machine: "vm/panics", ready: { serial: "FIXTURE-READY" }, timeouts: LONG_BOOT };
    const record = recordOf(await run(spec), "vm/panics");
    assert.equal(record.result.outcome, "failed", record.result.reason);
    assert.notEqual(record.result.provenLevel, "boots");
  });

  it("starts nothing that this host cannot carry", async () => {
    const record = recordOf(await run({ ...BOOTS, hardware: { ...TINY_HARDWARE, memory: "900GiB" } }));
    assert.equal(record.result.outcome, "inconclusive");
    assert.match(checkOf(record, "level.ready").reason ?? "", /MiB of memory are needed, more than this host can give/);
    assert.equal(record.environment.hypervisor, null);
  });

  it("cannot boot what has no disk", async () => {
    const record = recordOf(await run({ ...BOOTS, machine: "host/files" }), "host/files");
    assert.equal(record.result.outcome, "inconclusive");
    assert.match(checkOf(record, "level.ready").reason ?? "", /holds no disk, so nothing can be booted/);
  });

  it("skips a machine whose dependency is not there", async () => {
    const machines = ["vm/nobody", { machine: "vm/web1", "depends-on": ["vm/nobody"] }];
    const report = await run({ level: "boots", hardware: TINY_HARDWARE, machines });
    assert.deepEqual(
      report.untested.map(({ machine }) => machine),
      ["vm/nobody"],
    );
    const record = recordOf(report);
    assert.equal(record.result.outcome, "inconclusive");
    assert.ok(record.checks.every(({ outcome }) => outcome === "skipped"));
    assert.match(record.checks[0]?.reason ?? "", /^vm\/nobody, which it depends on, is not there or did not hold$/);
  });

  it("says when the folder for runs cannot be used", async () => {
    const runsFolder = tests.path("not-there");
    const record = recordOf(await run(BOOTS, { request: { runsFolder } }));
    assert.equal(record.result.outcome, "inconclusive");
    assert.match(
      checkOf(record, "level.ready").reason ?? "",
      /not-there cannot hold .*ENOENT.*\(set TMPDIR to a folder/,
    );
  });

  it("an abort at any point ends it, and leaves nothing", async () => {
    for (const moment of ["machine-started", "check", "disks, instant", "power on, instant"]) {
      const abort = new AbortController();
      const onEvent = (event: TestEvent) => {
        if (event.event === moment || (event.event === "phase" && event.phase === moment))
          abort.abort(new DOMException("enough", "AbortError"));
      };
      await assert.rejects(run({ ...BOOTS, ready: READY }, { onEvent, signal: abort.signal }), /enough/, moment);
      assert.deepEqual(await readdir(tests.runs), [], moment);
      assert.deepEqual(await tests.leftProcesses(), [], moment);
    }
  });
});
