import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { objectName } from "../../core/format/ids.js";
import { applyRepairIndex, planRepairIndex } from "../../core/repair/repairIndex.js";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import {
  type DamageSample,
  listBlobs,
  makeDamageSample,
  type StoredBlob,
  sampleDisks,
} from "../support/damageSample.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped, swapObjects } from "../support/objectChanges.js";
import { restoreToFile } from "../support/restoreToFile.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

async function damage(sample: DamageSample, ...blobs: StoredBlob[]): Promise<void> {
  for (const { pack, end } of blobs) {
    await changeObject(sample.test.backend, objectName.pack(pack), (bytes) => flipped(bytes, end - 1, 0x40));
  }
}

/** The same machines with the same data once more. */
async function backUpAgain({ test }: DamageSample): Promise<void> {
  const { first, second, other, config } = sampleDisks;
  await test.backUp("vm/a", { root: second, data: other }, { files: [{ name: "a.conf", bytes: config }] });
  await test.backUp("vm/a", { root: first });
}

async function assertAllRestore(sample: DamageSample, folder: string): Promise<void> {
  for (const manifest of sample.manifests) {
    const bytes = sample.disks.get(`${manifest.sid}/root`);
    assert.deepEqual(await sample.test.restore(manifest, "root"), bytes);
    const path = `${folder}/${manifest.sid}-${Math.random()}`;
    assert.deepEqual((await restoreToFile(sample.test, manifest, "root", path)).bytes, bytes);
  }
}

