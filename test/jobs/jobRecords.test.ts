import assert from "node:assert/strict";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import type { JobRecordData } from "../../core/format/jobRecord.js";
import { jobRecords, storeJobRecord } from "../../core/jobs/jobRecords.js";
import { writeRecord } from "../../core/repository/records.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";
import { sync } from "../sync/replicas.js";

const DAY = 86_400_000;
const data: JobRecordData = {
  ...{ job: "nightly", command: "backup", outcome: "passed", trigger: "scheduled", host: "host" },
  ...{ startedAt: "2026-11-21T02:00:00Z", finishedAt: "2026-11-21T02:10:00Z" },
  ...{ scheduledFor: null, partial: false, slice: null },
  machines: [{ machine: "vm/a", outcome: "passed", snapshot: null }],
};

describe("records of jobs in the repository", function () {
  this.timeout(20_000);

  it("come back as they were, oldest first", async () => {
    const test = await TestRepository.make();
    const { records } = await test.catalog();
    await storeJobRecord(test.repository, data, records);
    await storeJobRecord(test.repository, { ...data, startedAt: "2026-11-20T02:00:00Z" }, records);
    const read = jobRecords(await test.catalog(), "nightly");
    assert.deepEqual(read, [{ ...data, startedAt: "2026-11-20T02:00:00Z" }, data]);
    assert.deepEqual(jobRecords(await test.catalog(), "other"), []);
  });

  it("speak of no snapshot, and no other record does so", async () => {
    const test = await TestRepository.make();
    const { sid } = await test.backUp("vm/a", { root: noise(1, 10_000) });
    await assertCode(writeRecord(test.repository, { type: "job", data }, [sid], []), "RECORD_SNAPSHOTS");
    await assertCode(writeRecord(test.repository, { type: "notes", data: { text: "" } }, [], []), "RECORD_SNAPSHOTS");
  });

  it("are kept by gc for 400 days", async () => {
    const test = await TestRepository.make();
    await storeJobRecord(test.repository, data, []);
    test.environment.nowMs += 399 * DAY;
    await test.gc();
    assert.equal(jobRecords(await test.catalog()).length, 1);
    test.environment.nowMs += 2 * DAY;
    await test.gc();
    assert.equal(jobRecords(await test.catalog()).length, 0);
  });

  it("stay where they are when snapshots are copied", async () => {
    const [from, to] = [await TestRepository.make(), await TestRepository.make({ seed: 2 })];
    await from.backUp("vm/a", { root: noise(1, 10_000) });
    await storeJobRecord(from.repository, data, []);
    await sync(from, to);
    assert.equal((await to.catalog()).snapshots.length, 1);
    assert.equal(jobRecords(await to.catalog()).length, 0);
  });

  it("may be written by a runner", async () => {
    const keeper = await TestRepository.make({ keeperKey: KeeperKey.generate() });
    const runner = await keeper.reopen();
    await storeJobRecord(runner.repository, data, []);
    assert.equal(jobRecords(await keeper.catalog()).length, 1);
    assert.deepEqual(keeper.takeWarnings(), []);
  });
});
