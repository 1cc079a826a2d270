import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { folder } from "../../core/format/ids.js";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertSnapshots, assertTidy, nextDay, packsOf, sampleDisk } from "../crash/crashed.js";
import { InterruptedBackend } from "../support/interruptedBackend.js";
import { TestRepository } from "../support/testRepository.js";

const DAY = 86_400_000;

describe("a collection whose machine sleeps for a month in the middle", function () {
  this.timeout(60_000);
  this.slow(10_000);

  it("neither decides nor deletes by what it saw before, and the next one goes on", async () => {
    const made = await TestRepository.make({ encrypted: false });
    const memory = made.backend as MemoryBackend;
    const disks = { disk: nextDay(sampleDisk(1).subarray(800_000), 7) };
    const doomed = await made.backUp("vm/web", { disk: sampleDisk(1).subarray(800_000) });
    const kept = [{ manifest: await made.backUp("vm/web", disks), disks }];
    await made.forget(doomed.sid);
    const start = memory.snapshotState();
    const startMs = made.environment.nowMs;
    const endings = new Set<string>();
    let slept = true;
    for (let nth = 1; slept; nth++) {
      memory.restoreState(start);
      made.environment.nowMs = startMs;
      slept = false;
      let packs: string[] = [];
      const interrupted = new InterruptedBackend(memory, nth, async () => {
        slept = true;
        made.environment.nowMs += 31 * DAY;
        packs = await packsOf(made);
      });
      const collector = await made.reopen({ backend: interrupted });
      const error = await collector.gc().catch((thrown: unknown) => thrown);
      const about = `asleep before operation ${nth}`;
      if (error instanceof Error) {
        assert.ok(isOurError(error, "SESSION_TOO_OLD"), `${about}: ${error.stack}`);
        const finals = interrupted.mutations.filter(({ key }) => key.startsWith(folder.gc) && key.endsWith(".final"));
        endings.add(finals.length > 0 ? "stopped before a deletion" : "stopped before the final");
        // One that was under way when it fell asleep may still be carried out.
        const gone = packs.length - (await packsOf(made)).filter((key) => packs.includes(key)).length;
        assert.ok(gone <= 1, `${about}: ${gone} packs were deleted after waking up`);
      } else endings.add("went on");
      await assertSnapshots(made, kept, about);
      await made.gc();
      await assertSnapshots(made, kept, about);
      await assertTidy(made, about);
    }
    assert.deepEqual([...endings].sort(), ["stopped before a deletion", "stopped before the final", "went on"]);
  });
});