for (const encrypted of [true, false]) {
  describe(`healing: ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(60_000);
    let sample: DamageSample;
    let folder: TemporaryFolder;
    beforeEach(async () => {
      sample = await makeDamageSample({ encrypted });
      folder = await makeTemporaryFolder("healing");
    });
    afterEach(() => folder.remove());

    for (const kind of ["chunk", "page", "root", "file"] as const) {
      it(`a damaged ${kind} is stored anew by the next backup of the same data, and gc removes the damaged copy`, async () => {
        const { test } = sample;
        const blob = sample.blobs.find((candidate) => candidate.kind === kind && sample.needs.has(candidate.id));
        assert.ok(blob);
        await damage(sample, blob);
        const before = await test.verify({ record: true });
        assert.equal(before.ok, false);
        assert.ok(before.snapshots.some(({ result }) => result === "damaged"));

        await backUpAgain(sample);
        const healed = await test.verify({ record: true });
        assert.ok(
          healed.snapshots.every(({ result }) => result === "ok"),
          JSON.stringify(healed.snapshots),
        );
        assert.deepEqual(
          healed.packs.problems.map(({ pack }) => pack),
          [blob.pack],
          "the bad copy is still there",
        );
        await assertAllRestore(sample, folder.path);

        await test.gc();
        assert.ok(!(await listKeys(test.backend)).includes(objectName.pack(blob.pack)), "the pack is gone");
        const clean = await test.verify();
        assert.equal(clean.ok, true, JSON.stringify(clean.packs.problems));
        await assertAllRestore(sample, folder.path);
        assert.deepEqual(
          (await test.gc()).plan.packs.filter(({ action }) => action !== "keep"),
          [],
        );
      });
    }

    it("without a verification before it, nothing is read again, so nothing is stored anew", async () => {
      const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id))!;
      await damage(sample, blob);
      await backUpAgain(sample);
      assert.equal((await sample.test.verify()).ok, false);
    });

    it("a gc before the next backup keeps what is left of a damaged pack", async () => {
      const { test } = sample;
      const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id))!;
      await damage(sample, blob);
      await test.verify({ record: true });
      await test.gc();
      await test.gc();
      const report = await test.verify();
      const lost = report.snapshots.flatMap(({ damaged }) => damaged);
      assert.deepEqual(lost.length, sample.needs.get(blob.id)?.length, "no more is lost than before");
      await backUpAgain(sample);
      await test.gc();
      assert.equal((await test.verify()).ok, true);
      await assertAllRestore(sample, folder.path);
    });

    it("packs exchanged for one another heal in the same way", async () => {
      const { test } = sample;
      const needed = [...new Set(sample.blobs.filter(({ id }) => sample.needs.has(id)).map(({ pack }) => pack))];
      assert.ok(needed.length >= 2);
      await swapObjects(test.backend, objectName.pack(needed[0]!), objectName.pack(needed[1]!));
      await test.verify({ record: true });
      await backUpAgain(sample);
      const healed = await test.verify({ record: true });
      assert.ok(
        healed.snapshots.every(({ result }) => result === "ok"),
        JSON.stringify(healed.snapshots),
      );
      await assertAllRestore(sample, folder.path);
      await test.gc();
      const after = await test.verify();
      assert.ok(after.snapshots.every(({ result }) => result === "ok"));
      // Nobody can tell any more what they hold under these names, so gc does not touch them.
      assert.deepEqual(new Set(after.packs.problems.map(({ pack }) => pack)), new Set(needed.slice(0, 2)));
      await assertAllRestore(sample, folder.path);
    });

    it("packs exchanged for one another get their names back from repair index, killed at any time", async () => {
      const { test } = sample;
      const needed = [...new Set(sample.blobs.filter(({ id }) => sample.needs.has(id)).map(({ pack }) => pack))];
      const [one, other] = needed.map((pack) => objectName.pack(pack)) as [string, string];
      await swapObjects(test.backend, one, other);
      const swapped = (test.backend as MemoryBackend).snapshotState();
      let isDone = false;
      for (let nth = 1; !isDone; nth++) {
        (test.backend as MemoryBackend).restoreState(swapped);
        const killed = new FaultyBackend(test.backend).fullFromPut(nth);
        const again = await test.reopen({ backend: killed });
        const plan = await planRepairIndex(again.repository, test.options);
        assert.deepEqual(
          plan.swapped.map(({ action }) => action),
          ["copy", "copy"],
        );
        assert.deepEqual(plan.unreadable, []);
        try {
          await applyRepairIndex(again.repository, plan, test.options);
          isDone = true;
        } catch (error) {
          assert.ok(isOurError(error, "STORAGE_FULL"), String(error));
        }
        const second = await planRepairIndex(test.repository, test.options);
        assert.deepEqual(second.unreadable, [], `after put ${nth}`);
        await applyRepairIndex(test.repository, second, test.options);
        assert.equal((await test.verify()).ok, true, `after put ${nth}`);
        assert.deepEqual(await listKeys(test.backend, "parked/"), []);
      }
      await assertAllRestore(sample, folder.path);
    });

    it("a pack under another's name comes back where its own is missing, and no good pack is overwritten", async () => {
      const { test } = sample;
      const needed = [...new Set(sample.blobs.filter(({ id }) => sample.needs.has(id)).map(({ pack }) => pack))];
      const [one, other] = needed.map((pack) => objectName.pack(pack)) as [string, string];
      const bytes = await test.backend.get(other);
      await test.backend.put(one, bytes);
      const plan = await planRepairIndex(test.repository, test.options);
      assert.deepEqual(
        plan.swapped.map(({ action }) => action),
        ["none"],
      );
      assert.deepEqual(
        plan.unreadable.map(({ pack }) => pack),
        [needed[0]],
      );
      await test.backend.delete(other);
      const again = await planRepairIndex(test.repository, test.options);
      assert.deepEqual(
        again.swapped.map(({ action }) => action),
        ["copy"],
      );
      await applyRepairIndex(test.repository, again, test.options);
      assert.deepEqual(await test.backend.get(other), bytes);
    });

    it("every pack cut to nothing heals, too", async () => {
      const { test } = sample;
      for (const key of await listKeys(test.backend, "packs/")) await test.backend.put(key, new Uint8Array(0));
      assert.ok((await test.verify({ record: true })).snapshots.every(({ result }) => result === "damaged"));
      await backUpAgain(sample);
      assert.ok((await test.verify()).snapshots.every(({ result }) => result === "ok"));
      await assertAllRestore(sample, folder.path);
    });

    it("a restore takes another copy where one is damaged, and says so, whichever the index names first", async () => {
      const { test } = sample;
      const needed = sample.blobs.filter(({ id }) => sample.needs.has(id));
      await damage(sample, ...needed);
      await test.verify({ record: true });
      // The quarantine makes these backups store everything again; then it is taken away, so that readers try in vain.
      await backUpAgain(sample);
      for (const key of await listKeys(test.backend, "quarantine/")) await test.backend.delete(key);
      const warnings = [await warningsOfRestore()];
      // Now the other way round: the old copies are good, the new ones are not.
      await damage(sample, ...needed);
      const old = new Set(sample.blobs.map(({ pack }) => pack));
      await damage(sample, ...(await listBlobs(test.repository)).filter(({ pack }) => !old.has(pack)));
      warnings.push(await warningsOfRestore());
      assert.deepEqual(
        warnings.flat().filter((code) => code !== "CHUNK_COPY_DAMAGED"),
        [],
      );
      assert.ok(warnings.flat().length > 0);
    });

    async function warningsOfRestore(): Promise<string[]> {
      sample.test.takeWarnings();
      const manifest = sample.manifests[0]!;
      const restored = await restoreToFile(sample.test, manifest, "root", `${folder.path}/copy-${Math.random()}`);
      assert.deepEqual(restored.bytes, sample.disks.get(`${manifest.sid}/root`));
      assert.deepEqual(restored.lost, []);
      const warnings = sample.test.takeWarnings();
      await assertAllRestore(sample, folder.path);
      return warnings;
    }
  });
}
