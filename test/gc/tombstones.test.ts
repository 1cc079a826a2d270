import assert from "node:assert/strict";
import { folder, objectName } from "../../core/format/ids.js";
import { WriterSession } from "../../core/repository/session.js";
import { assertSnapshots, assertTidy, nextDay, packsOf, sampleDisk } from "../crash/crashed.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { TestRepository } from "../support/testRepository.js";

const DAY = 86_400_000;

describe("tombstones", function () {
  this.timeout(30_000);
  const disks = { disk: nextDay(sampleDisk(1), 7) };

  /** A snapshot that stays, one that was forgotten and collected, and a session that was given up. */
  async function withTombstones() {
    const made = await TestRepository.make();
    const doomed = await made.backUp("vm/web", { disk: sampleDisk(3) });
    const manifest = await made.backUp("vm/web", disks);
    const session = await WriterSession.open(made.repository, { purpose: "backup", group: "vm/x", ...made.options });
    await made.forget(doomed.sid);
    const report = await made.gc();
    assert.deepEqual([report.deletedPacks > 0, report.fenced], [true, [session.sid]]);
    return { made, doomed, kept: [{ manifest, disks }], session };
  }

  const tombstones = async (made: TestRepository) =>
    (
      await Promise.all([folder.snapshots, folder.forgotten, folder.gc].map((prefix) => listKeys(made.backend, prefix)))
    ).map(({ length }) => length);

  it("stay for 90 days by the storage's clock", async () => {
    const { made, kept } = await withTombstones();
    assert.deepEqual(await tombstones(made), [3, 1, 1]);
    made.environment.nowMs += 89 * DAY;
    await made.gc();
    assert.deepEqual(await tombstones(made), [3, 1, 1]);
    made.environment.nowMs += 2 * DAY;
    await made.gc();
    assert.deepEqual(await tombstones(made), [1, 0, 0]);
    await assertSnapshots(made, kept, "at the end");
  });

  it("stay as long as a pack of their session is there", async () => {
    const { made, doomed } = await withTombstones();
    await made.backend.put(`packs/00/${doomed.sid}-00000000`, new Uint8Array(100));
    made.environment.nowMs += 91 * DAY;
    await made.gc({ dryRun: true });
    assert.deepEqual(await tombstones(made), [3, 1, 1]);
  });

  it("do not let a forgotten snapshot come back whose manifest looks younger", async () => {
    const { made, doomed, kept } = await withTombstones();
    made.environment.nowMs += 91 * DAY;
    const name = objectName.snapshot(doomed.sid);
    await made.backend.put(name, await made.backend.get(name)); // as copying a repository does: same bytes, new time
    await made.gc();
    assert.deepEqual(await tombstones(made), [2, 1, 0]);
    await assertSnapshots(made, kept, "after 91 days");
    made.environment.nowMs += 91 * DAY;
    await made.gc();
    assert.deepEqual(await tombstones(made), [1, 0, 0]);
  });

  it("let a plan go on whose damaged final nobody can be following any more", async () => {
    const made = await TestRepository.make();
    const doomed = await made.backUp("vm/web", { disk: sampleDisk(3) });
    const manifest = await made.backUp("vm/web", disks);
    const packs = (await packsOf(made)).filter((key) => key.includes(doomed.sid));
    const session = await WriterSession.open(made.repository, { purpose: "backup", group: "vm/x", ...made.options });
    await made.forget(doomed.sid);
    await made.gc({ fenceAfterMs: DAY });
    const [plan] = await listKeys(made.backend, folder.gc);
    await session.abandon("test");
    const final = plan!.replace(/plan$/, "final");
    await made.backend.put(final, flipped(await made.backend.get(plan!), 70));
    assert.equal((await made.gc()).deletedPacks, packs.length, "by another plan");
    assert.ok(
      (await listKeys(made.backend, folder.gc)).includes(plan!),
      "what was decided is unknown, so the plan stays",
    );
    made.environment.nowMs += 91 * DAY;
    await made.gc();
    assert.deepEqual(await listKeys(made.backend, folder.gc), [plan], "the finals are gone");
    await made.gc();
    assert.deepEqual(await listKeys(made.backend, folder.gc), [final], "decided anew");
    await assertSnapshots(made, [{ manifest, disks }], "at the end");
    await assertTidy(made, "at the end");
  });

  it("that cannot be read, with a plan that cannot be read, keep writers from relying on anything for 90 days", async () => {
    const made = await TestRepository.make();
    const manifest = await made.backUp("vm/web", disks);
    const gid = made.repository.newId();
    await made.backend.put(objectName.plan(gid), new Uint8Array(100));
    await made.backend.put(objectName.final(gid), new Uint8Array(100));
    await made.gc();
    const again = await made.backUp("vm/web", disks);
    assert.equal(again.statistics.chunksNew, manifest.statistics.chunksNew);
    made.environment.nowMs += 91 * DAY;
    await made.gc();
    await made.gc();
    assert.equal((await made.backUp("vm/web", disks)).statistics.chunksNew, 0);
  });

  it("which are damaged hide and free nothing", async () => {
    const made = await TestRepository.make();
    const manifest = await made.backUp("vm/web", disks);
    await made.forget(manifest.sid);
    await changeObject(made.backend, objectName.forgotten(manifest.sid), (bytes) => flipped(bytes, 70));
    await made.gc();
    await assertSnapshots(made, [{ manifest, disks }], "the forgotten object is damaged");
  });
});
