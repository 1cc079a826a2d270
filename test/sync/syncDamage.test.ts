import assert from "node:assert/strict";
import { bytesToHex, folder, objectName } from "../../core/format/ids.js";
import { writeRecord } from "../../core/repository/records.js";
import { estimateSync } from "../../core/sync/estimateSync.js";
import { planRepositorySync } from "../../core/sync/sync.js";
import { assertCode } from "../support/assertCode.js";
import { findNeeds, listBlobs } from "../support/damageSample.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository as Repositories, type TestRepository } from "../support/testRepository.js";
import { ALL, assertClean, contentsOf, KINDS, makeReplica, putsOf, recordedSync, sync } from "./replicas.js";

describe("replication from a damaged repository", function () {
  this.timeout(20_000);
  let from: TestRepository;
  let to: TestRepository;
  const disks = [1, 2, 3].map((seed) => noise(seed, 120_000));
  beforeEach(async () => {
    from = await makeReplica();
    to = await makeReplica(KINDS["open, larger chunks"]);
    for (const [i, disk] of disks.entries()) await from.backUp(`vm/m${i}`, { root: disk });
  });

  /** Damages one blob of a kind that the machine needs. */
  async function damage(machine: string, kind: "chunk" | "page" | "root"): Promise<void> {
    const { snapshots } = await from.catalog();
    const manifests = snapshots.map(({ manifest }) => manifest).filter(({ group }) => group === machine);
    const needs = await findNeeds(from.repository, manifests);
    const blob = (await listBlobs(from.repository)).find((one) => one.kind === kind && needs.has(one.id))!;
    await changeObject(from.backend, objectName.pack(blob.pack), (bytes) => flipped(bytes, blob.end - 1));
  }

  for (const kind of ["chunk", "page", "root"] as const) {
    it(`leaves out the snapshot with a damaged ${kind}, and goes on with the others`, async () => {
      await damage("vm/m1", kind);
      const report = await sync(from, to);
      assert.deepEqual([report.copied.length, report.failed.length], [2, 1]);
      assert.match(report.failed[0]?.message ?? "", /^vm\/m1@/);
      assert.equal(report.failed[0]?.code, kind === "chunk" ? "ENTRY_DAMAGED" : "BLOB_DAMAGED");
      assert.equal((await contentsOf(to)).length, 2);
      assert.deepEqual(await listKeys(to.backend, folder.sessions), []);
      await assertClean(to, "the copy");
      assert.equal((await sync(from, to)).failed.length, 1, "the next run tries again");
    });
  }

  it("leaves out a snapshot of which a whole pack is gone", async () => {
    const [first] = (await from.catalog()).snapshots;
    for (const key of await listKeys(from.backend, folder.packs)) {
      if (key.includes(first!.sid)) await from.backend.delete(key);
    }
    const report = await sync(from, to);
    assert.deepEqual([report.copied.length, report.failed.map(({ from: sid }) => sid)], [2, [first!.sid]]);
  });

  it("forgets no vanished copy beside a record that cannot be read, and copies all the same", async () => {
    await sync(from, to);
    const [copy] = (await to.catalog()).snapshots;
    const body = { type: "protection", data: { protected: true } } as const;
    const { rid } = await writeRecord(to.repository, body, [copy!.sid], []);
    await from.forget(copy!.manifest.origin!.snapshot);
    await from.backUp("vm/new", { root: noise(9, 30_000) });
    await changeObject(to.backend, objectName.record(rid), (bytes) => flipped(bytes, bytes.length - 10));
    const report = await sync(from, to, { removeVanished: true });
    assert.deepEqual([report.copied.length, report.vanished.map(({ action }) => action)], [1, ["keep"]]);
    assert.match(report.vanished[0]?.reason ?? "", new RegExp(objectName.record(rid)));
    assert.ok((await to.catalog()).snapshots.some(({ sid }) => sid === copy!.sid));
    await to.backend.delete(objectName.record(rid));
    assert.deepEqual((await sync(from, to, { removeVanished: true })).vanished[0]?.action, "forget");
  });

  it("reports manifests that cannot be read, and does not take their copies for vanished", async () => {
    await sync(from, to);
    const [first] = (await from.catalog()).snapshots;
    await changeObject(from.backend, objectName.snapshot(first!.sid), (bytes) => flipped(bytes, 80));
    const report = await sync(from, to, { removeVanished: true });
    assert.deepEqual([report.failed.map(({ from: sid }) => sid), report.vanished], [[first!.sid], []]);
  });

  it("whose copy is damaged copies by the maps all the same, and what a damaged map cannot tell is read again", async () => {
    await sync(from, to);
    for (const { pack, kind, start } of await listBlobs(to.repository)) {
      if (kind === "page") await changeObject(to.backend, objectName.pack(pack), (bytes) => flipped(bytes, start + 70));
    }
    const changed = disks[0]!.slice();
    changed.set(noise(9, 5000), 50_000);
    await from.backUp("vm/m0", { root: changed });
    const report = await sync(from, to);
    assert.deepEqual([report.copied.length, report.failed], [1, []]);
    assert.ok((report.copied[0]?.bytesRead ?? 0) >= 120_000);
    const copy = (await to.catalog()).snapshots.at(-1)!.manifest;
    assert.equal(bytesToHex(await to.restore(copy, "root")), bytesToHex(changed));
  });
});

