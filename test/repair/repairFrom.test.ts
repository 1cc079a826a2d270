import assert from "node:assert/strict";
import { bytesToHex, folder, objectName } from "../../core/format/ids.js";
import { type ReplicaRepairReport, repairFromReplica } from "../../core/repair/repairFrom.js";
import { applyRepairSnapshots, planRepairSnapshots } from "../../core/repair/repairSnapshots.js";
import { resolveSnapshot } from "../../core/repository/snapshotName.js";
import { assertCode } from "../support/assertCode.js";
import { listBlobs, type StoredBlob } from "../support/damageSample.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { join, noise, prose } from "../support/sampleBytes.js";
import type { TestRepository } from "../support/testRepository.js";
import { assertClean, contentsOf, KINDS, makeReplica, putsOf, sync } from "../sync/replicas.js";

const disk = join(noise(1, 150_000), new Uint8Array(400_000), prose(2, 60_000), noise(4, 30_000));

async function fill(repository: TestRepository): Promise<void> {
  const next = disk.slice();
  next.set(noise(3, 9000), 30_000);
  await repository.backUp("vm/a", { root: disk }, { files: [{ name: "a.conf", bytes: prose(4, 900) }] });
  await repository.backUp("vm/a", { root: next, small: noise(5, 5000) });
}

function repair(to: TestRepository, from: TestRepository, dryRun = false): Promise<ReplicaRepairReport> {
  return repairFromReplica(to.repository, from.repository, { dryRun, lanes: 0 }, to.options);
}

async function destroy(repository: TestRepository, { pack, start, end }: StoredBlob): Promise<void> {
  await changeObject(repository.backend, objectName.pack(pack), (bytes) =>
    flipped(bytes, Math.max(start + 64, end - 1)),
  );
}

/** Snapshots are whole at once; a collection then drops what is damaged. */
async function assertHealed(repository: TestRepository, wanted: readonly string[], about: string): Promise<void> {
  assert.deepEqual(await contentsOf(repository), wanted, about);
  const report = await repository.verify();
  assert.ok(
    report.snapshots.every(({ result }) => result === "ok"),
    about,
  );
  assert.ok(
    (await repository.catalog()).snapshots.every(({ verification }) => verification?.result !== "damaged"),
    about,
  );
  await repository.gc();
  await assertClean(repository, about);
  assert.deepEqual(await contentsOf(repository), wanted, about);
}

const pairs: [string, string][] = [
  ["open", "open"],
  ["sealed", "open, larger chunks"],
  ["sealed, larger chunks", "sealed"],
];

for (const [fromKind, toKind] of pairs) {
  describe(`repair between ${fromKind} and its copy, ${toKind}`, function () {
    this.timeout(60_000);
    let original: TestRepository;
    let copy: TestRepository;
    let wanted: string[];
    beforeEach(async () => {
      original = await makeReplica(KINDS[fromKind]);
      copy = await makeReplica(KINDS[toKind]);
      await fill(original);
      await sync(original, copy);
      wanted = await contentsOf(original);
    });

    for (const direction of ["the original", "the copy"] as const) {
      const sides = () =>
        (direction === "the copy" ? [copy, original] : [original, copy]) as [TestRepository, TestRepository];

      for (const kind of ["chunk", "page", "root", "file"] as const) {
        it(`heals a ${kind} of ${direction}, after showing that it can`, async () => {
          const [broken, whole] = sides();
          const blob = (await listBlobs(broken.repository)).find((one) => one.kind === kind)!;
          await destroy(broken, blob);
          const recording = new RecordingBackend(broken.backend);
          const tried = await repair(await broken.reopen({ backend: recording }), whole, true);
          assert.deepEqual(putsOf(recording), []);
          assert.ok(tried.snapshots.length > 0 && tried.snapshots.every(({ healed }) => healed), JSON.stringify(tried));
          const report = await repair(broken, whole);
          assert.ok(report.snapshots.every(({ healed, replica }) => healed && replica !== null));
          assert.ok(report.blobs >= 1);
          assert.deepEqual(await repair(broken, whole), { snapshots: [], blobs: 0, bytes: 0, unreadable: [] });
          await assertHealed(broken, wanted, `${direction}: ${kind}`);
        });
      }

      it(`heals ${direction} when all of its packs are gone`, async () => {
        const [broken, whole] = sides();
        for (const key of await listKeys(broken.backend, folder.packs)) await broken.backend.delete(key);
        const report = await repair(broken, whole);
        assert.ok(
          report.snapshots.every(({ healed }) => healed),
          JSON.stringify(report),
        );
        await assertHealed(broken, wanted, direction);
        assert.deepEqual(await listKeys(broken.backend, folder.sessions), []);
      });

      it(`heals ${direction} when every second blob is destroyed`, async () => {
        const [broken, whole] = sides();
        for (const [i, blob] of (await listBlobs(broken.repository)).entries())
          if (i % 2 === 0) await destroy(broken, blob);
        await repair(broken, whole);
        await assertHealed(broken, wanted, direction);
      });
    }
  });
}

