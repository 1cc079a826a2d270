// What the Test Explorer has after files were read or could not be, and after runs that ended or were cancelled; with an editor that
// only keeps what it was told.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { TestEventData, TestRunData } from "../../../extension/service/policyProtocol.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/plainEmitter.js";
import { PlainTestController, PlainUri, testEditor } from "../support/plainTestController.js";

type Imported = typeof import("../../../extension/restoreTests/testExplorer.js");
type OnEvent = (event: TestEventData) => void;

const POLICY = "/w/reprise.yml";
const testIn = (file: string, name: string, machines = ["vm/a"]) => ({
  ...{ file, name, description: "", line: 1 },
  machines: machines.map((machine) => ({ machine, level: "boots", checks: [] })),
});
const check = (id: string) => ({
  ...{ id, type: "tcp", severity: "fail", outcome: "passed" as const, expected: "open", observed: "open" },
  ...{ reason: null, durationMs: 5, line: null },
});

describe("the Test Explorer", () => {
  let explorer: InstanceType<Imported["TestExplorer"]>;
  let controller: PlainTestController;
  let changed: PlainEmitter<PlainUri>;
  /** What a reading of a file finds; a function may throw. */
  let files: Map<string, () => object | undefined>;
  let runTest: (onEvent: OnEvent) => Promise<TestRunData>;
  let kept: unknown[];
  let readings: number;
  const tests =
    (...restoreTests: object[]) =>
    () => ({ data: { problems: [], restoreTests } });
  const fails = () => {
    throw new Error("the background service stopped");
  };
  const tell = async (path: string) => {
    changed.fire(new PlainUri(path));
    await turn();
  };

  beforeEach(async () => {
    controller = new PlainTestController();
    changed = new PlainEmitter();
    files = new Map([[POLICY, tests(testIn(POLICY, "daily", ["vm/a", "vm/b"]), testIn("/far/x.yaml", "far"))]]);
    [kept, readings] = [[], 0];
    const policies = {
      onDidChange: changed.event,
      uris: async (kind: string) => {
        const isPolicy = (path: string) => path === POLICY;
        return [...files.keys()].filter((path) => isPolicy(path) === (kind === "policy")).map(PlainUri.file);
      },
      read: async ({ path }: PlainUri) => {
        readings++;
        return files.get(path)?.();
      },
    };
    const client = {
      call: (_method: string, _argument: unknown, { onEvent }: { onEvent: OnEvent }) => runTest(onEvent),
    };
    const repositories = {
      open: async () => ({}),
      use: async (_: unknown, call: (opened: object) => unknown) => await call({ handle: 1 }),
      changedContents: () => {},
    };
    const results = { keep: async (...given: unknown[]) => void kept.push(given) };
    const { TestExplorer } = await importWithEditor<Imported>(
      "restoreTests/testExplorer.js",
      testEditor(controller, {}),
    );
    const parts = { policies, client, repositories, results, repository: {}, storage: new PlainUri("/storage") };
    explorer = new TestExplorer(parts as never);
  });

  const ALL = ["reprise.yml", " daily", "  vm/a", "  vm/b", "/far/x.yaml", " far", "  vm/a"];

  describe("after files were read", () => {
    it("keeps what was known of a file that cannot be read, and asks again when somebody looks", async () => {
      await explorer.find();
      assert.deepEqual(controller.rows(), ALL);
      const sound = files.get(POLICY) ?? fails;
      files.set(POLICY, fails);
      await tell(POLICY);
      assert.deepEqual(controller.rows(), ALL);
      files.set(POLICY, sound);
      readings = 0;
      await explorer.find();
      await explorer.find();
      assert.equal(readings, 1);
    });

    it("does not say that it has found all when a file could not be read, and shows the others", async () => {
      files.set(POLICY, fails);
      files.set("/w/own.restore-test.yaml", tests(testIn("/w/own.restore-test.yaml", "own")));
      await assert.rejects(explorer.find(), /service stopped/);
      assert.deepEqual(controller.rows(), ["own.restore-test.yaml", " own", "  vm/a"]);
      files.set(POLICY, tests(testIn(POLICY, "daily")));
      await explorer.find();
      assert.deepEqual(controller.rows().slice(3), ["reprise.yml", " daily", "  vm/a"]);
    });

    it("loses the tests of a file that no policy names any more", async () => {
      await explorer.find();
      // another one that names it, too
      files.set("/w/sub/reprise.yml", tests(testIn("/far/x.yaml", "far")));
      await tell("/w/sub/reprise.yml");
      files.set(POLICY, tests(testIn(POLICY, "daily", ["vm/a", "vm/b"])));
      await tell(POLICY);
      assert.deepEqual(controller.rows(), ALL);
      files.delete("/w/sub/reprise.yml");
      await tell("/w/sub/reprise.yml");
      assert.deepEqual(controller.rows(), ALL.slice(0, 4));
    });

    it("keeps a file that is found by itself when a policy does not name it any more", async () => {
      const spec = "/w/own.restore-test.yaml";
      files.set(spec, tests(testIn(spec, "own")));
      files.set(POLICY, tests(testIn(spec, "own")));
      await explorer.find();
      files.set(POLICY, tests());
      await tell(POLICY);
      assert.deepEqual(controller.rows(), ["own.restore-test.yaml", " own", "  vm/a"]);
    });
  });

  describe("after a run", () => {
    const begin = (machine: string, onEvent: OnEvent) => {
      onEvent({ event: "machine-started", machine, snapshot: "s", level: "boots" });
      onEvent({ event: "check", machine, result: check("ssh") });
    };
    const failedA: TestEventData = {
      event: "machine-finished",
      machine: "vm/a",
      outcome: "failed",
      reason: "too slow",
    };
    const run = async () => {
      await explorer.find();
      await explorer.run([controller.item("reprise.yml", "daily")] as never, { location: "/srv", name: "srv" });
    };

    it("that was cancelled, knows how each machine ended that had finished, and nothing of the others", async () => {
      runTest = async (onEvent) => {
        begin("vm/a", onEvent);
        onEvent(failedA);
        begin("vm/b", onEvent);
        throw new DOMException("stopped", "AbortError");
      };
      await run();
      assert.deepEqual(
        controller.told.filter((each) => each.startsWith("vm/")),
        ["vm/a failed too slow", "vm/b skipped"],
      );
      assert.deepEqual(
        controller.told.filter((each) => each.startsWith("ssh")),
        ["ssh passed 5 ms", "ssh passed 5 ms", "ssh skipped"],
      );
      assert.deepEqual(kept, []);
    });

    it("that ended, says each reason once, with the time that it took", async () => {
      const ended = { provenLevel: null, rtoMs: null, report: "", screenshots: [] };
      runTest = async (onEvent) => {
        begin("vm/a", onEvent);
        onEvent(failedA);
        const a = { ...ended, machine: "vm/a", outcome: "failed" as const, reason: "too slow", durationMs: 70 };
        const untested = { machine: "vm/b", message: "no snapshot", code: null, hint: null };
        return { machines: [{ ...a, checks: [check("ssh"), check("rto")] }], untested: [untested] };
      };
      await run();
      assert.deepEqual(controller.told, [
        "ssh passed 5 ms",
        "vm/a failed too slow",
        "rto passed 5 ms",
        "vm/a failed 70 ms",
        "vm/b errored no snapshot",
      ]);
      assert.equal(kept.length, 1);
    });
  });
});
