import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { objectName } from "../../core/format/ids.js";
import { applyRepairIndex, planRepairIndex } from "../../core/repair/repairIndex.js";
import { applyRepairSnapshots, planRepairSnapshots } from "../../core/repair/repairSnapshots.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { resolveSnapshot } from "../../core/repository/snapshotName.js";
import { restoreFile } from "../../core/restore/restoreFile.js";
import { assertCode } from "../support/assertCode.js";
import { type DamageSample, makeDamageSample, type StoredBlob, sampleDisks } from "../support/damageSample.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped, withFlip } from "../support/objectChanges.js";
import { restoreToFile } from "../support/restoreToFile.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { archiveOf } from "../support/testRepository.js";

async function deleteIndex({ test }: DamageSample): Promise<void> {
  for (const key of await listKeys(test.backend, "index/")) await test.backend.delete(key);
}

function zeroFrom(count: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => bytes.map((byte, at) => (at >= bytes.length - count ? 0 : byte));
}

async function destroyTrailers({ test }: DamageSample): Promise<void> {
  // Footer and the end of the entries; the header's copy stays.
  for (const key of await listKeys(test.backend, "packs/")) {
    await changeObject(test.backend, key, (bytes) => bytes.map((byte, at) => (at >= bytes.length - 32 ? 0 : byte)));
  }
}

async function assertRestores(sample: DamageSample): Promise<void> {
  for (const manifest of sample.manifests) {
    assert.deepEqual(await sample.test.restore(manifest, "root"), sample.disks.get(`${manifest.sid}/root`));
  }
}

