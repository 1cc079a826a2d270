import assert from "node:assert/strict";
import { DrillBackend } from "../../../core/restoreTest/drill/drillBackend.js";
import { MemoryBackend } from "../../../core/storage/memoryBackend.js";
import { describeBackend } from "../../conformance/backend.js";

describeBackend("drill", async () => ({
  backend: new DrillBackend(new MemoryBackend()),
  cleanup: async () => {},
}));

describe("the storage of a drill", () => {
  const keysOf = async (backend: MemoryBackend | DrillBackend, prefix = "") => {
    const keys: string[] = [];
    for await (const { key } of backend.list(prefix)) keys.push(key);
    return keys;
  };

  it("never changes the real one", async () => {
    const real = new MemoryBackend();
    for (const key of ["a/1", "a/2", "b/1"]) await real.put(key, Uint8Array.of(1, 2, 3));
    const drill = new DrillBackend(real);
    await drill.put("a/1", Uint8Array.of(9));
    await drill.put("a/15", Uint8Array.of(9));
    await drill.delete("a/2");
    assert.equal(await drill.putIfAbsent("b/1", Uint8Array.of(9)), "exists");
    assert.equal(await drill.putIfAbsent("a/2", Uint8Array.of(8)), "created");
    await drill.delete("b/1");
    assert.deepEqual(await keysOf(drill, "a/"), ["a/1", "a/15", "a/2"]);
    assert.deepEqual(await keysOf(drill), ["a/1", "a/15", "a/2"]);
    assert.deepEqual(await drill.get("a/1"), Uint8Array.of(9));
    await assert.rejects(drill.get("b/1"), { code: "OBJECT_NOT_FOUND" });
    assert.deepEqual(await keysOf(real), ["a/1", "a/2", "b/1"]);
    for (const key of ["a/1", "a/2", "b/1"]) assert.deepEqual(await real.get(key), Uint8Array.of(1, 2, 3));
  });

  it("changes what was destroyed in every read that touches it, and nothing else", async () => {
    const real = new MemoryBackend();
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
    await real.put("packs/x", bytes);
    const drill = new DrillBackend(real);
    drill.destroy("packs/x", { offset: 5, length: 4 });
    const wanted = bytes.map((byte, i) => (i >= 5 && i < 9 ? byte ^ 0x5a : byte));
    assert.deepEqual(await drill.get("packs/x"), wanted);
    for (const [offset, length] of [
      [0, 5],
      [3, 4],
      [6, 2],
      [8, 5],
      [9, 11],
    ] as const) {
      const part = await drill.get("packs/x", { range: { offset, length } });
      assert.deepEqual(part, wanted.slice(offset, offset + length));
    }
    const tail = await drill.get("packs/x", { range: { offset: -13, length: 13 } });
    assert.deepEqual(tail, wanted.slice(7));
    const into = new Uint8Array(20);
    assert.deepEqual(await drill.get("packs/x", { into }), wanted);
    assert.deepEqual(await real.get("packs/x"), bytes);
  });
});
