import assert from "node:assert/strict";
import { folder } from "../../core/format/ids.js";
import { applyRepairIndex, planRepairIndex } from "../../core/repair/repairIndex.js";
import { assertSnapshots, packsOf, sampleDisk } from "../crash/crashed.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { TestRepository } from "../support/testRepository.js";

const DAMAGE: Record<string, (pack: Uint8Array) => Uint8Array> = {
  "table of contents is destroyed": (pack) => flipped(pack, pack.length - 1),
  "end is missing": (pack) => pack.slice(0, -200),
};

describe("packs whose contents are unknown", function () {
  this.timeout(30_000);

  for (const [name, damage] of Object.entries(DAMAGE)) {
    it(`are kept: the ${name}, and there is no index`, async () => {
      const made = await TestRepository.make();
      const disks = { disk: sampleDisk(1), other: sampleDisk(2) };
      const manifest = await made.backUp("vm/web", disks);
      const packs = await packsOf(made);
      for (const key of packs) if (!key.endsWith("-ffffffff")) await changeObject(made.backend, key, damage);
      for (const key of await listKeys(made.backend, folder.index)) await made.backend.delete(key);
      made.takeWarnings();
      const report = await made.gc();
      assert.equal(report.deletedPacks, 0);
      assert.ok(made.takeWarnings().includes("PACK_TRAILER_DAMAGED"));
      const held = report.plan.packs.filter(({ action, reason }) => action === "keep" && /repair index/.test(reason));
      assert.equal(held.length, packs.length - 1);
      assert.deepEqual(await packsOf(made), packs);
      await applyRepairIndex(made.repository, await planRepairIndex(made.repository, made.options), made.options);
      await made.gc();
      await assertSnapshots(made, [{ manifest, disks }], "after repair index");
    });
  }

  it("are deleted once repair index has read them and nothing in them is needed", async () => {
    const made = await TestRepository.make();
    const manifest = await made.backUp("vm/web", { disk: sampleDisk(1) });
    for (const key of await packsOf(made)) await changeObject(made.backend, key, DAMAGE["end is missing"]!);
    for (const key of await listKeys(made.backend, folder.index)) await made.backend.delete(key);
    await made.forget(manifest.sid);
    assert.equal((await made.gc()).deletedPacks, 0);
    await applyRepairIndex(made.repository, await planRepairIndex(made.repository, made.options), made.options);
    assert.ok((await made.gc()).deletedPacks > 0);
    assert.deepEqual(await packsOf(made), []);
  });
});
