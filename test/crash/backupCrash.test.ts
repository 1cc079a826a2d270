import assert from "node:assert/strict";
import { folder } from "../../core/format/ids.js";
import { listKeys } from "../support/listing.js";
import { TestRepository } from "../support/testRepository.js";
import {
  assertSnapshots,
  assertSound,
  assertTidy,
  crashesOf,
  type Finished,
  nextDay,
  packsOf,
  sampleDisk,
} from "./crashed.js";

describe("a backup that stops after any change", function () {
  this.timeout(60_000);
  const first = { disk: sampleDisk(1) };
  const second = { disk: nextDay(first.disk, 7), more: sampleDisk(2) };
  let made: TestRepository;
  let old: Finished;
  let crashes: Awaited<ReturnType<typeof crashesOf>>;
  let committedBy: number;

  before(async () => {
    made = await TestRepository.make();
    old = { manifest: await made.backUp("vm/web", first), disks: first };
    crashes = await crashesOf(await copyOf(made), (repository) => repository.backUp("vm/web", second));
    committedBy = 0;
    while ((await (await crashes.after(committedBy)).catalog()).snapshots.length < 2) committedBy++;
  });

  async function copyOf(repository: TestRepository): Promise<TestRepository> {
    const nothing = await crashesOf(repository, async () => undefined);
    return nothing.after(0);
  }

  it("announces, stores packs, then the index, then commits, then ends", () => {
    const lines = Array.from({ length: crashes.count }, (_, i) => crashes.describe(i + 1).replace(/^after \d+: /, ""));
    const folders = lines.map((line) => line.replace(/^(\w+) (\w+)\/.*/, "$1 $2"));
    const distinct = folders.filter((line, i) => line !== folders[i - 1]);
    const order = ["put sessions", "put packs", "put index", "putIfAbsent snapshots", "delete sessions"];
    assert.deepEqual(distinct, order);
    assert.ok(lines.filter((line) => line.startsWith("put packs/")).length >= 3, lines.join("\n"));
  });

  it("leaves every finished snapshot, and of the unfinished one nothing to see", async () => {
    for (let changes = 0; changes < committedBy; changes++) {
      const repository = await crashes.after(changes);
      await assertSnapshots(repository, [old], crashes.describe(changes));
      await assertSound(repository, crashes.describe(changes));
    }
  });

  it("exists wholly from its commit on", async () => {
    for (let changes = committedBy; changes <= crashes.count; changes++) {
      const repository = await crashes.after(changes);
      const { snapshots } = await repository.catalog();
      const manifest = snapshots.find(({ sid }) => sid !== old.manifest.sid)!.manifest;
      await assertSnapshots(repository, [old, { manifest, disks: second }], crashes.describe(changes));
      await assertSound(repository, crashes.describe(changes));
    }
  });

  it("does not stand in the way of the next one, which uses what was uploaded", async () => {
    let storedBefore = Number.POSITIVE_INFINITY;
    let newBytes = 0;
    for (let changes = 0; changes <= crashes.count; changes++) {
      const about = crashes.describe(changes);
      const repository = await crashes.after(changes);
      const before = (await repository.catalog()).snapshots.length;
      const manifest = await repository.backUp("vm/web", second);
      assert.equal((await repository.catalog()).snapshots.length, before + 1, about);
      await assertSnapshotRestores(repository, manifest, about);
      await assertSound(repository, about);
      newBytes = manifest.statistics.bytesStored;
      assert.ok(newBytes <= storedBefore, `${about}: ${newBytes} bytes stored after ${storedBefore}`);
      storedBefore = newBytes;
    }
    assert.equal(newBytes, 0, "everything was there already");
  });

  it("costs the next collection nothing but the garbage", async () => {
    const packsBefore = await packsOf(made);
    for (let changes = 0; changes <= crashes.count; changes++) {
      const about = crashes.describe(changes);
      const repository = await crashes.after(changes);
      const { snapshots } = await repository.catalog();
      await repository.gc();
      if (changes < committedBy) assert.deepEqual(await packsOf(repository), packsBefore, about);
      const disks = (sid: string) => (sid === old.manifest.sid ? first : second);
      const kept = snapshots.map(({ sid, manifest }) => ({ manifest, disks: disks(sid) }));
      await assertSnapshots(repository, kept, about);
      await assertSound(repository, about);
      await assertTidy(repository, about);
      const manifest = await repository.backUp("vm/web", second);
      await assertSnapshotRestores(repository, manifest, about);
    }
  });

  it("keeps a patient collection waiting, which loses nothing and is finished later", async () => {
    await made.backUp("vm/other", { disk: sampleDisk(3) });
    const { snapshots } = await made.catalog();
    await made.forget(snapshots.at(-1)!.sid);
    const again = await crashesOf(await copyOf(made), (repository) => repository.backUp("vm/web", second));
    const repository = await again.after(3);
    const waiting = await repository.gc({ fenceAfterMs: 60_000 });
    assert.equal(waiting.waitingFor.length, 1);
    assert.equal(waiting.deletedPacks, 0);
    assert.equal((await listKeys(repository.backend, folder.gc)).length, 1, "the plan stays");
    const manifest = await repository.backUp("vm/web", second);
    const report = await repository.gc();
    assert.ok(report.deletedPacks > 0 && report.deletedBytes > 0, JSON.stringify(report));
    await assertSnapshots(repository, [old, { manifest, disks: second }], "at the end");
    await assertTidy(repository, "at the end");
  });

  async function assertSnapshotRestores(repository: TestRepository, manifest: Finished["manifest"], about: string) {
    const { snapshots } = await repository.catalog();
    const disks = (sid: string) => (sid === old.manifest.sid ? first : second);
    assert.ok(
      snapshots.some(({ sid }) => sid === manifest.sid),
      about,
    );
    const all = snapshots.map((snapshot) => ({ manifest: snapshot.manifest, disks: disks(snapshot.sid) }));
    await assertSnapshots(repository, all, about);
  }
});
