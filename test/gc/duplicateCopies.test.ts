import assert from "node:assert/strict";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertSnapshots, assertSound, assertTidy, packsOf } from "../crash/crashed.js";
import { join, noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

describe("chunks with several copies", function () {
  this.timeout(30_000);

  it("are copied out of a pack when the other copies are in packs that are deleted", async () => {
    const made = await TestRepository.make();
    const memory = made.backend as MemoryBackend;
    const empty = memory.snapshotState();
    const common = noise(1, 65_536);
    // Two writers store the same chunks at the same time, each beside much else.
    const first = await made.backUp("vm/a", { disk: join(common, noise(2, 400_000)) });
    const afterFirst = memory.snapshotState();
    memory.restoreState(empty);
    const second = await made.backUp("vm/b", { disk: join(common, noise(3, 400_000)) });
    memory.restoreState(new Map([...afterFirst, ...memory.snapshotState()]));
    const disks = { disk: common };
    const manifest = await made.backUp("vm/c", disks);
    assert.equal(manifest.statistics.chunksNew, 0);
    await made.forget(first.sid, second.sid);
    const before = await packsOf(made);
    const report = await made.gc();
    const actions = new Set(report.plan.packs.map(({ action }) => action));
    assert.ok(
      actions.has("delete") && actions.has("repack"),
      "one copy is deleted with its pack, the other one is moved",
    );
    assert.ok(report.deletedPacks >= 4, `of ${before.length} packs ${report.deletedPacks} were deleted`);
    await assertSnapshots(made, [{ manifest, disks }], "after gc");
    await assertSound(made, "after gc");
    await assertTidy(made, "after gc");
  });
});
