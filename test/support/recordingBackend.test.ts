import assert from "node:assert/strict";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { describeBackend } from "../conformance/backend.js";
import { RecordingBackend } from "./recordingBackend.js";

describeBackend("recording", async () => ({
  backend: new RecordingBackend(new MemoryBackend()),
  cleanup: async () => {},
}));

describe("recording backend", () => {
  it("rebuilds the storage after each prefix of its changes, times included", async () => {
    let clockMs = 100;
    const memory = new MemoryBackend({ now: () => clockMs });
    await memory.put("old", new Uint8Array([9]));
    const backend = new RecordingBackend(memory, { now: () => clockMs });
    const states = [memory.snapshotState()];
    const changes = [
      () => backend.put("a", new Uint8Array([1])),
      () => backend.putIfAbsent("b", new Uint8Array([2])),
      () => backend.put("a", new Uint8Array([3])),
      () => backend.delete("old"),
      () => backend.delete("never"),
    ];
    for (const change of changes) {
      clockMs += 10;
      await change();
      states.push(memory.snapshotState());
      // None of these changes anything.
      assert.equal(await backend.putIfAbsent("a", new Uint8Array([7])), "exists");
      await backend.get("b").catch(() => undefined);
      for await (const _ of backend.list("")) break;
      await backend.put("not a key", new Uint8Array(1)).catch(() => undefined);
    }
    assert.deepEqual(
      backend.mutations.map(({ operation, key }) => `${operation} ${key}`),
      ["put a", "putIfAbsent b", "put a", "delete old", "delete never"],
    );
    for (const [count, state] of states.entries()) {
      assert.deepEqual((await backend.replayPrefix(count)).snapshotState(), state, `after ${count}`);
    }
    await assert.rejects(backend.replayPrefix(6));
  });

  it("records what was asked and how it ended", async () => {
    const backend = new RecordingBackend(new MemoryBackend(), { now: () => 1 });
    await backend.get("a").catch(() => undefined);
    await backend.putIfAbsent("a", new Uint8Array([1]));
    await backend.putIfAbsent("a", new Uint8Array([1]));
    for await (const _ of backend.list(""));
    assert.deepEqual(
      backend.operations.map(({ operation, key, outcome }) => [operation, key, outcome]),
      [
        ["get", "a", "failed"],
        ["putIfAbsent", "a", "done"],
        ["putIfAbsent", "a", "exists"],
        ["list", "", "done"],
      ],
    );
  });
});
