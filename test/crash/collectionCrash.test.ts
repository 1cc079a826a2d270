import assert from "node:assert/strict";
import { TestRepository } from "../support/testRepository.js";
import { assertSnapshots, assertSound, assertTidy, crashesOf, type Finished, nextDay, sampleDisk } from "./crashed.js";

describe("a collection that stops after any change", function () {
  this.timeout(60_000);
  const days = [{ disk: sampleDisk(1) }, { disk: nextDay(sampleDisk(1), 7) }, { disk: sampleDisk(3) }];
  let made: TestRepository;
  let kept: Finished[];
  let crashes: Awaited<ReturnType<typeof crashesOf>>;

  before(async () => {
    made = await TestRepository.make();
    const snapshots: Finished[] = [];
    for (const disks of days) snapshots.push({ manifest: await made.backUp("vm/web", disks), disks });
    await made.forget(snapshots[0]!.manifest.sid, snapshots[2]!.manifest.sid);
    kept = [snapshots[1]!];
    crashes = await crashesOf(made, async (repository) => {
      const report = await repository.gc();
      assert.ok(report.repackedPacks > 0, "something is repacked");
      assert.ok(report.deletedPacks > report.repackedPacks, "something is deleted as it is");
    });
  });

  it("writes copies before the plan, and the final before it deletes", () => {
    const lines = Array.from({ length: crashes.count }, (_, i) => crashes.describe(i + 1).replace(/^after \d+: /, ""));
    const first = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line));
    const steps = [
      first(/^put sessions/),
      first(/^put packs/),
      first(/^put index/),
      first(/^putIfAbsent snapshots/),
      first(/^put gc.*plan/),
      first(/^putIfAbsent gc.*final/),
      first(/^delete packs/),
      first(/^delete gc.*plan/),
    ];
    assert.deepEqual(
      steps,
      [...steps].sort((a, b) => a - b),
      lines.join("\n"),
    );
    assert.ok(!steps.includes(-1), lines.join("\n"));
  });

  it("loses nothing, and the next one finishes it", async () => {
    for (let changes = 0; changes <= crashes.count; changes++) {
      const about = crashes.describe(changes);
      const repository = await crashes.after(changes);
      await assertSnapshots(repository, kept, about);
      await assertSound(repository, about);
      await repository.gc();
      await assertSnapshots(repository, kept, about);
      await assertSound(repository, about);
      await assertTidy(repository, about);
    }
  });

  it("does not spoil the next backup", async () => {
    for (let changes = 0; changes <= crashes.count; changes++) {
      const about = crashes.describe(changes);
      const repository = await crashes.after(changes);
      const manifest = await repository.backUp("vm/web", days[0]!);
      await repository.gc();
      await assertSnapshots(repository, [...kept, { manifest, disks: days[0]! }], about);
      await assertSound(repository, about);
    }
  });
});

describe("forgetting that stops after any change", function () {
  this.timeout(60_000);

  it("has forgotten some whole snapshots and no others", async () => {
    const made = await TestRepository.make();
    const snapshots: Finished[] = [];
    for (const seed of [1, 2, 3]) {
      const disks = { disk: sampleDisk(seed) };
      snapshots.push({ manifest: await made.backUp("vm/web", disks), disks });
    }
    const doomed = snapshots.slice(0, 2).map(({ manifest }) => manifest.sid);
    const crashes = await crashesOf(made, (repository) => repository.forget(...doomed));
    assert.equal(crashes.count, 2);
    for (let changes = 0; changes <= crashes.count; changes++) {
      const repository = await crashes.after(changes);
      await assertSnapshots(repository, snapshots.slice(changes), crashes.describe(changes));
      await repository.gc();
      await assertSnapshots(repository, snapshots.slice(changes), crashes.describe(changes));
      await assertSound(repository, crashes.describe(changes));
    }
  });
});
