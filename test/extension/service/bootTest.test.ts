// A restore test that starts a machine, as the editor has it made: what it says and shows, and how it is stopped.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestEventData } from "../../../extension/service/policyProtocol.js";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import { tinyGuest } from "../../fixtures/guests.js";
import { LONG_BOOT, MachineTests, TINY_HARDWARE } from "../../support/machineTests.js";
import { type StartedService, startService } from "../support/startService.js";

describe("a machine that the service starts for a restore test", function () {
  this.timeout(600_000);
  let tests: MachineTests;
  let service: StartedService;
  let info: RepositoryInfo;
  const spec = (ready: string) =>
    JSON.stringify({
      apiVersion: "reprise/v1",
      kind: "RestoreTest",
      metadata: { name: "web1" },
      spec: {
        ...{ machine: "vm/web1", level: "boots", hardware: TINY_HARDWARE, network: "none", timeouts: LONG_BOOT },
        ...{ ready: { serial: ready }, checks: ["screenshot"] },
      },
    });
  const argument = (ready: string) => ({
    ...{ repository: info.handle, path: tests.path("web1.restore-test.yaml"), text: spec(ready), test: "web1" },
    ...{ machine: null, checks: null, reportFolder: tests.path("reports"), toolFolder: null },
  });

  before(async () => {
    tests = await MachineTests.open();
    await tests.backUp("vm/web1", await tinyGuest());
    service = startService();
    info = await service.open(tests.repository, null);
  });
  after(async () => {
    await service?.client.close();
    await tests?.close();
  });

  it("is heard on its console, seen on its screen, and proven to boot", async () => {
    const events: TestEventData[] = [];
    const onEvent = (event: unknown) => void events.push(event as TestEventData);
    const { machines, untested } = await service.client.call("runTest", argument("FIXTURE-READY"), { onEvent });
    assert.deepEqual(untested, []);
    const [machine] = machines;
    assert.deepEqual([machine?.outcome, machine?.provenLevel], ["passed", "boots"], machine?.reason);
    assert.ok((machine?.rtoMs ?? 0) > 0);
    const lines = events.flatMap((event) => (event.event === "console" ? [event.line] : []));
    assert.ok(
      lines.some((line) => line.includes("FIXTURE-READY")),
      lines.join("\n"),
    );
    assert.ok(events.some((event) => event.event === "check" && event.result.id === "screenshot"));
    assert.match(readFileSync(machine?.report ?? "", "utf8"), /^<!doctype html>/i);
    assert.ok((machine?.screenshots ?? []).length > 0 && machine?.screenshots.every((path) => existsSync(path)));
  });

  it("is gone at once when the call is cancelled", async () => {
    const abort = new AbortController();
    let cancelledAtMs = 0;
    let running: number[] = [];
    const onEvent = (event: unknown) => {
      if ((event as TestEventData).event !== "console" || cancelledAtMs > 0) return;
      running = children();
      cancelledAtMs = Date.now();
      abort.abort();
    };
    const call = service.client.call("runTest", argument("never printed"), { onEvent, signal: abort.signal });
    await assert.rejects(call, { name: "AbortError" });
    assert.ok(running.length > 0);
    while (running.some((pid) => children().includes(pid))) {
      assert.ok(Date.now() - cancelledAtMs < 10_000, "a process is left");
      await sleep(20);
    }
    // the next call finds the service in order
    const { machines } = await service.client.call("catalog", { repository: info.handle });
    assert.equal(machines.length, 1);
  });
});

/** Processes that any thread of this one has started and that are still there. */
function children(): number[] {
  return readdirSync("/proc/self/task").flatMap((thread) => {
    const listed = readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim();
    return listed === "" ? [] : listed.split(" ").map(Number);
  });
}
