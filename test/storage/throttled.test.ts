import assert from "node:assert/strict";
import { isAbort, isOurError } from "../../core/errors.js";
import type { Backend } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { throttleBackend } from "../../core/storage/throttledBackend.js";
import { describeBackend } from "../conformance/backend.js";

describeBackend("throttled", async () => ({
  backend: throttleBackend(new MemoryBackend(), { bytesPerSecond: 1e12 }),
  cleanup: async () => {},
}));

/** Besides deleteMany, which it always has; the compiler compares the wrapper itself with the interface. */
const OPTIONAL = ["traffic", "protection", "lockUntil", "versions", "getVersion"] as const;

describe("throttled backend", () => {
  let clockMs: number;
  let memory: MemoryBackend;
  let backend: Backend;
  let waits: number[];
  beforeEach(() => {
    clockMs = 5000;
    waits = [];
    memory = new MemoryBackend();
    const sleep = async (ms: number) => {
      waits.push(ms);
      clockMs += ms;
    };
    backend = throttleBackend(memory, { bytesPerSecond: 1000, now: () => clockMs, sleep });
  });

  it("lets puts through at the rate", async () => {
    for (let n = 0; n < 10; n++) await backend.put(`a/${n}`, new Uint8Array(500));
    await backend.putIfAbsent("b", new Uint8Array(500));
    assert.equal(clockMs - 5000, 10 * 500, "the last one starts when the ten before it are paid for");
  });

  it("counts what get returns, ranges as ranges", async () => {
    await memory.put("a", new Uint8Array(3000));
    await backend.get("a");
    assert.deepEqual(waits, []);
    await backend.get("a", { range: { offset: 0, length: 100 } });
    await backend.get("a", { range: { offset: -50, length: 0 } });
    await backend.put("b", new Uint8Array(1));
    assert.deepEqual(waits, [3000, 100, 50]);
  });

  it("serves operations under way at once in the order of their calls", async () => {
    const waiting: { ms: number; wake: () => void }[] = [];
    const sleep = (ms: number) => new Promise<void>((wake) => waiting.push({ ms, wake }));
    const slow = throttleBackend(memory, { bytesPerSecond: 1000, now: () => clockMs, sleep });
    const puts = [0, 1, 2, 3].map((n) => slow.put(`${n}`, new Uint8Array(1000)));
    await puts[0];
    assert.deepEqual(
      waiting.map(({ ms }) => ms),
      [1000, 2000, 3000],
    );
    assert.deepEqual([...memory.snapshotState().keys()], ["0"], "the others have not begun");
    for (const { wake } of waiting) wake();
    await Promise.all(puts);
  });

  it("gives credit for at most one idle second", async () => {
    clockMs += 60_000;
    await backend.put("a", new Uint8Array(1000));
    await backend.put("b", new Uint8Array(1000));
    assert.deepEqual(waits, []);
    await backend.put("c", new Uint8Array(1000));
    assert.deepEqual(waits, [1000]);
  });

  it("does not slow down listings, stat and delete", async () => {
    await backend.put("a", new Uint8Array(100_000));
    await backend.stat("a");
    for await (const _ of backend.list(""));
    await backend.delete("a");
    assert.deepEqual(waits, []);
  });

  it("can be aborted while it waits, without effect", async () => {
    const real = throttleBackend(memory, { bytesPerSecond: 1 });
    const controller = new AbortController();
    await real.put("a", new Uint8Array(3600));
    const waiting = real.put("b", new Uint8Array(1), { signal: controller.signal });
    setImmediate(() => controller.abort());
    await assert.rejects(waiting, isAbort);
    assert.deepEqual([...memory.snapshotState().keys()], ["a"]);
  });

  it("holds the rate against the real clock", async () => {
    const real = throttleBackend(memory, { bytesPerSecond: 1_000_000 });
    const startMs = performance.now();
    for (let n = 0; n < 5; n++) await real.put(`${n}`, new Uint8Array(50_000));
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs > 190 && tookMs < 60_000, `4 × 50 ms, not ${tookMs}`);
  });

  it("has what the storage has: every optional member, and none that it lacks", async () => {
    const calls: unknown[][] = [];
    const answer = (name: string) =>
      function (this: unknown, ...given: unknown[]) {
        calls.push([name, this === whole, ...given]);
        return name === "getVersion" ? Promise.resolve(new Uint8Array(3000)) : name;
      };
    const whole = Object.assign(new MemoryBackend(), {
      parallelReads: 4,
      ...Object.fromEntries(OPTIONAL.map((name) => [name, answer(name)])),
    }) as unknown as Backend;
    const wrapped = throttleBackend(whole, { bytesPerSecond: 1000, now: () => clockMs, sleep: async () => {} });
    assert.equal(wrapped.parallelReads, 4);
    const times = { untilMs: 2, whenLessThanMs: 1 };
    assert.equal(wrapped.traffic?.() as unknown, "traffic");
    assert.equal((await wrapped.protection?.({})) as unknown, "protection");
    assert.equal((await wrapped.lockUntil?.("a", times)) as unknown, "lockUntil");
    assert.equal(wrapped.versions?.("a/") as unknown, "versions");
    assert.equal((await wrapped.getVersion?.("a", "1"))?.length, 3000);
    assert.deepEqual(calls, [
      ["traffic", true],
      ["protection", true, {}],
      ["lockUntil", true, "a", times],
      ["versions", true, "a/"],
      ["getVersion", true, "a", "1", undefined],
    ]);
    for (const name of OPTIONAL) assert.equal(backend[name], undefined, name);
  });

  it("counts the bytes of older versions", async () => {
    const kept = Object.assign(new MemoryBackend(), { getVersion: async () => new Uint8Array(3000) });
    const sleep = async (ms: number) => void waits.push(ms);
    const slow = throttleBackend(kept, { bytesPerSecond: 1000, now: () => clockMs, sleep });
    await slow.getVersion?.("a", "1");
    await slow.put("b", new Uint8Array(1));
    assert.deepEqual(waits, [3000]);
  });

  it("refuses limits that are none", () => {
    for (const bytesPerSecond of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => throttleBackend(memory, { bytesPerSecond }),
        (error) => isOurError(error, "BANDWIDTH_LIMIT_INVALID"),
      );
    }
  });
});