describe("repair from a replica", function () {
  this.timeout(20_000);

  it("heals what two damaged copies have left of each other", async () => {
    const [a, b] = [await makeReplica(), await makeReplica({ encrypted: false })];
    await fill(a);
    await sync(a, b);
    const wanted = await contentsOf(a);
    const chunks = async (repository: TestRepository) =>
      (await listBlobs(repository.repository)).filter(({ kind }) => kind === "chunk");
    await destroy(a, (await chunks(a))[0]!);
    await destroy(b, (await chunks(b)).at(-1)!);
    await repair(a, b);
    await repair(b, a);
    await assertHealed(a, wanted, "a");
    await assertHealed(b, wanted, "b");
  });

  it("says what it cannot heal, and heals the rest", async () => {
    const [a, b] = [await makeReplica(), await makeReplica()];
    await fill(a);
    await sync(a, b);
    const late = await a.backUp("vm/late", { root: noise(8, 20_000) });
    for (const key of await listKeys(a.backend, folder.packs)) await a.backend.delete(key);
    const report = await repair(a, b);
    const left = report.snapshots.filter(({ healed }) => !healed);
    assert.deepEqual(
      left.map(({ sid, replica, ranges }) => [sid, replica, ranges.map(({ reason }) => reason)]),
      [[late.sid, null, ["the replica does not have this snapshot"]]],
    );
    assert.equal(report.snapshots.length, 3);
  });

  it("takes nothing from a replica that holds other bytes under the same name", async () => {
    const [a, b] = [await makeReplica({ encrypted: false }), await makeReplica({ encrypted: true })];
    await fill(a);
    const [first, second] = (await a.catalog()).snapshots;
    // A snapshot that claims to be a copy of another one than it is.
    const lie = await makeReplica({ encrypted: false });
    await lie.backUp("vm/a", { root: noise(77, disk.length) });
    await sync(lie, b);
    const { writeSnapshot } = await import("../../core/repository/writeSnapshot.js");
    const copied = (await b.catalog()).snapshots[0]!.manifest;
    const origin = { repositoryId: a.repository.config.repositoryId, snapshot: first!.sid, digest: first!.digest };
    await writeSnapshot(b.repository, { purpose: "sync", group: null, ...b.options }, async ({ sid }) => {
      return { ...copied, sid, origin };
    });
    const blobs = await listBlobs(a.repository);
    await destroy(a, blobs.find(({ kind, pack }) => kind === "chunk" && pack.startsWith(first!.sid))!);
    const report = await repair(a, b);
    assert.ok(report.snapshots.length > 0 && report.snapshots.every(({ healed }) => !healed));
    const reasons = report.snapshots.flatMap(({ ranges }) => ranges.map(({ reason }) => reason ?? ""));
    assert.ok(
      reasons.some((reason) => reason.includes("something else there")),
      reasons.join("\n"),
    );
    assert.equal(report.blobs, 0);
    assert.ok(second);
  });

  it("makes the original the one that counts again, before a copy with losses", async () => {
    const [a, b] = [await makeReplica(), await makeReplica()];
    await fill(a);
    await sync(a, b);
    const newest = (await a.catalog()).snapshots.at(-1)!;
    const blobs = await listBlobs(a.repository);
    await destroy(a, blobs.find(({ kind, pack }) => kind === "chunk" && pack.startsWith(newest.sid))!);
    await a.verify({ record: true });
    const catalog = await a.catalog();
    const made = await applyRepairSnapshots(
      a.repository,
      catalog,
      await planRepairSnapshots(a.repository, catalog, a.options),
      a.options,
    );
    const lossy = made.find(({ repairedFrom }) => repairedFrom === newest.sid)!;
    assert.equal(resolveSnapshot("vm/a@latest", await a.catalog()).sid, lossy.sid);
    await repair(a, b);
    assert.equal(resolveSnapshot("vm/a@latest", await a.catalog()).sid, newest.sid);
  });

  it("reports manifests that cannot be read", async () => {
    const [a, b] = [await makeReplica(), await makeReplica()];
    await fill(a);
    await sync(a, b);
    const [first] = (await a.catalog()).snapshots;
    await changeObject(a.backend, objectName.snapshot(first!.sid), (bytes) => flipped(bytes, 90));
    assert.deepEqual(
      (await repair(a, b)).unreadable.map(({ sid }) => sid),
      [first!.sid],
    );
    assert.equal((await sync(b, a)).copied.length, 1, "a replication brings the snapshot back");
  });

  it("from itself is refused", async () => {
    const a = await makeReplica();
    await assertCode(repair(a, await a.reopen()), "SYNC_SAME_REPOSITORY");
  });

  it("restores the very bytes", async () => {
    const [a, b] = [await makeReplica(), await makeReplica(KINDS["open, larger chunks"])];
    const manifest = await a.backUp("vm/a", { root: disk });
    await sync(a, b);
    for (const blob of await listBlobs(a.repository)) if (blob.kind === "chunk") await destroy(a, blob);
    await repair(a, b);
    assert.equal(bytesToHex(await a.restore(manifest, "root")), bytesToHex(disk));
  });
});

describe("repair snapshots of copies that were cut elsewhere", function () {
  this.timeout(20_000);

  for (const [fromKind, toKind] of [
    ["open, larger chunks", "sealed"],
    ["sealed", "open, larger chunks"],
  ] as const) {
    it(`from ${fromKind} in ${toKind}: only what is lost becomes zeros`, async () => {
      const [a, b] = [await makeReplica(KINDS[fromKind]), await makeReplica(KINDS[toKind])];
      await a.backUp("vm/a", { root: disk });
      await sync(a, b);
      await destroy(b, (await listBlobs(b.repository)).find(({ kind }) => kind === "chunk")!);
      await b.verify({ record: true });
      const catalog = await b.catalog();
      const plan = await planRepairSnapshots(b.repository, catalog, b.options);
      const [made] = await applyRepairSnapshots(b.repository, catalog, plan, b.options);
      const wanted = disk.slice();
      for (const [offset, length] of made!.archives[0]!.lost) wanted.fill(0, offset, offset + length);
      assert.equal(bytesToHex(await b.restore(made!, "root")), bytesToHex(wanted));
      assert.equal(made?.origin, null, "it is no copy of the original any more");
      assert.equal((await sync(a, b)).copied.length, 0, "the damaged copy is still there");
    });
  }
});
