import assert from "node:assert/strict";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertSnapshots, assertSound, type Finished } from "../crash/crashed.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { join, noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

/** Calls `before` once, just before the nth operation that is not the probe's. */
class InterruptedBackend extends RecordingBackend {
  #left: number;
  readonly #before: () => Promise<void>;

  constructor(inner: MemoryBackend, nth: number, before: () => Promise<void>) {
    super(inner);
    this.#left = nth;
    this.#before = before;
  }

  async #count(key: string): Promise<void> {
    if (!key.startsWith("probe/") && --this.#left === 0) await this.#before();
  }

  override async get(...args: Parameters<RecordingBackend["get"]>) {
    await this.#count(args[0]);
    return super.get(...args);
  }

  override async stat(...args: Parameters<RecordingBackend["stat"]>) {
    await this.#count(args[0]);
    return super.stat(...args);
  }

  override async put(...args: Parameters<RecordingBackend["put"]>) {
    await this.#count(args[0]);
    return super.put(...args);
  }

  override async putIfAbsent(...args: Parameters<RecordingBackend["putIfAbsent"]>) {
    await this.#count(args[0]);
    return super.putIfAbsent(...args);
  }

  override async *list(...args: Parameters<RecordingBackend["list"]>) {
    await this.#count(args[0]);
    yield* super.list(...args);
  }

  override async delete(...args: Parameters<RecordingBackend["delete"]>) {
    await this.#count(args[0]);
    return super.delete(...args);
  }
}

describe("a whole backup between two operations of a collection", function () {
  this.timeout(120_000);
  this.slow(10_000);
  const stretch = (seed: number) => noise(seed, 60_000);

  it("neither makes it fail nor loses anything, whichever two", async () => {
    const made = await TestRepository.make({ encrypted: false });
    const memory = made.backend as MemoryBackend;
    const doomed = await made.backUp("vm/a", { disk: join(stretch(1), stretch(2)) });
    const old: Finished = { disks: { disk: join(stretch(2), stretch(3)) }, manifest: doomed };
    old.manifest = await made.backUp("vm/a", old.disks);
    await made.forget(doomed.sid);
    const start = memory.snapshotState();
    // Uses what the collection wants to delete, and brings something new.
    const disks = { disk: join(stretch(1), stretch(4)) };
    let happened = true;
    let nth = 1;
    for (; happened; nth++) {
      memory.restoreState(start);
      happened = false;
      const about = `before operation ${nth} of the collection`;
      const expected = [old];
      const interrupted = new InterruptedBackend(memory, nth, async () => {
        happened = true;
        expected.push({ manifest: await made.backUp("vm/b", disks), disks });
      });
      const collector = await made.reopen({ backend: interrupted });
      await collector.gc().catch((error: unknown) => assert.fail(`${about}: ${String(error)}`));
      await assertSnapshots(made, expected, about);
      await assertSound(made, about);
    }
    assert.ok(nth > 50, `${nth} operations`);
  });
});
