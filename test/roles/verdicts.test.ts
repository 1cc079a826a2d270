// Two roles: a runner has the repository's key and may put and overwrite objects, but not sign; nothing that it writes may
// lead the keeper's tools, or anybody else, to lose a snapshot.

import assert from "node:assert/strict";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { forgetSnapshots } from "../../core/forget/forget.js";
import { encodeGcFinal, encodeGcPlan } from "../../core/format/gcPlan.js";
import { objectName, type PackName, type Sid } from "../../core/format/ids.js";
import { encodeForgotten, type Manifest } from "../../core/format/manifest.js";
import { encodeRecord, type RepositoryRecord } from "../../core/format/record.js";
import { collectGarbage } from "../../core/gc/collect.js";
import { isDecided } from "../../core/gc/fencing.js";
import { addKeySlot, changePassphrase, removeKeySlot } from "../../core/repository/keys.js";
import { listCondemned, listPacks } from "../../core/repository/presence.js";
import { writeRecord } from "../../core/repository/records.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import { TEST_PASSPHRASE, TestRepository } from "../support/testRepository.js";

const by = "thief (reprise 0.1.0)";
const at = "2026-11-21T02:00:00.000Z";
const DISK = noise(5, 400_000);

describe("two roles", () => {
  let keeper: TestRepository;
  let runner: TestRepository;
  let first: Manifest;

  beforeEach(async () => {
    keeper = await TestRepository.make({ keeperKey: KeeperKey.generate() });
    runner = await keeper.reopen();
    first = await runner.backUp("vm/a", { root: DISK });
    await runner.backUp("vm/b", { root: noise(6, 100_000) });
  });

  async function packs(): Promise<PackName[]> {
    return [...(await listPacks(runner.repository, {})).keys()];
  }

  async function assertLives(): Promise<void> {
    const { snapshots } = await keeper.catalog();
    assert.ok(snapshots.some(({ sid }) => sid === first.sid));
    assert.deepEqual(await keeper.restore(first, "root"), DISK);
  }

  it("backs up and restores with the runner's key, and the keeper forgets and collects", async () => {
    assert.deepEqual(await runner.restore(first, "root"), DISK);
    await keeper.forget(first.sid);
    const report = await keeper.gc();
    assert.ok(report.deletedPacks > 0);
    const { snapshots } = await runner.catalog();
    assert.deepEqual(
      snapshots.map(({ manifest }) => manifest.group),
      ["vm/b"],
    );
    assert.ok((await keeper.verify()).ok);
    assert.deepEqual([...keeper.takeWarnings(), ...runner.takeWarnings()], []);
  });

  it("refuses a runner's deletions before anything is touched; a dry run works", async () => {
    const before = JSON.stringify(await packs());
    const { repository } = runner;
    const required = (run: () => Promise<unknown>) => assertCode(run(), "KEEPER_KEY_REQUIRED");
    await required(() => forgetSnapshots(repository, [first.sid], "test"));
    await required(() => runner.gc());
    await required(() => addKeySlot(repository, { passphrase: "x" }, "", { cost: "test" }));
    await required(() => removeKeySlot(repository, "0", () => {}));
    await required(() => changePassphrase(repository, TEST_PASSPHRASE, "y", { cost: "test", onWarning: () => {} }));
    const unprotect = { type: "protection", data: { protected: false } } as const;
    await required(() => writeRecord(repository, unprotect, [first.sid], []));
    const request = { dryRun: true, fenceAfterMs: 0, maxUnused: 0 };
    assert.equal((await collectGarbage(repository, request, runner.options)).dryRun, true);
    assert.equal(JSON.stringify(await packs()), before);
    await assertLives();
  });

  it("counts a forgotten object without the keeper's signature as tampering, and the snapshot as live", async () => {
    const name = objectName.forgotten(first.sid);
    const said = { sid: first.sid, at, by, reason: "" };
    const forger = KeeperKey.generate();
    for (const signature of [undefined, "00".repeat(64), forger.sign(new Uint8Array(3))]) {
      await runner.repository.objects.write(name, "forgotten", encodeForgotten({ ...said, signature }));
      await assertLives();
      assert.deepEqual(keeper.takeWarnings(), ["VERDICT_UNSIGNED"]);
      const report = await keeper.verify();
      assert.deepEqual(
        report.objects.problems.map(({ code }) => code),
        ["VERDICT_UNSIGNED"],
      );
      keeper.takeWarnings();
    }
    assert.equal((await keeper.gc()).deletedPacks, 0);
    await assertLives();
    keeper.takeWarnings();
    // the collection has removed it
    await keeper.catalog();
    assert.deepEqual(keeper.takeWarnings(), []);
  });

  it("does not take one snapshot's signed forgotten object for another's", async () => {
    const second = await runner.backUp("vm/a", { root: noise(7, 50_000) });
    await keeper.forget(second.sid);
    const stolen = await keeper.repository.objects.read(objectName.forgotten(second.sid), "forgotten");
    await runner.repository.objects.write(objectName.forgotten(first.sid), "forgotten", stolen);
    await assertLives();
  });

  it("lets the keeper forget although somebody has taken the name", async () => {
    const said = { sid: first.sid, at, by, reason: "" };
    await runner.repository.objects.write(objectName.forgotten(first.sid), "forgotten", encodeForgotten(said));
    await keeper.forget(first.sid);
    const { snapshots } = await runner.catalog();
    assert.ok(!snapshots.some(({ sid }) => sid === first.sid));
    assert.deepEqual(runner.takeWarnings(), []);
  });

  it("executes no final and no plan without a signature, and does not stop deduplication for them", async () => {
    const gid = "0f".repeat(16) as Sid;
    const victims = await packs();
    const { objects } = runner.repository;
    await objects.write(objectName.plan(gid), "gcPlan", encodeGcPlan({ gid, at, by, victims }));
    assert.equal((await listCondemned(runner.repository, runner.options)).packs.size, 0);
    await objects.write(objectName.final(gid), "gcFinal", encodeGcFinal({ gid, at, by, delete: victims }));
    const condemned = await listCondemned(runner.repository, runner.options);
    assert.deepEqual([condemned.packs.size, condemned.everything], [0, false]);
    const again = await runner.backUp("vm/a", { root: DISK });
    assert.equal(again.statistics.chunksNew, 0);
    assert.ok(runner.takeWarnings().includes("VERDICT_UNSIGNED"));
    assert.equal((await keeper.gc()).deletedPacks, 0);
    assert.ok(keeper.takeWarnings().includes("VERDICT_UNSIGNED"));
    assert.deepEqual(await packs(), victims);
    await assertLives();
  });

  it("abandons an unsigned plan, so that it is gone after a collection", async () => {
    const gid = "0f".repeat(16) as Sid;
    const plan = encodeGcPlan({ gid, at, by, victims: await packs() });
    await runner.repository.objects.write(objectName.plan(gid), "gcPlan", plan);
    assert.equal((await keeper.gc()).deletedPacks, 0);
    keeper.takeWarnings();
    assert.equal((await keeper.gc()).deletedPacks, 0);
    assert.deepEqual(keeper.takeWarnings(), []);
    await assertLives();
  });

  it("does not believe that a running backup has ended because of an unsigned forgotten object", async () => {
    const sid = "ab".repeat(16) as Sid;
    const said = encodeForgotten({ sid, at, by, reason: "" });
    await runner.repository.objects.write(objectName.forgotten(sid), "forgotten", said);
    assert.equal(await isDecided(keeper.repository, sid, {}), false);
    const { decided } = await keeper.catalog();
    assert.ok(!decided.has(sid));
  });

  it("ignores a runner's unprotect, and takes the keeper's", async () => {
    const catalog = await runner.catalog();
    const sids = [first.sid];
    await writeRecord(runner.repository, { type: "protection", data: { protected: true } }, sids, catalog.records);
    const forged = {
      rid: "cd".repeat(16) as Sid,
      snapshots: sids,
      sequence: 99,
      at,
      by,
      origin: null,
      type: "protection",
      data: { protected: false },
    } as RepositoryRecord;
    await runner.repository.objects.write(objectName.record(forged.rid), "record", encodeRecord(forged));
    const isProtected = async (repository: TestRepository) =>
      (await repository.catalog()).snapshots.find(({ sid }) => sid === first.sid)?.protected;
    assert.equal(await isProtected(keeper), true);
    assert.deepEqual(keeper.takeWarnings(), ["VERDICT_UNSIGNED"]);
    const { records } = await keeper.catalog();
    await writeRecord(keeper.repository, { type: "protection", data: { protected: false } }, sids, records);
    assert.equal(await isProtected(runner), false);
  });
});
