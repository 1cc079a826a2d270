import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { RepriseError } from "../../core/errors.js";
import type { Backend, GetOptions, ObjectReader } from "../../core/storage/backend.js";
import { laneStorage, openLaneStorage } from "../../core/storage/laneStorage.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { throttleBackend } from "../../core/storage/throttledBackend.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

/** As one behind a network: its reads are served to other threads. */
class FarBackend extends MemoryBackend {
  readonly parallelReads = 4;
  readonly reads: GetOptions[] = [];

  override get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    this.reads.push(options);
    if (key === "hangs") return new Promise((_, reject) => void options.signal?.addEventListener("abort", reject));
    return super.get(key, options);
  }
}

async function readerOf(backend: Backend): Promise<ObjectReader> {
  const lane = laneStorage(backend);
  assert.ok(lane !== null);
  return await openLaneStorage(lane.storage);
}

const bytes = new Uint8Array(1000).map((_, i) => i);

describe("the storage of lanes", () => {
  let far: FarBackend;
  let reader: ObjectReader;
  beforeEach(async () => {
    far = new FarBackend();
    await far.put("packs/a", bytes);
    reader = await readerOf(far);
  });
  afterEach(() => reader.close());

  it("is a folder by itself, or nothing where one thread must see all", async () => {
    const folder = await makeTemporaryFolder("lanes");
    const local = await openLocalBackend(folder.path);
    await local.put("a", bytes);
    const own = await readerOf(local);
    assert.deepEqual(await own.get("a"), bytes);
    assert.equal(await openLaneStorage(local), local, "a lane on this thread takes the backend itself");
    assert.equal(laneStorage(new MemoryBackend()), null);
    assert.equal(laneStorage(throttleBackend(local, { bytesPerSecond: 1 })), null, "workers would have no limit");
    await folder.remove();
  });

  it("behind a network is read by the thread that has it, also through a bandwidth limit", async () => {
    const limited = await readerOf(throttleBackend(far, { bytesPerSecond: 1e9 }));
    for (const each of [reader, limited]) {
      assert.equal(each.parallelReads, 4);
      assert.deepEqual(await each.get("packs/a"), bytes);
      assert.deepEqual(await each.get("packs/a", { range: { offset: -10, length: 10 } }), bytes.subarray(-10));
      const { key, sizeBytes } = await each.stat("packs/a");
      assert.deepEqual([key, sizeBytes], ["packs/a", 1000]);
    }
    await limited.close();
  });

  it("moves memory there and back: the answer is a view of what was given", async () => {
    const memory = new Uint8Array(4000);
    const answer = await reader.get("packs/a", { into: memory });
    assert.equal(memory.length, 0, "given away");
    assert.deepEqual([answer.buffer.byteLength, answer.byteOffset], [4000, 0]);
    assert.deepEqual(answer, bytes);
    const again = await reader.get("packs/a", { into: new Uint8Array(answer.buffer) });
    assert.deepEqual([again.buffer.byteLength, again.length], [4000, 1000]);
    const small = await reader.get("packs/a", { into: new Uint8Array(10) });
    assert.deepEqual(small, bytes, "too small is no harm");
    assert.deepEqual(await far.get("packs/a"), bytes, "and the storage keeps its own");
  });

  it("tells errors as they are", async () => {
    const error = await assertCode(reader.get("packs/b"), "OBJECT_NOT_FOUND");
    assert.ok(error instanceof RepriseError);
    await assertCode(reader.stat("packs/b"), "OBJECT_NOT_FOUND");
    await assertCode(reader.get("packs/a", { range: { offset: 999, length: 2 } }), "OBJECT_RANGE");
  });

  it("gives up what is under way when the lane is gone", async () => {
    const reading = assert.rejects(reader.get("hangs"), /closed/);
    while (far.reads.length === 0) await new Promise(setImmediate);
    await reader.close();
    await reading;
    const { signal } = far.reads[0] as GetOptions;
    while (!signal?.aborted) await new Promise(setImmediate);
    await assert.rejects(reader.get("packs/a"), /closed/);
  });

  it("does so as well when the thread was ended", async () => {
    const lane = laneStorage(far);
    assert.ok(lane !== null);
    const code =
      "require('node:worker_threads').parentPort.on('message', ({ port }) => " +
      "port.postMessage({ call: 0, get: { key: 'hangs' } }))";
    const worker = new Worker(code, { eval: true });
    worker.postMessage(lane.storage, lane.transfer);
    while (far.reads.length === 0) await new Promise(setImmediate);
    await worker.terminate();
    while (!far.reads[0]?.signal?.aborted) await new Promise(setImmediate);
  });
});
