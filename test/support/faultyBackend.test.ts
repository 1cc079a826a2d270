import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { describeBackend } from "../conformance/backend.js";
import { FaultyBackend } from "./faultyBackend.js";

describeBackend("faulty, without faults", async () => ({
  backend: new FaultyBackend(new MemoryBackend()),
  cleanup: async () => {},
}));

describe("faulty backend", () => {
  const failed = (error: unknown) => isOurError(error, "STORAGE_FAILED");
  const full = (error: unknown) => isOurError(error, "STORAGE_FULL");
  let memory: MemoryBackend;
  let backend: FaultyBackend;
  beforeEach(async () => {
    memory = new MemoryBackend();
    await memory.put("a", new Uint8Array([1, 2, 3]));
    backend = new FaultyBackend(memory);
  });

  it("fails instead of the effect, or after it", async () => {
    backend.fail("put", { kind: "before" }).fail("put", { kind: "after" }).fail("delete", { kind: "after" });
    await assert.rejects(backend.put("b", new Uint8Array(1)), failed);
    await assert.rejects(memory.get("b"));
    await assert.rejects(backend.put("b", new Uint8Array(1)), failed);
    assert.equal((await memory.get("b")).length, 1);
    await backend.put("b", new Uint8Array(2));
    await assert.rejects(backend.delete("b"), failed);
    await assert.rejects(memory.get("b"));
    backend.assertAllReached();
  });

  it("damages answers of get, not the object", async () => {
    backend.fail("get", { kind: "short" }).fail("get", { kind: "flip", offset: -1 }).fail("get", { kind: "flip" });
    assert.deepEqual(await backend.get("a"), new Uint8Array([1, 2]));
    assert.deepEqual(await backend.get("a"), new Uint8Array([1, 2, 2]));
    assert.deepEqual(await backend.get("a"), new Uint8Array([0, 2, 3]));
    assert.deepEqual(await backend.get("a"), new Uint8Array([1, 2, 3]));
  });

  it("strikes only the keys, the calls and with the error asked for", async () => {
    const error = new Error("mine");
    backend.fail("stat", { kind: "before", key: /^b/, skip: 1, times: 2, error });
    await memory.put("b", new Uint8Array(1));
    await backend.stat("b");
    await backend.stat("a");
    for (let n = 0; n < 2; n++) await assert.rejects(backend.stat("b"), error);
    await backend.stat("b");
    backend.assertAllReached();
  });

  it("fails listings before the first and after the last entry", async () => {
    backend.fail("list", { kind: "before", key: "x/" }).fail("list", { kind: "after" });
    const seen: string[] = [];
    const list = async (prefix: string) => {
      for await (const { key } of backend.list(prefix)) seen.push(key);
    };
    await assert.rejects(list("x/"), failed);
    assert.deepEqual(seen, []);
    await assert.rejects(list(""), failed);
    assert.deepEqual(seen, ["a"]);
    await list("");
  });

  it("is full from the nth put on, until there is space", async () => {
    backend.fullFromPut(2);
    await backend.put("b", new Uint8Array(1));
    await assert.rejects(backend.putIfAbsent("c", new Uint8Array(1)), full);
    await assert.rejects(backend.put("c", new Uint8Array(1)), full);
    await backend.delete("b");
    backend.freeSpace();
    await backend.put("c", new Uint8Array(1));
    backend.assertAllReached();
  });

  it("fails the test when a fault was not reached, or not often enough", async () => {
    assert.throws(() => new FaultyBackend(memory).fullFromPut(1).assertAllReached(), /never became full/);
    backend.fail("get", { kind: "before", times: 2 });
    assert.throws(() => backend.assertAllReached(), /never reached/);
    await assert.rejects(backend.get("a"), failed);
    assert.throws(() => backend.assertAllReached(), /never reached/);
  });
});
