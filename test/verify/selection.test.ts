import assert from "node:assert/strict";
import { bytesToHex, objectName } from "../../core/format/ids.js";
import { type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { listKeys } from "../support/listing.js";
import { withFlip } from "../support/objectChanges.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

const DAY_MS = 24 * 3_600_000;

/** Packs that were read whole meanwhile, each as often as it was. */
async function packsReadBy(test: TestRepository, run: (test: TestRepository) => Promise<unknown>): Promise<string[]> {
  const recording = new RecordingBackend(test.backend);
  const reopened = await test.reopen({ backend: recording });
  const report = (await run(reopened)) as { packs: { read: number } };
  const gets = recording.operations.filter(({ operation, key }) => operation === "get" && key.startsWith("packs/"));
  // A pack is read in one piece by the check, and in small ranges by whoever follows the maps.
  assert.ok(gets.length >= report.packs.read);
  return gets.map(({ key }) => key);
}

describe("verify: what is chosen", function () {
  this.timeout(60_000);
  let sample: DamageSample;
  beforeEach(async () => {
    sample = await makeDamageSample();
  });

  it("all n slices together read every pack exactly once", async () => {
    for (const of of [1, 2, 3, 7]) {
      let read = 0;
      let bytes = 0;
      let listed = 0;
      let coverage = 0;
      for (let part = 1; part <= of; part++) {
        const report = await sample.test.verify({ subset: { part, of } });
        read += report.packs.read;
        bytes += report.packs.bytesRead;
        listed = report.packs.listed;
        coverage += report.coverage;
        assert.equal(report.ok, true);
      }
      const { packs } = await sample.test.verify();
      assert.deepEqual([read, bytes], [listed, packs.bytesRead], `${of} slices`);
      assert.ok(Math.abs(coverage - 1) < 1e-9);
    }
  });

  it("each slice is always the same packs, and damage is found by exactly one of them", async () => {
    const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id));
    assert.ok(blob);
    const found = await withFlip(sample.test.backend, objectName.pack(blob.pack), blob.end - 1, 4, async () => {
      const results: boolean[] = [];
      for (const part of [1, 2, 3, 1, 2, 3]) results.push((await sample.test.verify({ subset: { part, of: 3 } })).ok);
      return results;
    });
    assert.deepEqual(found.slice(0, 3), found.slice(3));
    assert.equal(found.filter((ok) => !ok).length, 2);
  });

  it("only the packs that the named snapshots need are read", async () => {
    const { snapshots } = await sample.test.catalog();
    const chosen = snapshots.filter(({ sid }) => sid === sample.manifests[1]?.sid);
    const report = await sample.test.verify({ snapshots: chosen });
    const ids = [...sample.needs].filter(([, parts]) => parts.some(({ snapshot }) => snapshot === chosen[0]?.sid));
    const needed = new Set(ids.map(([id]) => id));
    const packs = new Set(sample.blobs.filter(({ id }) => needed.has(id)).map(({ pack }) => pack));
    assert.equal(report.packs.read, packs.size);
    assert.deepEqual(
      report.snapshots.map(({ sid }) => sid),
      [chosen[0]?.sid],
    );
    assert.equal(report.objects.checked, 0);
    assert.ok(packs.size < report.packs.listed);
  });

  it("a verification counts for as long as it was said to, and by its depth", async () => {
    const test = await TestRepository.make();
    for (const seed of [1, 2, 3]) await test.backUp("vm/a", { root: noise(seed, 20_000) });
    const all = 3;
    const skippedBy = async (request: Parameters<TestRepository["verify"]>[0]) =>
      (await test.verify({ ignoreVerified: true, ...request })).skipped.length;
    await test.verify({ record: true, readData: false });
    assert.equal(await skippedBy({ readData: false }), all, "structure for structure");
    assert.equal(await skippedBy({}), 0, "structure is not data");
    await test.verify({ record: true });
    assert.equal(await skippedBy({}), all);
    assert.equal(await skippedBy({ readData: false }), all, "data is structure, too");
    test.environment.nowMs += 10 * DAY_MS;
    assert.equal(await skippedBy({ outdatedAfterMs: 11 * DAY_MS }), all);
    assert.equal(await skippedBy({ outdatedAfterMs: 9 * DAY_MS }), 0);
    assert.equal(await skippedBy({ outdatedAfterMs: 0 }), 0);
    assert.equal(await skippedBy({}), all, "without a limit for ever");
    const manifest = await test.backUp("vm/new", { root: new Uint8Array(100_000).fill(1) });
    const report = await test.verify({ ignoreVerified: true });
    assert.deepEqual(
      report.snapshots.map(({ sid }) => sid),
      [manifest.sid],
    );
  });

  it("a look at the structure does not replace the record that all data was read", async () => {
    const { test } = sample;
    await test.verify({ record: true });
    await test.verify({ record: true, readData: false });
    await test.verify({ record: true, subset: { part: 1, of: 2 } });
    const { snapshots } = await test.catalog();
    assert.ok(snapshots.every(({ verification }) => verification?.level === "data" && verification.result === "ok"));
  });

  it("a verification by a clock that was years ahead does not count for years", async () => {
    const { test } = sample;
    const now = test.environment.nowMs;
    test.environment.nowMs = now + 9 * 365 * DAY_MS;
    await test.verify({ record: true });
    test.environment.nowMs = now;
    assert.deepEqual((await test.verify({ ignoreVerified: true, outdatedAfterMs: 30 * DAY_MS })).skipped, []);
  });

  it("a damaged snapshot is looked at again every time", async () => {
    const { test } = sample;
    const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.get(id)?.length === 1);
    assert.ok(blob);
    const sid = sample.needs.get(blob.id)?.[0]?.snapshot;
    await withFlip(test.backend, objectName.pack(blob.pack), blob.end - 1, 4, async () => {
      await test.verify({ record: true });
      const report = await test.verify({ ignoreVerified: true });
      assert.deepEqual(
        report.snapshots.map((verdict) => verdict.sid),
        [sid],
      );
    });
    const { snapshots } = await test.catalog();
    const { verification } = snapshots.find((snapshot) => snapshot.sid === sid)!;
    assert.deepEqual({ ...verification, at: "" }, { result: "damaged", level: "data", at: "", damagedRanges: 1 });
  });

  it("what was found is recorded once: the same damage makes no second quarantine", async () => {
    const { test } = sample;
    const blob = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id))!;
    await withFlip(test.backend, objectName.pack(blob.pack), blob.end - 1, 4, async () => {
      const count = async () => (await listKeys(test.backend, "quarantine/")).length;
      const before = await count();
      await test.verify({ record: true });
      assert.equal(await count(), before + 1);
      await test.verify({ record: true });
      assert.equal(await count(), before + 1);
    });
  });

  it("nothing is written unless it is asked for", async () => {
    const recording = new RecordingBackend(sample.test.backend);
    const reopened = await sample.test.reopen({ backend: recording });
    await reopened.verify();
    await reopened.verify({ readData: false });
    assert.deepEqual(recording.mutations, []);
    const keys = await packsReadBy(sample.test, (test) => test.verify());
    const whole = new Map<string, number>();
    for (const key of keys) whole.set(key, (whole.get(key) ?? 0) + 1);
    assert.equal(whole.size, new Set(sample.blobs.map(({ pack }) => objectName.pack(pack))).size);
    assert.ok(bytesToHex(sample.test.repository.hash(new Uint8Array(1))).length === 64);
  });

  it("a storage that cannot be written to still gives its report, and a warning", async () => {
    const { test } = sample;
    const refusing = new RecordingBackend(test.backend);
    const error = Object.assign(new Error("read-only"), {
      name: "RepriseError",
      family: "backend",
      code: "STORAGE_READ_ONLY",
    });
    refusing.put = async () => Promise.reject(error);
    const reopened = await test.reopen({ backend: refusing });
    const report = await reopened.verify({ record: true });
    assert.equal(report.ok, true);
    assert.deepEqual(reopened.takeWarnings(), ["VERIFICATION_NOT_RECORDED"]);
  });
});
