import assert from "node:assert/strict";
import { objectName } from "../../core/format/ids.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { blobAt, type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { objectSizes, withFlip } from "../support/objectChanges.js";
import { restoreToFile } from "../support/restoreToFile.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

for (const encrypted of [true, false]) {
  describe(`verify: in worker threads, over a folder, ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(60_000);
    this.slow(10_000);
    let folder: TemporaryFolder;
    let sample: DamageSample;
    before(async () => {
      folder = await makeTemporaryFolder("verify-lanes");
      const backend = await openLocalBackend(`${folder.path}/repository`, { create: true });
      sample = await makeDamageSample({ encrypted, backend });
    });
    after(() => folder.remove());

    it("a sound repository is never reported, and all of it was read", async () => {
      const report = await sample.test.verify({ lanes: 2 });
      const sizes = await objectSizes(sample.test.backend, "packs/");
      assert.equal(report.ok, true, JSON.stringify(report));
      assert.equal(report.packs.read, sizes.length);
      assert.equal(
        report.packs.bytesRead,
        sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      );
      assert.equal(report.coverage, 1);
    });

    it("one changed byte is found as it is found without threads", async () => {
      const packs = await objectSizes(sample.test.backend, "packs/");
      const seeds = noise(21, 100);
      for (let i = 0; i < 12; i++) {
        const { key, sizeBytes } = packs[i % packs.length] as { key: string; sizeBytes: number };
        const at = ((seeds[2 * i]! << 8) | seeds[2 * i + 1]!) % sizeBytes;
        const [threaded, plain] = await withFlip(sample.test.backend, key, at, 8, async () => [
          await sample.test.verify({ lanes: 2 }),
          await sample.test.verify(),
        ]);
        assert.deepEqual({ ...threaded, durationMs: 0 }, { ...plain, durationMs: 0 });
        assert.equal(threaded?.ok, false);
        const blob = blobAt(sample, key.slice(-41) as never, at);
        assert.ok(threaded?.packs.problems.every(({ id }) => id === (blob?.id ?? null)));
      }
    });

    it("restores are byte for byte the same, whether the lane is a thread or not", async () => {
      for (const lanes of [0, 1, 2]) {
        for (const manifest of sample.manifests) {
          const bytes = sample.disks.get(`${manifest.sid}/root`);
          assert.deepEqual(await sample.test.restore(manifest, "root", lanes), bytes);
          const path = `${folder.path}/${manifest.sid}-${lanes}`;
          const restored = await restoreToFile(sample.test, manifest, "root", path, { lanes });
          assert.deepEqual(restored.bytes, bytes);
        }
      }
    });

    it("a pack that cannot be read is an error of its own, and the others are read", async () => {
      const blob = sample.blobs.find(({ id }) => sample.needs.has(id));
      assert.ok(blob);
      const key = objectName.pack(blob.pack);
      const stored = await sample.test.backend.get(key);
      await sample.test.backend.put(key, new Uint8Array(0));
      try {
        const report = await sample.test.verify({ lanes: 2 });
        assert.equal(report.ok, false);
        assert.ok(report.packs.problems.every(({ pack }) => pack === blob.pack));
        assert.equal(report.packs.read, report.packs.listed);
      } finally {
        await sample.test.backend.put(key, stored);
      }
    });
  });
}
