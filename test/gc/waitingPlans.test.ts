import assert from "node:assert/strict";
import { folder } from "../../core/format/ids.js";
import { WriterSession } from "../../core/repository/session.js";
import { assertSnapshots, assertTidy, nextDay, packsOf, sampleDisk } from "../crash/crashed.js";
import { listKeys } from "../support/listing.js";
import { TestRepository } from "../support/testRepository.js";

const HOUR = 3_600_000;

describe("plans that wait for a running backup", function () {
  this.timeout(30_000);

  async function withOpenSession() {
    const made = await TestRepository.make();
    const disks = { disk: nextDay(sampleDisk(1), 7) };
    const doomed = await made.backUp("vm/web", { disk: sampleDisk(1) });
    const manifest = await made.backUp("vm/web", disks);
    await made.forget(doomed.sid);
    const session = await WriterSession.open(made.repository, { purpose: "backup", group: "vm/slow", ...made.options });
    return { made, kept: [{ manifest, disks }], session };
  }

  const plansOf = async (made: TestRepository) =>
    (await listKeys(made.backend, folder.gc)).filter((key) => key.endsWith(".plan"));

  it("are made once, and neither planned nor repacked again by the next collections", async () => {
    const { made, kept, session } = await withOpenSession();
    const first = await made.gc({ fenceAfterMs: HOUR });
    assert.ok(first.repackedPacks > 0);
    assert.deepEqual([first.deletedPacks, first.waitingFor.length], [0, 1]);
    const packs = await packsOf(made);
    for (let day = 0; day < 3; day++) {
      const report = await made.gc({ fenceAfterMs: HOUR });
      assert.deepEqual([report.repackedPacks, report.deletedPacks, report.waitingFor.length], [0, 0, 1]);
      assert.equal((await plansOf(made)).length, 1);
      assert.deepEqual(await packsOf(made), packs);
    }
    await session.abandon("test");
    const last = await made.gc({ fenceAfterMs: HOUR });
    assert.ok(last.deletedPacks >= first.repackedPacks);
    assert.ok(last.deletedBytes > 0, "what an earlier plan has freed counts, too");
    await assertSnapshots(made, kept, "at the end");
    await assertTidy(made, "at the end");
  });

  it("are carried out by the run that gives the silent session up", async () => {
    const { made, kept } = await withOpenSession();
    await made.gc({ fenceAfterMs: HOUR });
    made.environment.nowMs += 2 * HOUR;
    const report = await made.gc({ fenceAfterMs: HOUR });
    assert.ok(report.deletedPacks > 0);
    assert.equal(report.fenced.length, 1, "the report names who was given up");
    await assertSnapshots(made, kept, "at the end");
    await assertTidy(made, "at the end");
  });
});