describe("replication", function () {
  this.timeout(20_000);

  it("forgets vanished copies when asked, and never protected ones", async () => {
    const [a, b] = [await makeReplica(), await makeReplica()];
    const gone = await a.backUp("vm/a", { root: noise(1, 20_000) });
    const guarded = await a.backUp("vm/a", { root: noise(2, 20_000) }, { protected: true });
    await a.backUp("vm/a", { root: noise(3, 20_000) });
    const own = await b.backUp("vm/own", { root: noise(4, 20_000) });
    await sync(a, b);
    await a.forget(gone.sid, guarded.sid);
    assert.deepEqual((await sync(a, b)).vanished, []);
    assert.equal((await b.catalog()).snapshots.length, 4);
    const report = await sync(a, b, { removeVanished: true });
    assert.deepEqual(report.vanished.map(({ action }) => action).sort(), ["forget", "keep"]);
    const left = (await b.catalog()).snapshots;
    assert.equal(left.length, 3);
    assert.ok(left.some(({ sid }) => sid === own.sid));
    assert.deepEqual((await sync(b, a)).copied.length, 2, "the protected one, and what only b has");
  });

  it("between the wrong repositories is refused", async () => {
    const [sealed, open] = [await makeReplica(), await makeReplica({ encrypted: false })];
    await assertCode(sync(sealed, open, { encryptedOnly: true }), "SYNC_NOT_ENCRYPTED");
    await assertCode(sync(open, sealed, { encryptedOnly: true }), "SYNC_NOT_ENCRYPTED");
    await assertCode(sync(sealed, await sealed.reopen()), "SYNC_SAME_REPOSITORY");
  });

  it("is estimated before it is done, without storing anything", async () => {
    for (const toOptions of [{ encrypted: false }, { encrypted: true }]) {
      const [a, b] = [await makeReplica({ encrypted: false }), await makeReplica(toOptions)];
      const disk = noise(1, 300_000);
      await a.backUp("vm/a", { root: disk }, { files: [{ name: "conf", bytes: noise(2, 100) }] });
      await sync(a, b);
      const next = disk.slice();
      next.set(noise(3, 2000), 100_000);
      await a.backUp("vm/a", { root: next });
      await a.backUp("vm/a", { root: next });
      const plan = await planRepositorySync(a.repository, b.repository, ALL, b.options);
      const estimate = await estimateSync(plan, b.options);
      const { report } = await recordedSync(a, b);
      assert.deepEqual(
        estimate.snapshots.map(({ bytes }) => bytes),
        report.copied.map(({ bytesRead }) => bytesRead),
      );
      const done = await planRepositorySync(a.repository, b.repository, ALL, b.options);
      assert.deepEqual(await estimateSync(done, b.options), { snapshots: [], failed: [] });
    }
  });

  it("runs in worker threads, too", async () => {
    const folders = await import("../support/temporaryFolder.js");
    const folderOf = await folders.makeTemporaryFolder("sync-lanes");
    try {
      const { openBackend } = await import("../../core/storage/openBackend.js");
      const open = (name: string) => openBackend(`${folderOf.path}/${name}`, { create: true });
      const a = await Repositories.make({ seed: 71, backend: await open("a") });
      const b = await Repositories.make({ seed: 72, backend: await open("b"), encrypted: false });
      await a.backUp("vm/a", { root: noise(1, 2_000_000), data: noise(2, 300_000) });
      const report = await sync(a, b, { lanes: 2 });
      assert.equal(report.copied[0]?.bytesNew, 2_300_000);
      assert.deepEqual(await contentsOf(b), await contentsOf(a));
      const { toOperations } = await recordedSync(a, b);
      assert.deepEqual(putsOf(toOperations), []);
    } finally {
      await folderOf.remove();
    }
  });
});
