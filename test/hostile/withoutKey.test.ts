// What somebody can do who may write to the storage of an encrypted repository but does not have its key.

import assert from "node:assert/strict";
import { sealEnvelope } from "../../core/crypto/envelopeSeal.js";
import { decodeConfig, encodeConfig, type RepositoryConfig } from "../../core/format/config.js";
import type { EnvelopeKind } from "../../core/format/envelope.js";
import { encodeGcFinal, encodeGcPlan } from "../../core/format/gcPlan.js";
import { baseName, hexToBytes, objectName, packName, type Sid } from "../../core/format/ids.js";
import { encodeKeySlot } from "../../core/format/keySlot.js";
import { encodeForgotten, encodeManifest } from "../../core/format/manifest.js";
import { encodePackIndex } from "../../core/format/packIndex.js";
import { encodeQuarantine, encodeRecord } from "../../core/format/record.js";
import { encodeSession } from "../../core/format/session.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { PackBuilder } from "../../core/repository/packBuilder.js";
import { assertCode } from "../support/assertCode.js";
import { type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { listKeys } from "../support/listing.js";
import { noise } from "../support/sampleBytes.js";
import { TEST_PASSPHRASE, type TestRepository } from "../support/testRepository.js";

const at = "2026-11-21T02:00:00.000Z";
const by = "nobody";
const newId = (seed: number) => Buffer.from(noise(seed, 16)).toString("hex") as Sid;

async function assertAllRestore({ test, manifests, disks }: DamageSample): Promise<void> {
  for (const manifest of manifests) {
    assert.deepEqual(await test.restore(manifest, "root"), disks.get(`${manifest.sid}/root`));
  }
}

describe("hostile: without the key", function () {
  this.timeout(60_000);
  let sample: DamageSample;
  beforeEach(async () => {
    sample = await makeDamageSample();
  });

  /** An object that is not encrypted but right in every other way. */
  async function plant(key: string, kind: EnvelopeKind, plain: Uint8Array): Promise<void> {
    await sample.test.backend.put(key, sealEnvelope(key, kind, plain, null));
  }

  async function assertReported(...keys: string[]): Promise<void> {
    const { objects } = await sample.test.verify();
    assert.deepEqual(
      objects.problems.map(({ object, code }) => `${object} ${code}`),
      keys.sort().map((key) => `${key} OBJECT_FORGED`),
    );
  }

  it("a snapshot cannot be forgotten, unprotected, replaced or made up", async () => {
    const { test, manifests } = sample;
    const [a1, a2] = manifests.map(({ sid }) => sid) as [Sid, Sid];
    const protectedOne = await test.backUp("vm/guarded", { root: noise(9, 9000) }, { protected: true });
    const [rid, invented] = [newId(1), newId(2)];
    const unprotect = { type: "protection" as const, data: { protected: false } };
    await plant(objectName.forgotten(a1), "forgotten", encodeForgotten({ sid: a1, at, by, reason: "" }));
    await plant(
      objectName.record(rid),
      "record",
      encodeRecord({ rid, snapshots: [protectedOne.sid], sequence: 999, at, by, origin: null, ...unprotect }),
    );
    await plant(objectName.snapshot(a2), "snapshot", encodeManifest({ type: "void", sid: a2, at, by, reason: "" }));
    await plant(objectName.snapshot(invented), "snapshot", encodeManifest({ ...manifests[0]!, sid: invented }));
    const { snapshots, unreadable } = await test.catalog();
    const sids = snapshots.map(({ sid }) => sid);
    assert.ok(sids.includes(a1) && !sids.includes(invented));
    assert.ok(snapshots.find(({ sid }) => sid === protectedOne.sid)?.protected);
    assert.deepEqual(new Set(unreadable.map(({ sid }) => sid)), new Set([a2, invented]));
    await assertReported(
      objectName.forgotten(a1),
      objectName.record(rid),
      objectName.snapshot(a2),
      objectName.snapshot(invented),
    );
    // What a2 needs is unknown now, so nothing may be deleted.
    const error = await assertCode(test.gc(), "GC_SNAPSHOT_UNREADABLE");
    assert.match(error.message, new RegExp(`${a2}|${invented}`));
  });

  it("no pack can be deleted by a made-up decision, and the next gc works", async () => {
    const { test } = sample;
    const packs = (await listKeys(test.backend, "packs/")).map(baseName) as never[];
    const [gid, other] = [newId(3), newId(4)];
    await plant(objectName.plan(gid), "gcPlan", encodeGcPlan({ gid, at, by, victims: packs }));
    await plant(objectName.final(gid), "gcFinal", encodeGcFinal({ gid, at, by, delete: packs }));
    await plant(objectName.plan(other), "gcPlan", encodeGcPlan({ gid: other, at, by, victims: packs }));
    await assertReported(objectName.plan(gid), objectName.final(gid), objectName.plan(other));
    await test.gc();
    await assertAllRestore(sample);
    await test.backUp("vm/a", { root: noise(4, 9000) });
    await assertAllRestore(sample);
    assert.ok((await test.verify()).snapshots.every(({ result }) => result === "ok"));
  });

  it("nothing is believed of a made-up index, quarantine or announcement", async () => {
    const { test } = sample;
    const { sid: firstSid } = sample.manifests[0]!;
    const chunk = sample.blobs.find(({ id, kind }) => kind === "chunk" && sample.needs.has(id))!;
    const { sizeBytes } = (await Array.from(await collectPacks(test))).find(({ key }) => key.endsWith(chunk.pack))!;
    const entries = new Uint8Array(48);
    entries.set(hexToBytes(chunk.id, 32, "id"));
    new DataView(entries.buffer).setUint32(32, 64, true);
    const index = objectName.index(packName(newId(5), 0));
    const [rid, sid] = [newId(6), newId(7)];
    await plant(index, "packIndex", encodePackIndex([{ name: chunk.pack, sizeBytes, blobCount: 1, entries }]));
    const blobs = sample.blobs.map(({ pack, id }) => ({ pack, id }));
    await plant(objectName.quarantine(rid), "quarantine", encodeQuarantine({ rid, at, by, blobs }));
    const session = { sid, purpose: "backup", host: "", pid: 1, group: null, startedAt: at, beat: 1 };
    await plant(objectName.session(sid), "session", encodeSession(session));
    await assertReported(index, objectName.quarantine(rid), objectName.session(sid));
    const again = await test.backUp("vm/a", { root: sample.disks.get(`${firstSid}/root`)! });
    assert.equal(again.statistics.chunksNew, 0, "nothing was stored anew");
    await test.gc();
    await assertAllRestore(sample);
  });

  it("chunks cannot be exchanged: a pack that claims theirs is refused, and the good copy is used", async () => {
    const { test } = sample;
    const wanted = sample.blobs.filter(({ id, kind }) => kind === "chunk" && sample.needs.has(id));
    const builder = new PackBuilder({
      sid: "0".repeat(32) as Sid,
      packBytes: 1 << 20,
      keyring: null,
      firstNumber: 0,
      numberStep: 1,
    });
    for (const { id } of wanted)
      builder.add("chunk", hexToBytes(id, 32, "id"), noise(1, 5000), { codec: "none", level: 1 });
    const forged = builder.finish()!;
    await test.backend.put(objectName.pack(forged.name), forged.bytes);
    await assertAllRestore(sample);
    const report = await test.verify();
    assert.equal(report.ok, false);
    assert.ok(report.packs.problems.every(({ pack, code }) => pack === forged.name && code === "BLOB_FORGED"));
    assert.ok(report.snapshots.every(({ result }) => result === "ok"));
    // With the good copies gone it is damage, and clearly told; never other data.
    for (const pack of new Set(wanted.map(({ pack }) => pack))) await test.backend.delete(objectName.pack(pack));
    const error = await assertCode(test.restore(sample.manifests[0]!, "root"), "RESTORE_DAMAGED");
    assert.match(error.message, new RegExp(forged.name));
  });

  it("the repository cannot be made to call itself open, or to cut disks differently", async () => {
    const { test } = sample;
    const { config } = test.repository;
    const forgeries: [Partial<RepositoryConfig>, string][] = [
      [{ encryption: "none", keyId: null, mac: null }, "CONFIG_FORGED"],
      [{ chunker: { ...config.chunker, averageBytes: 8192 * 4, maxBytes: 1 << 20 } }, "CONFIG_FORGED"],
      [{ packBytes: 2 << 20 }, "CONFIG_FORGED"],
      [{ mac: "00".repeat(32) }, "CONFIG_FORGED"],
      [{ repositoryId: newId(8) }, "PASSPHRASE_WRONG"],
      [{ keyId: "00".repeat(8) }, "KEY_SLOTS_MISSING"],
    ];
    const sound = await test.backend.get("config");
    for (const [change, code] of forgeries) {
      await plant("config", "config", encodeConfig({ ...config, ...change }));
      const error = await assertCode(test.reopen(), code === "PASSPHRASE_WRONG" ? "CONFIG_FORGED" : code);
      assert.ok(error.hint);
      if (code === "CONFIG_FORGED") {
        assert.equal(error.data.object, "config");
        const { objects } = await test.verify();
        assert.deepEqual(
          objects.problems.map(({ object }) => object),
          ["config"],
        );
      }
      await test.backend.put("config", sound);
    }
    await test.reopen();
    assert.deepEqual(decodeConfig(encodeConfig(config)), config);
  });

  it("a made-up key slot opens nothing, is dear to nobody, and keeps no good slot from being tried", async () => {
    const { test } = sample;
    const { repositoryId, keyId } = test.repository.config;
    const dear = { name: "scrypt" as const, n: 2 ** 20, r: 8, p: 16, salt: "00".repeat(32) };
    for (let seed = 10; seed < 20; seed++) {
      const slotId = newId(seed);
      const slot = { slotId, repositoryId, keyId: keyId!, type: "passphrase" as const, label: "", createdAt: at };
      await plant(
        objectName.keySlot(slotId),
        "keySlot",
        encodeKeySlot({ ...slot, kdf: dear, nonce: "00".repeat(12), wrapped: "00".repeat(48) }),
      );
    }
    await test.backend.put(`keys/${newId(30)}`, new Uint8Array(5));
    await test.backend.put(`keys/${newId(31)}`, sealEnvelope("keys/other", "keySlot", new Uint8Array(5), null));
    const started = performance.now();
    await test.reopen();
    assert.ok(performance.now() - started < 30_000, "the dear slots come last");
    assert.deepEqual(test.takeWarnings(), ["KEY_SLOT_UNREADABLE", "KEY_SLOT_UNREADABLE"]);
  });

  it("a wrong passphrase, a wrong recovery key and no key slot are three clear errors", async () => {
    const { test } = sample;
    const open = (secret: { passphrase: string } | { recoveryKey: string }) =>
      test.reopen({ secret: async () => secret });
    await assertCode(open({ passphrase: `${TEST_PASSPHRASE} ` }), "PASSPHRASE_WRONG");
    await assertCode(open({ recoveryKey: `${test.recoveryKey!.slice(0, -1)}0` }), "RECOVERY_KEY_INVALID");
    const opened = await open({ recoveryKey: test.recoveryKey! });
    assert.deepEqual(
      await opened.restore(sample.manifests[0]!, "root"),
      sample.disks.get(`${sample.manifests[0]!.sid}/root`),
    );
    for (const key of await listKeys(test.backend, "keys/")) await test.backend.delete(key);
    await assertCode(open({ passphrase: TEST_PASSPHRASE }), "KEY_SLOTS_MISSING");
  });

  it("a repository without a config is none, and one with a broken config says so", async () => {
    const { test } = sample;
    await test.backend.delete("config.copy");
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(1000),
      sealEnvelope("config", "config", new Uint8Array(9), null),
    ]) {
      await test.backend.put("config", bytes);
      const error = await assertCode(test.reopen(), "CONFIG_DAMAGED");
      assert.match(error.message, /: config/);
    }
    await test.backend.delete("config");
    await assertCode(test.reopen(), "CONFIG_MISSING");
    await assertCode(
      openRepository(test.backend, {
        secret: () => assert.fail(),
        environment: test.environment,
        cacheFolder: null,
        onWarning: test.onWarning,
      }),
      "CONFIG_MISSING",
    );
  });
});

async function collectPacks(test: TestRepository): Promise<{ key: string; sizeBytes: number }[]> {
  const packs: { key: string; sizeBytes: number }[] = [];
  for await (const { key, sizeBytes } of test.backend.list("packs/")) packs.push({ key, sizeBytes });
  return packs;
}
