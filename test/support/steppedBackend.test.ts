import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { isOurError } from "../../core/errors.js";
import type { Backend } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { describeBackend } from "../conformance/backend.js";
import { Scheduler } from "./steppedBackend.js";

describeBackend("stepped, everything granted at once", async () => {
  const scheduler = new Scheduler();
  const backend = scheduler.wrap("only", new MemoryBackend());
  let open = true;
  void (async () => {
    while (open) {
      await scheduler.settle();
      while (scheduler.pending().length > 0) await scheduler.step(0);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  })();
  return {
    backend,
    cleanup: async () => {
      open = false;
    },
  };
});

const text = (value: string) => new TextEncoder().encode(value);
const shown = (scheduler: Scheduler) =>
  scheduler.pending().map(({ process, operation, key }) => `${process}: ${operation} ${key}`);

/** Reads a number, adds one, writes it back: loses updates when two of them interleave. */
async function increment(backend: Backend): Promise<number> {
  const value = (await backend.get("counter"))[0]!;
  for (let n = 0; n < 50; n++) await Promise.resolve(); // work between operations, as promise chains …
  deflateSync(new Uint8Array(1000)); // … and synchronous
  await backend.put("counter", new Uint8Array([value + 1]));
  return value + 1;
}

describe("scheduler", () => {
  let memory: MemoryBackend;
  let scheduler: Scheduler;
  beforeEach(async () => {
    memory = new MemoryBackend();
    await memory.put("counter", new Uint8Array([0]));
    scheduler = new Scheduler();
  });

  it("runs every interleaving that is asked for, and no other", async () => {
    const start = memory.snapshotState();
    const outcomes: Record<string, number> = {};
    // Two processes with two operations each: 6 interleavings.
    for (const order of ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]) {
      memory.restoreState(start);
      scheduler = new Scheduler();
      const results = ["A", "B"].map((name) => scheduler.spawn(name, memory, increment));
      await scheduler.settle();
      for (const name of order) await scheduler.step(scheduler.pending().findIndex(({ process }) => process === name));
      await Promise.all(results);
      assert.deepEqual(scheduler.pending(), []);
      assert.deepEqual(scheduler.running(), []);
      outcomes[order] = (await memory.get("counter"))[0]!;
    }
    assert.deepEqual(outcomes, { AABB: 2, ABAB: 1, ABBA: 1, BAAB: 1, BABA: 1, BBAA: 2 });
  });

  it("shows what waits, parallel operations of one process included", async () => {
    void scheduler.spawn("A", memory, async (backend) => {
      await Promise.all([backend.put("x", text("1")), backend.put("y", text("2")), increment(backend)]);
    });
    void scheduler.spawn("B", memory, (backend) => backend.delete("x"));
    await scheduler.settle();
    assert.deepEqual(shown(scheduler), ["A: put x", "A: put y", "A: get counter", "B: delete x"]);
    await scheduler.step(2);
    assert.deepEqual(shown(scheduler), ["A: put x", "A: put y", "B: delete x", "A: put counter"]);
    assert.equal(await scheduler.run(() => 0), 4);
    assert.deepEqual([...memory.snapshotState().keys()].sort(), ["counter", "y"]);
  });

  it("crashes a process where it stands; what it had sent may still arrive", async () => {
    let reached = "";
    const result = scheduler.spawn("A", memory, async (backend) => {
      const both = Promise.all([backend.put("x", text("late")), backend.get("counter")]);
      await both;
      reached = "after";
      await backend.put("z", text("never"));
    });
    let settled = false;
    void result.finally(() => {
      settled = true;
    });
    await scheduler.settle();
    scheduler.crash("A");
    await scheduler.settle();
    assert.deepEqual(scheduler.pending(), []);
    assert.deepEqual(scheduler.running(), []);
    assert.deepEqual(scheduler.zombies(), [{ process: "A", operation: "put", key: "x" }]);
    await assert.rejects(memory.get("x"));
    await scheduler.stepZombie(0);
    assert.deepEqual(await memory.get("x"), text("late"));
    assert.deepEqual([reached, settled, scheduler.zombies()], ["", false, []]);
  });

  it("loses a reply on request: the effect stays, the process sees an error", async () => {
    const result = scheduler.spawn("A", memory, async (backend) => {
      const first = await backend.putIfAbsent("s", text("1")).catch((error: unknown) => error);
      return [isOurError(first, "STORAGE_FAILED"), await backend.putIfAbsent("s", text("1"))];
    });
    await scheduler.settle();
    await scheduler.step(0, "lost");
    await scheduler.step(0);
    assert.deepEqual(await result, [true, "exists"]);
  });

  it("passes errors and results on", async () => {
    const result = scheduler.spawn("A", memory, (backend) => backend.get("none"));
    await scheduler.settle();
    await scheduler.step(0);
    await assert.rejects(result, (error) => isOurError(error, "OBJECT_NOT_FOUND"));
  });

  it("grants listings page by page when asked, each page with what is there then", async () => {
    scheduler = new Scheduler({ pageEntries: 2 });
    for (const key of ["x/1", "x/2", "x/3", "x/5"]) await memory.put(key, text(key));
    const seen: string[] = [];
    void scheduler.spawn("A", memory, async (backend) => {
      for await (const { key } of backend.list("x/")) seen.push(key);
    });
    await scheduler.settle();
    await scheduler.step(0);
    assert.deepEqual(seen, ["x/1", "x/2"]);
    await memory.delete("x/3");
    await memory.put("x/1a", text("behind"));
    await memory.put("x/4", text("ahead"));
    assert.equal(await scheduler.run(() => 0), 2);
    assert.deepEqual(seen, ["x/1", "x/2", "x/4", "x/5"]);
  });

  it("waits for a process that lets the event loop turn, and reports one that never comes back", async () => {
    void scheduler.spawn("slow", memory, async (backend) => {
      for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
      await backend.put("x", text("1"));
    });
    await scheduler.settle();
    assert.deepEqual(shown(scheduler), ["slow: put x"]);
    void scheduler.spawn("stuck", memory, () => new Promise<void>(() => undefined));
    await assert.rejects(scheduler.settle(), /stuck/);
    scheduler.crash("stuck");
    await scheduler.step(0);
    assert.deepEqual(scheduler.running(), []);
  });

  it("is quick enough for many runs", async () => {
    const start = performance.now();
    void scheduler.spawn("A", memory, async (backend) => {
      for (let n = 0; n < 2000; n++) await backend.put("x", text("1"));
    });
    assert.equal(await scheduler.run(() => 0), 2000);
    assert.ok(performance.now() - start < 60_000);
  });
});