for (const encrypted of [true, false]) {
  describe(`salvage: ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(60_000);
    let sample: DamageSample;
    let folder: TemporaryFolder;
    beforeEach(async () => {
      sample = await makeDamageSample({ encrypted });
      folder = await makeTemporaryFolder("salvage");
    });
    afterEach(() => folder.remove());
    const options = () => sample.test.options;

    it("without any index object the packs' own tables are enough, for reading and for writing", async () => {
      const { test } = sample;
      await deleteIndex(sample);
      await assertRestores(sample);
      assert.equal((await test.verify()).ok, true);
      const again = await test.backUp("ct/b", { root: sample.disks.get(`${sample.manifests[0]?.sid}/root`)! });
      assert.equal(again.statistics.chunksNew, 0);
      assert.ok((await listKeys(test.backend, "index/")).length > 0, "the backup has described the packs again");
      assert.deepEqual(test.takeWarnings(), []);
    });

    it("with every trailer destroyed the index is enough", async () => {
      await destroyTrailers(sample);
      await assertRestores(sample);
    });

    for (const at of [0, 8, 9, 20, 40, 60]) {
      it(`with byte ${at} of each pack's header changed, its second copy is enough`, async () => {
        for (const key of await listKeys(sample.test.backend, "packs/")) {
          await changeObject(sample.test.backend, key, (bytes) => flipped(bytes, at, 0x82));
        }
        await assertRestores(sample);
        const report = await sample.test.verify();
        assert.ok(report.snapshots.every(({ result }) => result === "ok"));
        assert.equal(report.packs.problems.length, report.packs.listed);
        await deleteIndex(sample);
        await assertRestores(sample);
      });
    }

    it("without index and trailers, repair index finds everything by scanning", async () => {
      const { test } = sample;
      await deleteIndex(sample);
      await destroyTrailers(sample);
      const before = await test.verify({ readData: false });
      assert.ok(before.snapshots.every(({ result }) => result === "damaged"));
      const plan = await planRepairIndex(test.repository, options());
      assert.equal(plan.scanned.length, (await listKeys(test.backend, "packs/")).length);
      assert.ok(!plan.upToDate);
      const found = plan.scanned.reduce((sum, { blobs }) => sum + blobs, 0);
      assert.equal(found, sample.blobs.length);
      await applyRepairIndex(test.repository, plan, options());
      await assertRestores(sample);
      assert.ok((await test.verify()).snapshots.every(({ result }) => result === "ok"));
      assert.equal((await planRepairIndex(test.repository, options())).upToDate, true);
      await test.gc();
      await assertRestores(sample);
    });

    it("a gc repacks a pack whose trailer is destroyed, and afterwards all is clean", async () => {
      const { test } = sample;
      await destroyTrailers(sample);
      await test.gc();
      await assertRestores(sample);
      const report = await test.verify();
      assert.ok(report.snapshots.every(({ result }) => result === "ok"));
    });

    for (const kind of ["chunk", "page", "root", "file"] as const) {
      it(`the header of a ${kind} destroyed costs nothing while the table of contents is whole`, async () => {
        const { test } = sample;
        const blob = sample.blobs.find((candidate) => candidate.kind === kind && sample.needs.has(candidate.id))!;
        for (const at of [0, 5, 9, 17, 30, 61]) {
          await withFlip(test.backend, objectName.pack(blob.pack), blob.start + at, 0x41, async () => {
            await assertRestores(sample);
            const presence = await loadPresenceForReading(test.repository, options());
            const [first] = sample.manifests;
            const file = await restoreFile(test.repository, presence, archiveOf(first!, "a.conf"), options());
            assert.deepEqual(file, sampleDisks.config);
            const path = `${folder.path}/${at}`;
            assert.deepEqual((await restoreToFile(test, first!, "root", path)).lost, []);
            const report = await test.verify();
            assert.deepEqual(
              [report.ok, report.packs.problems[0]?.id],
              [false, blob.id],
              "it is reported all the same",
            );
          });
        }
      });
    }

    it("repair snapshots stores a chunk anew whose header is destroyed, and no snapshot is changed", async () => {
      const { test } = sample;
      const blob = sample.blobs.find((candidate) => candidate.kind === "chunk" && isOfFirst(candidate))!;
      await changeObject(test.backend, objectName.pack(blob.pack), (bytes) => flipped(bytes, blob.start + 30));
      await test.verify({ record: true });
      const catalog = await test.catalog();
      const plan = await planRepairSnapshots(test.repository, catalog, options());
      assert.deepEqual([plan.rewrites, plan.repairs], [[blob.id], []]);
      assert.deepEqual(await applyRepairSnapshots(test.repository, catalog, plan, options()), []);
      const report = await test.verify({ record: true });
      assert.ok(report.snapshots.every(({ result }) => result === "ok"));
      assert.deepEqual((await planRepairSnapshots(test.repository, catalog, options())).rewrites, []);
      await assertRestores(sample);
      await test.gc();
      await assertRestores(sample);
    });

    it("a header of a blob destroyed as well costs that blob only", async () => {
      const { test } = sample;
      await deleteIndex(sample);
      await destroyTrailers(sample);
      const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id))!;
      await changeObject(test.backend, objectName.pack(blob.pack), (bytes) => flipped(bytes, blob.start + 30));
      const plan = await planRepairIndex(test.repository, options());
      await applyRepairIndex(test.repository, plan, options());
      const report = await test.verify();
      const expected = sample.needs.get(blob.id)?.map(({ snapshot, offset }) => `${snapshot} ${offset}`);
      const lost = report.snapshots.flatMap(({ damaged }) =>
        damaged.map(({ snapshot, offset }) => `${snapshot} ${offset}`),
      );
      assert.deepEqual(lost.sort(), expected?.sort());
    });

    it("a trailer and a header of a blob destroyed while the index is there: the blob's snapshots are named", async () => {
      const { test } = sample;
      const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id))!;
      await changeObject(test.backend, objectName.pack(blob.pack), (bytes) =>
        zeroFrom(32)(flipped(bytes, blob.start + 30)),
      );
      const report = await test.verify({ record: true });
      const lost = report.snapshots.flatMap(({ damaged }) =>
        damaged.map(({ snapshot, offset }) => `${snapshot} ${offset}`),
      );
      const expected = sample.needs.get(blob.id)?.map(({ snapshot, offset }) => `${snapshot} ${offset}`);
      assert.deepEqual(lost.sort(), expected?.sort());
    });

    it("an index object that describes the wrong things is found out and replaced", async () => {
      const { test } = sample;
      const plan = await planRepairIndex(test.repository, options());
      assert.equal(plan.upToDate, true);
      const [key] = await listKeys(test.backend, "index/");
      await test.backend.put(key!, new Uint8Array(70));
      await assertRestores(sample);
      const again = await planRepairIndex(test.repository, options());
      assert.equal(again.upToDate, false);
      await applyRepairIndex(test.repository, again, options());
      assert.equal((await test.verify()).ok, true);
    });

    it("a restore of a damaged disk fails with the place and the remedy, and leaves nothing", async () => {
      const { test } = sample;
      const blob = await damageOne();
      const [lost] = sample.needs.get(blob.id)!;
      const manifest = sample.manifests.find(({ sid }) => sid === lost?.snapshot)!;
      const error = await assertCode(
        restoreToFile(test, manifest, lost!.archive, `${folder.path}/x`),
        "RESTORE_DAMAGED",
      );
      assert.equal(error.data.archive, lost?.archive);
      assert.ok((error.data.offsets as number[]).includes(lost!.offset));
      assert.match(String(error.hint), /skip-damaged/);
      assert.deepEqual(await readdir(folder.path), []);
      await assertCode(test.restore(manifest, lost!.archive), "RESTORE_DAMAGED");
    });

    it("with --skip-damaged everything else is written, the lost ranges are zeros, named, and nothing else", async () => {
      const { test } = sample;
      const blob = await damageOne();
      const parts = sample.needs.get(blob.id)!.filter(({ snapshot }) => snapshot === sample.manifests[0]!.sid);
      const manifest = sample.manifests[0]!;
      const restored = await restoreToFile(test, manifest, "root", `${folder.path}/x`, { skipDamaged: true });
      const expected = sample.disks.get(`${manifest.sid}/root`)!.slice();
      for (const { offset, length } of parts) expected.fill(0, offset, offset + length);
      assert.deepEqual(restored.bytes, expected);
      const ranges = restored.lost.map(({ offset, length }) => ({ offset, length }));
      assert.deepEqual(
        ranges,
        parts.map(({ offset, length }) => ({ offset, length })),
      );
      assert.ok(test.takeWarnings().includes("RANGE_LOST"));
      assert.ok(existsSync(`${folder.path}/x`));
    });

    it("a pack that is missing is named by verify and by restore, whatever it held", async () => {
      const { test } = sample;
      for (const kind of ["chunk", "root"] as const) {
        const { pack } = sample.blobs.find((blob) => blob.kind === kind && isOfFirst(blob))!;
        const bytes = await test.backend.get(objectName.pack(pack));
        await test.backend.delete(objectName.pack(pack));
        for (const readData of [true, false]) {
          const { packs, snapshots } = await test.verify({ readData });
          assert.deepEqual(
            packs.problems.map((problem) => [problem.pack, problem.code, problem.needed]),
            [[pack, "PACK_MISSING", true]],
          );
          assert.ok(snapshots[0]?.damaged.some(({ reason }) => reason.includes(pack)));
        }
        for (const restore of [
          () => restoreToFile(test, sample.manifests[0]!, "root", `${folder.path}/x`),
          () => test.restore(sample.manifests[0]!, "root"),
        ]) {
          await assert.rejects(restore, (error: Error) => error.message.includes(pack));
        }
        await test.backend.put(objectName.pack(pack), bytes);
      }
    });

    it("with --skip-damaged a chunk that is in no pack is skipped, too", async () => {
      const { test } = sample;
      const { pack } = sample.blobs.find((blob) => blob.kind === "chunk" && isOfFirst(blob))!;
      await test.backend.delete(objectName.pack(pack));
      const manifest = sample.manifests[0]!;
      await assertCode(restoreToFile(test, manifest, "root", `${folder.path}/x`), "RESTORE_DAMAGED");
      const restored = await restoreToFile(test, manifest, "root", `${folder.path}/x`, { skipDamaged: true });
      const expected = sample.disks.get(`${manifest.sid}/root`)!.slice();
      for (const { offset, length } of restored.lost) expected.fill(0, offset, offset + length);
      assert.deepEqual(restored.bytes, expected);
      assert.ok(restored.lost.length > 0);
    });

    for (const kind of ["chunk", "page", "root"] as const) {
      it(`repair snapshots saves all but a lost ${kind}, beside the damaged snapshot`, async () => {
        const { test } = sample;
        const blob = sample.blobs.find((candidate) => candidate.kind === kind && isOfFirst(candidate))!;
        await damageBlob(blob);
        await test.verify({ record: true });
        const catalog = await test.catalog();
        const plan = await planRepairSnapshots(test.repository, catalog, options());
        const harmed = new Set(sample.needs.get(blob.id)?.map(({ snapshot }) => snapshot));
        assert.deepEqual(new Set(plan.repairs.map(({ sid }) => sid)), harmed);
        assert.equal((await test.catalog()).snapshots.length, catalog.snapshots.length, "a plan changes nothing");
        const made = await applyRepairSnapshots(test.repository, catalog, plan, options());
        assert.equal(made.length, plan.repairs.filter(({ repairable }) => repairable).length);
        for (const manifest of made) await assertRepaired(manifest.repairedFrom!, manifest);
      });
    }

    async function assertRepaired(from: string, repaired: (typeof sample.manifests)[number]): Promise<void> {
      const { test } = sample;
      const expected = sample.disks.get(`${from}/root`)!.slice();
      const { lost } = repaired.archives.find(({ name }) => name === "root")!;
      assert.ok(lost.length > 0);
      for (const [offset, length] of lost) expected.fill(0, offset, offset + length);
      assert.deepEqual(await test.restore(repaired, "root"), expected);
      const { snapshots } = await test.catalog();
      assert.ok(
        snapshots.some(({ sid }) => sid === from),
        "the damaged one stays",
      );
      const { group, namespace } = repaired;
      const name = `${namespace === "" ? "" : `${namespace}:`}${group}@latest`;
      const latest = resolveSnapshot(name, { snapshots, unreadable: [] });
      if (latest.manifest.time === repaired.time)
        assert.equal(latest.sid, repaired.sid, "the repaired one is the latest");
      const report = await test.verify({ snapshots: snapshots.filter(({ sid }) => sid === repaired.sid) });
      assert.ok(report.snapshots.every(({ result }) => result === "ok"));
    }

    function isOfFirst({ id }: StoredBlob): boolean {
      return (
        sample.needs
          .get(id)
          ?.some(({ snapshot, archive }) => snapshot === sample.manifests[0]!.sid && archive === "root") ?? false
      );
    }

    async function damageBlob(blob: StoredBlob): Promise<void> {
      await changeObject(sample.test.backend, objectName.pack(blob.pack), (bytes) => flipped(bytes, blob.end - 1));
    }

    async function damageOne(): Promise<StoredBlob> {
      const blob = sample.blobs.find((candidate) => candidate.kind === "chunk" && isOfFirst(candidate))!;
      await damageBlob(blob);
      return blob;
    }
  });
}
