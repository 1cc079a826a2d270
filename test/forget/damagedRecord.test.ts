// A record that cannot be read may be the one that protects a snapshot: no policy forgets anything beside it.

import assert from "node:assert/strict";
import { planRepositoryPrune } from "../../core/forget/forget.js";
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
});
