// A record that cannot be read may be the one that protects a snapshot: no policy forgets anything beside it.

import assert from "node:assert/strict";
import { checkForgettable, planRepositoryPrune } from "../../core/forget/forget.js";
import { objectName } from "../../core/format/ids.js";
import { writeRecord } from "../../core/repository/records.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

describe("a damaged record", () => {
  it("does not let a policy forget the snapshot that it protects", async () => {
    const made = await TestRepository.make();
    const { sid } = await made.backUp("vm/a", { root: noise(1, 30_000) });
    await made.backUp("vm/a", { root: noise(2, 30_000) });
    const body = { type: "protection", data: { protected: true } } as const;
    const { rid } = await writeRecord(made.repository, body, [sid], []);
    const plan = async () => {
      const scope = { group: null, namespace: null, keep: { last: 1 }, timeZone: "UTC", nowMs: made.environment.nowMs };
      const catalog = await made.catalog();
      return planRepositoryPrune(catalog, scope).flatMap(({ decisions }) => decisions.map(({ mark }) => mark));
    };
    assert.ok(!(await plan()).includes("remove"));
    await changeObject(made.backend, objectName.record(rid), (bytes) => flipped(bytes, bytes.length - 10));
    await assert.rejects(plan(), { code: "PRUNE_RECORD_UNREADABLE" });
    // what speaks of a test only protects nothing
    await made.backend.delete(objectName.record(rid));
    const data = { record: { schema: "restore-test/v2" }, envelopes: [] };
    await writeRecord(made.repository, { type: "restoreTest", data }, [sid], []);
    assert.ok((await plan()).includes("remove"));
  });

  it("lets nothing be forgotten by hand, unless somebody says that it may", async () => {
    const made = await TestRepository.make();
    const { sid } = await made.backUp("vm/a", { root: noise(1, 30_000) });
    const body = { type: "protection", data: { protected: true } } as const;
    const { rid } = await writeRecord(made.repository, body, [sid], []);
    const protectedOnes = await made.catalog();
    assert.throws(() => checkForgettable(protectedOnes.snapshots, protectedOnes), { code: "SNAPSHOT_PROTECTED" });
    await changeObject(made.backend, objectName.record(rid), (bytes) => flipped(bytes, bytes.length - 10));
    const doubtful = await made.catalog();
    const object = objectName.record(rid);
    assert.throws(
      () => checkForgettable(doubtful.snapshots, doubtful),
      (error: { code: string; data: object }) => {
        assert.deepEqual([error.code, error.data], ["FORGET_RECORD_UNREADABLE", { object }]);
        return true;
      },
    );
    checkForgettable(doubtful.snapshots, doubtful, { confirmed: true });
    // a snapshot that is known to be protected is not helped by it
    const known = doubtful.snapshots.map((snapshot) => ({ ...snapshot, protected: true }));
    assert.throws(() => checkForgettable(known, doubtful, { confirmed: true }), { code: "SNAPSHOT_PROTECTED" });
    await made.backend.delete(object);
    const sure = await made.catalog();
    checkForgettable(sure.snapshots, sure);
  });
});
