import assert from "node:assert/strict";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { describeBackend } from "../conformance/backend.js";

describeBackend("memory", async () => ({ backend: new MemoryBackend(), cleanup: async () => {} }));

describe("memory backend", () => {
  it("takes its times from the given clock", async () => {
    let clock = 1000;
    const backend = new MemoryBackend({ now: () => clock++ });
    await backend.put("a", new Uint8Array(1));
    await backend.putIfAbsent("b", new Uint8Array(1));
    assert.equal(await backend.putIfAbsent("b", new Uint8Array(1)), "exists");
    assert.equal((await backend.stat("a")).modifiedAtMs, 1000);
    assert.equal((await backend.stat("b")).modifiedAtMs, 1001);
  });

  it("returns to an earlier state, which later changes do not touch", async () => {
    const backend = new MemoryBackend();
    await backend.put("a", new Uint8Array([1]));
    const state = backend.snapshotState();
    for (let round = 0; round < 2; round++) {
      await backend.put("a", new Uint8Array([2]));
      await backend.put("b", new Uint8Array([3]));
      (await backend.get("a")).fill(9);
      backend.restoreState(state);
      assert.deepEqual(await backend.get("a"), new Uint8Array([1]));
      assert.deepEqual([...backend.snapshotState().keys()], ["a"]);
    }
  });
});
