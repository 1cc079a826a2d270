import assert from "node:assert/strict";
import { executePlan, writePlan } from "../../core/gc/planExecution.js";
import { applyRepairSnapshots, planRepairSnapshots } from "../../core/repair/repairSnapshots.js";
import { listPacks } from "../../core/repository/presence.js";
import { packsOf, sampleDisk } from "../crash/crashed.js";
import { assertCode } from "../support/assertCode.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { TestRepository } from "../support/testRepository.js";

describe("repairing a snapshot while a collector works", function () {
  this.timeout(30_000);

  async function damaged() {
    const made = await TestRepository.make();
    const manifest = await made.backUp("vm/web", { disk: sampleDisk(1) });
    const [pack] = await packsOf(made);
    await changeObject(made.backend, pack!, (bytes) => flipped(bytes, 5000));
    const report = await made.verify({ record: true });
    assert.equal(report.ok, false);
    const catalog = await made.catalog();
    const plan = await planRepairSnapshots(made.repository, catalog, made.options);
    assert.equal(plan.repairs.length, 1);
    const packs = [...(await listPacks(made.repository, {})).keys()];
    const isMetadata = (name: string) => name.endsWith("-ffffffff");
    const victims = { maps: packs.filter(isMetadata), chunks: packs.filter((name) => !isMetadata(name)) };
    const repair = () => applyRepairSnapshots(made.repository, catalog, plan, made.options);
    return { made, manifest, victims, repair };
  }

  it("makes a snapshot of what is left", async () => {
    const { made, manifest, repair } = await damaged();
    const [repaired] = await repair();
    await made.forget(manifest.sid);
    await made.gc();
    const { snapshots } = await made.verify();
    assert.deepEqual(
      snapshots.map(({ sid, result }) => [sid, result]),
      [[repaired!.sid, "ok"]],
    );
    await made.restore(repaired!, "disk");
  });

  for (const what of ["maps", "chunks"] as const) {
    it(`does not take over ${what} that are about to be deleted`, async () => {
      const { made, manifest, victims, repair } = await damaged();
      await made.forget(manifest.sid);
      // A collector has planned to delete what was forgotten, and has seen that nobody is announced.
      const { gid } = await writePlan(made.repository, victims[what]);
      await assertCode(repair(), "REPAIR_OVERTAKEN");
      await executePlan(made.repository, gid, { ...made.options, fenceAfterMs: 0 });
      assert.deepEqual((await made.catalog()).snapshots, [], "no snapshot without its chunks");
    });
  }
});
