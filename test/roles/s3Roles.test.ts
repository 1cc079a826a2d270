// Two roles on a real S3 server with the policies that init prints: what a runner can do, what the server refuses, and what it
// does not (Ceph 16 takes plain puts over existing objects, whatever its policy says).

import assert from "node:assert/strict";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import {
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { examineRepository } from "../../core/doctor/doctor.js";
import { objectName, packName, type Sid } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { extendRetention } from "../../core/gc/retention.js";
import { applyRepairVersions, planRepairVersions } from "../../core/repair/repairVersions.js";
import type { Snapshot } from "../../core/repository/catalog.js";
import { listPacks } from "../../core/repository/presence.js";
import { writeRecord } from "../../core/repository/records.js";
import { s3Policy } from "../../core/roles/s3Policy.js";
import type { Backend } from "../../core/storage/backend.js";
import { openBackend } from "../../core/storage/openBackend.js";
import type { S3Backend } from "../../core/storage/s3/s3Backend.js";
import { createS3Bucket } from "../../core/storage/s3/s3Bucket.js";
import { assertCode } from "../support/assertCode.js";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

const DISK = noise(21, 500_000);

describe("two roles on S3", () => {
  let server: S3Server;
  let bucket: string;
  let keeper: TestRepository;
  let runner: TestRepository;
  let first: Manifest;
  const keeperKey = KeeperKey.generate();
  const opened: Backend[] = [];

  before(async function start() {
    this.timeout(120_000);
    server = await sharedS3Server();
    bucket = await server.newBucket();
    await setPolicies();
    const open = async (user: S3Server["admin"]) => {
      const backend = await openBackend(server.location(bucket, "lab"), { s3Credentials: user });
      opened.push(backend);
      return backend;
    };
    keeper = await TestRepository.make({ backend: await open(server.admin), keeperKey });
    runner = await keeper.reopen({ backend: await open(server.runner) });
    first = await runner.backUp("vm/a", { root: DISK });
  });

  after(async () => {
    for (const backend of opened) await backend.close();
  });

  async function setPolicies(): Promise<void> {
    const options = {
      bucket,
      prefix: "lab/",
      runner: "arn:aws:iam:::user/runner",
      keeper: "arn:aws:iam:::user/admin",
      conditionalPuts: true,
      noncurrentDays: 30,
    };
    const client = server.client();
    const Policy = JSON.stringify(s3Policy("s3-bucket", options));
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    const { Rules } = s3Policy("s3-lifecycle", options) as { Rules: LifecycleRule[] };
    await client.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules } }),
    );
    client.destroy();
  }

  it("lets a runner back up, restore, verify, and write notes and records", async () => {
    const again = await runner.backUp("vm/a", { root: DISK });
    assert.equal(again.statistics.chunksNew, 0);
    assert.deepEqual(await runner.restore(again, "root"), DISK);
    assert.ok((await runner.verify({ record: true })).ok);
    const { records } = await runner.catalog();
    await writeRecord(runner.repository, { type: "notes", data: { text: "kept" } }, [first.sid], records);
    const { snapshots } = await runner.catalog();
    assert.equal(snapshots.find(({ sid }) => sid === first.sid)?.notes, "kept");
    assert.deepEqual(runner.takeWarnings(), []);
  }).timeout(60_000);

  it("refuses a runner every deletion, and everything that is the keeper's", async () => {
    const { backend } = runner;
    const bytes = new Uint8Array(3);
    for await (const { key } of keeper.backend.list("")) {
      await assertCode(backend.delete(key), "STORAGE_ACCESS_DENIED", key);
    }
    const keepers = [
      "config",
      "keys/x",
      objectName.forgotten(first.sid),
      `gc/${first.sid}.plan`,
      `gc/${first.sid}.final`,
    ];
    for (const key of [...keepers, "rescue.mjs", "RESCUE.md", "other"]) {
      await assertCode(backend.put(key, bytes), "STORAGE_ACCESS_DENIED", key);
      await assertCode(backend.putIfAbsent(key, bytes), "STORAGE_ACCESS_DENIED", key);
    }
    assert.deepEqual(await keeper.restore(first, "root"), DISK);
  }).timeout(60_000);

  it("refuses to put a second object under a name that is taken, when it is asked to", async () => {
    const pack = objectName.pack(packName("ab".repeat(16) as Sid, 0));
    assert.equal(await runner.backend.putIfAbsent(pack, new Uint8Array(3)), "created");
    assert.equal(await runner.backend.putIfAbsent(pack, new Uint8Array(4)), "exists");
    await keeper.backend.delete(pack);
  });

  it("is told by doctor that overwriting is not refused here", async () => {
    const report = await examineRepository(runner.repository, { cacheFolder: null, ...runner.options });
    for (const trial of report.trials) {
      assert.equal(trial.delete, "refused", trial.folder);
      // Ceph 16 knows no condition on If-None-Match
      assert.equal(trial.overwrite, trial.owner === "runner" ? "allowed" : "refused", trial.folder);
      if (trial.owner === "keeper") assert.equal(trial.create, "refused", trial.folder);
    }
    assert.equal(report.destructible, "yes");
    assert.ok(Math.abs(report.clockOffsetMs ?? Number.NaN) < 60_000 * 60 * 24 * 365);
    const asKeeper = await examineRepository(keeper.repository, { cacheFolder: null, ...keeper.options });
    assert.equal(asKeeper.findings.find(({ name }) => name === "thief")?.status, "ok");
  }).timeout(60_000);

  it("lets the keeper forget and collect", async () => {
    const gone = await runner.backUp("vm/b", { root: noise(22, 300_000) });
    await keeper.forget(gone.sid);
    assert.ok((await keeper.gc()).deletedPacks > 0);
    assert.ok((await keeper.verify()).ok);
  }).timeout(60_000);

  it("shows everybody the first version of what a thief overwrites in a versioned bucket, and collects there", async () => {
    const client = server.client();
    const thief = server.client(server.runner);
    try {
      await client.send(
        new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
      );
      const open = async (user: S3Server["admin"]) => {
        const backend = await openBackend(server.location(bucket, "lab"), { s3Credentials: user });
        opened.push(backend);
        return backend;
      };
      const [guard, worker] = [
        await keeper.reopen({ backend: await open(server.admin), keeperKey }),
        await runner.reopen({ backend: await open(server.runner) }),
      ];
      const kept = await worker.backUp("vm/c", { root: noise(23, 100_000) });
      const gone = await worker.backUp("vm/d", { root: noise(24, 300_000) });
      const key = objectName.snapshot(kept.sid);
      const [pack] = [...(await listPacks(guard.repository, {})).keys()].filter((name) => name.startsWith(kept.sid));
      assert.ok(pack);
      for (const taken of [key, objectName.pack(pack)]) {
        const Body = new Uint8Array(9);
        await thief.send(new PutObjectCommand({ Bucket: bucket, Key: `lab/${taken}`, Body }));
        await assertCode(worker.backend.put(taken, Body), "STORAGE_ACCESS_DENIED");
        assert.equal(await worker.backend.putIfAbsent(taken, Body), "exists");
      }
      assert.deepEqual(await (guard.backend as S3Backend).protection(), {
        versioning: "on",
        objectLockDays: null,
        versionsExpire: ["index/", "packs/", "parked/", "probe/", "sessions/"],
      });
      for (const who of [guard, worker, await keeper.reopen({ backend: await open(server.runner) })]) {
        assert.ok((await who.verify()).ok);
        assert.deepEqual(await who.restore(kept, "root"), noise(23, 100_000));
        assert.ok((await who.catalog()).snapshots.some(({ sid }) => sid === kept.sid));
      }
      await guard.forget(gone.sid);
      assert.ok((await guard.gc()).deletedPacks > 0);
      assert.deepEqual(guard.takeWarnings(), ["PACKS_OVERWRITTEN"]);
      const report = await examineRepository(worker.repository, { cacheFolder: null, ...worker.options });
      assert.equal(report.destructible, "no");
      for (const { folder, owner, overwrite } of report.trials) {
        assert.equal(overwrite, owner === "runner" ? "without-effect" : "refused", folder);
      }
      const protection = report.findings.find(({ name }) => name === "protection");
      assert.match(protection?.detail ?? "", /no effect: the first version counts/);
      const overwritten = report.findings.find(({ name }) => name === "overwritten");
      assert.equal(overwritten?.status, "warning");
      assert.match(overwritten.detail, /1 in packs\/, 1 in snapshots\/.*run repair versions before/);
      assert.deepEqual(report.overwritten?.first, [objectName.pack(pack), key]);
      const plan = await planRepairVersions(guard.repository);
      assert.deepEqual(
        plan.map(({ object }) => object),
        [objectName.pack(pack)],
      );
      await assertCode(applyRepairVersions(worker.repository, plan), "KEEPER_KEY_REQUIRED");
      assert.equal(await applyRepairVersions(guard.repository, plan), 1);
      assert.deepEqual(await planRepairVersions(guard.repository), []);
      const repaired = await examineRepository(guard.repository, { cacheFolder: null, ...guard.options });
      assert.deepEqual(repaired.overwritten?.objects, { "snapshots/": 1 });
      await guard.gc();
      assert.deepEqual(guard.takeWarnings(), []);
      assert.ok((await guard.verify()).ok);
      assert.deepEqual(await worker.restore(kept, "root"), noise(23, 100_000));
    } finally {
      client.destroy();
      thief.destroy();
    }
  }).timeout(120_000);

  it("extends the object lock of what snapshots need, once less than half is left", async () => {
    const place = server.location(server.freshName());
    await createS3Bucket(place, { objectLock: 2 }, server.admin);

    const backend = (await openBackend(place, { s3Credentials: server.admin })) as S3Backend;
    opened.push(backend);
    const made = await TestRepository.make({ backend, keeperKey: KeeperKey.generate() });
    await made.backUp("vm/a", { root: noise(30, 50_000) });
    assert.deepEqual(await backend.protection(), { versioning: "on", objectLockDays: 2, versionsExpire: [] });
    const catalog = await made.catalog();
    const kept = { catalog, packs: await listPacks(made.repository, {}) };
    const [{ storedAtMs }] = catalog.snapshots as [Snapshot];
    const day = 24 * 3_600_000;
    assert.equal(await extendRetention(made.repository, kept, storedAtMs + day / 2, {}), 0);
    const objects = kept.packs.size + 1;
    assert.equal(await extendRetention(made.repository, kept, storedAtMs + 1.5 * day, {}), objects);
    assert.equal(await extendRetention(made.repository, kept, storedAtMs + 1.5 * day, {}), 0);
  }).timeout(60_000);
});
