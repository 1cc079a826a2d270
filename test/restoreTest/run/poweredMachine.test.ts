// Power up and down where what supplies the machine fails, and where KVM does.

import assert from "node:assert/strict";
import { RepriseError } from "../../../core/errors.js";
import type { Accelerator } from "../../../core/hypervisor/accelerator.js";
import type { MachineEnd } from "../../../core/hypervisor/machineEnd.js";
import type { RunningMachine } from "../../../core/hypervisor/runningMachine.js";
import { SerialLog } from "../../../core/hypervisor/serialLog.js";
import { PoweredMachine, type PowerSupply } from "../../../core/restoreTest/run/poweredMachine.js";
import { RunLog } from "../../../core/restoreTest/run/runLog.js";
import { readRestoreTestSpec } from "../../../core/restoreTest/spec/readSpec.js";
import type { MachineTest } from "../../../core/restoreTest/spec/restoreTestSpec.js";

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
const SCREEN = { width: 1, height: 1, rgb: new Uint8Array(3), png: PNG };

interface Made {
  console?: string;
  end?: MachineEnd["kind"];
  stop?: () => Promise<void>;
}

function machine({ console = "", end, stop = async () => {} }: Made): RunningMachine {
  const serial = new SerialLog();
  serial.feed(new TextEncoder().encode(console));
  const rest = { exitCode: 0, signalName: null, lastWords: "", atMs: 0 };
  const ending: Promise<MachineEnd> =
    end === undefined
      ? new Promise(() => {})
      : Promise.resolve({ ...rest, kind: end, description: `it was ${end}`, lastScreenshot: SCREEN });
  const screenshot = async () => {
    if (end !== undefined) throw new Error("it has ended");
    return SCREEN;
  };
  const parts = {
    serial,
    end: ending,
    stop,
    screenshot,
    pid: 7,
    version: "9.9",
    arguments: [],
    notes: ["a note"],
    overlays: [],
  };
  return { ...parts, agent: null } as unknown as RunningMachine;
}

describe("a machine's power", () => {
  let test: MachineTest;
  let log: RunLog;
  before(async () => {
    const spec = {
      machine: "vm/web1",
      level: "boots",
      ready: { serial: "UP" },
      timeouts: { restore: "1s", boot: "5s" },
    };
    const document = { apiVersion: "reprise/v1", kind: "RestoreTest", metadata: { name: "one" }, spec };
    const read = await readRestoreTestSpec(JSON.stringify(document), "one.yaml");
    test = read.machines[0] as MachineTest;
  });
  beforeEach(() => {
    log = new RunLog("vm/web1", Date.now(), () => {});
  });

  function power(supply: Partial<PowerSupply>, signal = new AbortController().signal): PoweredMachine {
    const disks = { disks: [], readErrors: () => [], close: async () => {} };
    const start = async () => machine({ console: "UP\n" });
    return new PoweredMachine(test, log, { provideDisks: async () => disks, start, ...supply }, signal);
  }

  function only() {
    assert.equal(log.results.length, 1);
    const [result] = log.results;
    return result ?? assert.fail();
  }

  it("comes up, and goes down without a trace", async () => {
    const powered = power({});
    assert.equal(await powered.powerUp("instant"), true);
    assert.equal(only().outcome, "passed");
    assert.deepEqual(powered.deviations, ["a note"]);
    assert.equal(powered.rto.length, 1);
    await powered.powerDown();
    assert.deepEqual(powered.teardown, { confirmed: true, observed: "process 7 has ended" });
    assert.deepEqual(
      log.artifacts.map(({ name }) => name),
      ["serial.log"],
    );
  });

  it("says so when it cannot be taken down", async () => {
    const stop = () => Promise.reject(new Error("process 7 is still there"));
    const powered = power({ start: async () => machine({ console: "UP\n", stop }) });
    await powered.powerUp("instant");
    await powered.powerDown();
    assert.deepEqual(powered.teardown, { confirmed: false, observed: "process 7 is still there" });
  });

  it("fails for damaged data, and knows nothing after any other error", async () => {
    const damaged = new RepriseError("corrupt", "RESTORE_DAMAGED", "chunks are lost");
    const errors: [unknown, string][] = [
      [damaged, "failed"],
      [new Error("the storage does not answer"), "inconclusive"],
    ];
    for (const [error, outcome] of errors) {
      log = new RunLog("vm/web1", Date.now(), () => {});
      assert.equal(await power({ provideDisks: () => Promise.reject(error) }).powerUp("restored"), false);
      assert.equal(only().outcome, outcome);
      assert.match(only().reason ?? "", /^the machine could not be started \(restored\): /);
    }
  });

  it("knows nothing when a restore takes too long", async () => {
    const provideDisks: PowerSupply["provideDisks"] = (_way, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    assert.equal(await power({ provideDisks }).powerUp("restored"), false);
    assert.equal(only().outcome, "inconclusive");
  });

  it("keeps the last picture of a machine that has ended by itself", async () => {
    const powered = power({ start: async () => machine({ end: "powered-off" }) });
    assert.equal(await powered.powerUp("instant"), false);
    assert.equal(only().outcome, "failed");
    assert.equal(only().reason, "it was powered-off");
    await powered.keepLastPicture();
    assert.deepEqual(
      log.artifacts.map(({ name }) => name),
      ["screen-at-the-end.png"],
    );
  });

  it("is not well when the machine ends before it is taken down", async () => {
    const ends = { panicked: "failed", "powered-off": "failed", "disk-error": "inconclusive", crashed: "inconclusive" };
    for (const [kind, outcome] of Object.entries(ends)) {
      log = new RunLog("vm/web1", Date.now(), () => {});
      let finish = (_end: MachineEnd) => {};
      const end = new Promise<MachineEnd>((resolve) => {
        finish = resolve;
      });
      const powered = power({ start: async () => ({ ...machine({ console: "UP\n" }), end }) });
      await powered.powerUp("instant");
      await powered.noteEarlyEnd();
      assert.equal(only().outcome, "passed");
      finish({ ...(await machine({ end: kind as MachineEnd["kind"] }).end) });
      await powered.noteEarlyEnd();
      assert.equal(log.results[1]?.id, "level.stays-up");
      assert.equal(log.results[1]?.outcome, outcome);
      assert.equal(log.results[1]?.reason, `it was ${kind}`);
    }
  });

  it("knows nothing of a machine whose hypervisor crashed", async () => {
    assert.equal(await power({ start: async () => machine({ end: "crashed" }) }).powerUp("instant"), false);
    assert.equal(only().outcome, "inconclusive");
  });

  it("is emulated when KVM gives up, and the record says so", async () => {
    const used: string[] = [];
    const start = async (_disks: unknown, accelerator: Accelerator) => {
      used.push(accelerator.kind);
      return accelerator.kind === "kvm" ? machine({ end: "internal-error" }) : machine({ console: "UP\n" });
    };
    const powered = power({ start });
    powered.accelerator = { kind: "kvm", reason: "a test", slowdown: 1 };
    assert.equal(await powered.powerUp("instant"), true);
    assert.deepEqual(used, ["kvm", "tcg"]);
    assert.equal(only().outcome, "passed");
    assert.match(powered.deviations.join(), /KVM could not run this machine .*started again with emulation/);
    assert.equal(powered.accelerator?.kind, "tcg");
  });
});
