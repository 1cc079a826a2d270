import assert from "node:assert/strict";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertSnapshots, assertSound, type Finished } from "../crash/crashed.js";
import { InterruptedBackend } from "../support/interruptedBackend.js";
import { join, noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

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
