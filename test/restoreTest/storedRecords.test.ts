import assert from "node:assert/strict";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { recordDigest, signTestEvidence } from "../../core/evidence/testStatements.js";
import { verifyEvidence } from "../../core/evidence/verifyEvidence.js";
import type { Sid } from "../../core/format/ids.js";
import { MAX_TEST_ENVELOPE_CHARS } from "../../core/format/record.js";
import { encodeRestoreTestRecord, type RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import type { Snapshot } from "../../core/repository/catalog.js";
import { writeRecord } from "../../core/repository/records.js";
import { lastTestTimes, newestTestDigest, storeTestRecord, testHistory } from "../../core/restoreTest/storedRecords.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import { endingLater, recordWithOutcome, sampleTestRecord, testedAtMs } from "../support/sampleTestRecord.js";
import { TestRepository } from "../support/testRepository.js";
import { sync } from "../sync/replicas.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const key = SigningKey.generate();

async function newestOf(test: TestRepository): Promise<Snapshot> {
  const { snapshots } = await test.catalog();
  return snapshots.at(-1) as Snapshot;
}

/** Of this snapshot, following the machine's newest record, with an id of its own. */
async function recordOf(
  test: TestRepository,
  { sid, digest }: Pick<Snapshot, "sid" | "digest">,
  minutes: number,
  change: Partial<RestoreTestRecord> = {},
): Promise<RestoreTestRecord> {
  const sample = endingLater(sampleTestRecord(), minutes * MINUTE);
  const recordId = minutes.toString(16).padStart(32, "0");
  const previous = newestTestDigest(await test.catalog(), sample.asset.machine);
  const backup = { ...sample.backup, snapshotId: sid, manifestDigest: digest };
  return { ...sample, recordId, previous, backup, ...change };
}

async function store(test: TestRepository, snapshot: Snapshot, record: RestoreTestRecord): Promise<Sid> {
  const { records } = await test.catalog();
  const envelopes = signTestEvidence(record, [key]);
  return (await storeTestRecord(test.repository, snapshot, record, envelopes, records)).rid;
}

const digestOf = (record: RestoreTestRecord) => recordDigest(encodeRestoreTestRecord(record));

describe("records of restore tests in the repository", function () {
  this.timeout(20_000);
  let test: TestRepository;
  let snapshot: Snapshot;
  beforeEach(async () => {
    test = await TestRepository.make();
    await test.backUp("vm/web1", { root: noise(1, 30_000) });
    snapshot = await newestOf(test);
  });

  it("come back as they were, with evidence that holds", async () => {
    const record = await recordOf(test, snapshot, 1);
    await store(test, snapshot, record);
    const { tests, problems } = testHistory(await test.catalog(), "vm/web1");
    assert.deepEqual([tests.map((stored) => stored.record), problems], [[record], []]);
    const [{ envelopes, digest, snapshots }] = tests as [(typeof tests)[0]];
    assert.deepEqual([digest, snapshots], [digestOf(record), [snapshot.sid]]);
    const { decision } = verifyEvidence(envelopes, {
      keys: [key.verificationKey],
      threshold: 1,
      subjectDigest: snapshot.digest,
      maxAgeMs: DAY,
      nowMs: testedAtMs + 2 * MINUTE,
      requiredLevel: "serves",
      requiredChecks: [],
      allowWarned: false,
      allowedSpecDigests: null,
    });
    assert.equal(decision, "accepted");
  });

  it("show in the catalog: the newest test of the snapshot itself, no drill, nothing of another snapshot", async () => {
    assert.equal(snapshot.restoreTest, null);
    await store(test, snapshot, await recordOf(test, snapshot, 1));
    const failed = recordWithOutcome("failed");
    const { checks, result } = failed;
    await store(test, snapshot, await recordOf(test, snapshot, 3, { checks, result }));
    await store(test, snapshot, await recordOf(test, snapshot, 2));
    await store(test, snapshot, await recordOf(test, snapshot, 4, { simulated: true }));
    const { records } = await test.catalog();
    const times = lastTestTimes({ records }, sampleTestRecord().asset.machine);
    assert.deepEqual(
      [...times],
      [[snapshot.sid, testedAtMs + 3 * MINUTE]],
      "what is tested next is chosen by tests alone",
    );
    const foreign = encodeRestoreTestRecord(endingLater(sampleTestRecord(), 9 * MINUTE));
    for (const record of [foreign, { schema: "restore-test/v2" }, null])
      await writeRecord(
        test.repository,
        { type: "restoreTest", data: { record, envelopes: [] } },
        [snapshot.sid],
        records,
      );
    assert.deepEqual((await newestOf(test)).restoreTest, {
      outcome: "failed",
      provenLevel: "boots",
      at: new Date(testedAtMs + 3 * MINUTE).toISOString(),
      recordId: "3".padStart(32, "0"),
      of: "snapshot",
    });
  });

  it("are refused for another snapshot, and with envelopes that are none", async () => {
    const record = await recordOf(test, snapshot, 1);
    await test.backUp("vm/web1", { root: noise(2, 30_000) });
    const other = await newestOf(test);
    const tryToStore = (of: Snapshot, envelopes: string[]) =>
      storeTestRecord(test.repository, of, record, envelopes, []);
    await assertCode(tryToStore(other, []), "TEST_RECORD_INVALID");
    await assertCode(tryToStore({ ...snapshot, digest: other.digest }, []), "TEST_RECORD_INVALID");
    await assertCode(tryToStore(snapshot, ["x".repeat(MAX_TEST_ENVELOPE_CHARS + 1)]), "TEST_RECORD_INVALID");
    await assertCode(
      tryToStore(
        snapshot,
        Array.from({ length: 17 }, () => "{}"),
      ),
      "TEST_RECORD_INVALID",
    );
    await assertCode(tryToStore(snapshot, ["{}"]), "FORMAT_INVALID");
    const broken = { ...record, runId: "run 7" };
    await assertCode(storeTestRecord(test.repository, snapshot, broken, [], []), "FORMAT_INVALID");
    assert.equal((await test.catalog()).records.length, 0);
  });

  it("may be written by a runner, without the keeper's key", async () => {
    const keeper = await TestRepository.make({ keeperKey: KeeperKey.generate() });
    const runner = await keeper.reopen();
    await runner.backUp("vm/web1", { root: noise(1, 30_000) });
    const tested = await newestOf(runner);
    await store(runner, tested, await recordOf(runner, tested, 1));
    assert.equal((await newestOf(keeper)).restoreTest?.outcome, "passed");
    assert.deepEqual((await keeper.catalog()).unsigned, []);
    assert.equal((await keeper.verify()).ok, true);
  });

  describe("form a chain", () => {
    const codesOf = async () => testHistory(await test.catalog()).problems.map(({ code }) => code);

    it("that is one line when tests follow each other", async () => {
      const first = await recordOf(test, snapshot, 1);
      await store(test, snapshot, first);
      const second = await recordOf(test, snapshot, 2);
      assert.equal(second.previous, digestOf(first));
      await store(test, snapshot, second);
      await store(test, snapshot, await recordOf(test, snapshot, 3));
      const other = { ...sampleTestRecord().asset, machine: "vm/other" };
      await store(test, snapshot, await recordOf(test, snapshot, 4, { asset: other, previous: null }));
      assert.deepEqual(await codesOf(), []);
      const ids = testHistory(await test.catalog(), "vm/web1").tests.map(({ record }) => record.recordId.slice(-1));
      assert.deepEqual(ids, ["1", "2", "3"]);
    });

    it("whose changed or missing links are reported", async () => {
      const first = await recordOf(test, snapshot, 1);
      const second = await recordOf(test, snapshot, 2, { previous: digestOf(first) });
      const third = await recordOf(test, snapshot, 3, { previous: digestOf(second) });
      await store(test, snapshot, second);
      await store(test, snapshot, third);
      assert.deepEqual(await codesOf(), ["begins-later"], "the first one is not here");
      const altered = { ...first, asset: { ...first.asset, owner: "somebody else" } };
      await store(test, snapshot, altered);
      assert.deepEqual(await codesOf(), ["gap"], "the first one is another one");
      await store(test, snapshot, first);
      assert.deepEqual(await codesOf(), ["second-start"]);
    });

    it("that forks when two tests ran at the same time, and knows impossible orders", async () => {
      const first = await recordOf(test, snapshot, 5);
      await store(test, snapshot, first);
      const [a, b] = [6, 7].map((minutes) => recordOf(test, snapshot, minutes, { previous: digestOf(first) }));
      await store(test, snapshot, (await a) as RestoreTestRecord);
      await store(test, snapshot, (await b) as RestoreTestRecord);
      assert.deepEqual(await codesOf(), ["fork"]);
      const { records } = await test.catalog();
      const body = { type: "restoreTest" as const, data: { record: 7, envelopes: [] } };
      await writeRecord(test.repository, body, [snapshot.sid], records);
      assert.deepEqual(await codesOf(), ["unreadable", "fork"]);
      await store(
        test,
        snapshot,
        await recordOf(test, snapshot, 4, { previous: digestOf((await b) as RestoreTestRecord) }),
      );
      assert.deepEqual((await codesOf()).sort(), ["fork", "order", "unreadable"]);
    });
  });

  it("travel with copies of their snapshot, all of them, once, and say that the original was tested", async () => {
    const replica = await TestRepository.make({ encrypted: false, seed: 2 });
    await store(test, snapshot, await recordOf(test, snapshot, 1));
    await store(test, snapshot, await recordOf(test, snapshot, 2));
    assert.equal((await sync(test, replica)).records, 2);
    assert.equal((await sync(test, replica)).records, 0);
    const [ours, theirs] = [await test.catalog(), await replica.catalog()].map((catalog) => testHistory(catalog));
    const contents = (history: typeof ours) =>
      history?.tests.map(({ record, envelopes }) => [record, envelopes.map((text) => Buffer.from(text).toString())]);
    assert.deepEqual(contents(theirs), contents(ours));
    assert.deepEqual(theirs?.problems, []);
    const copy = await newestOf(replica);
    assert.deepEqual([copy.restoreTest?.of, copy.restoreTest?.outcome], ["original", "passed"]);
    await store(replica, copy, await recordOf(replica, copy, 1));
    assert.equal((await newestOf(replica)).restoreTest?.of, "snapshot");
  });

  it("outlive replaced notes and forgotten snapshots for 400 days", async () => {
    await store(test, snapshot, await recordOf(test, snapshot, 1));
    await store(test, snapshot, await recordOf(test, snapshot, 2));
    const count = async () => testHistory(await test.catalog()).tests.length;
    test.environment.nowMs += 500 * DAY;
    await test.gc();
    assert.equal(await count(), 2, "the snapshot is there");
    await test.backUp("vm/web1", { root: noise(2, 30_000) });
    const later = await newestOf(test);
    await store(test, later, await recordOf(test, later, 3));
    await test.forget(snapshot.sid, later.sid);
    test.environment.nowMs += 30 * DAY;
    await test.gc();
    assert.equal(await count(), 1);
    assert.deepEqual(
      testHistory(await test.catalog()).problems.map(({ code }) => code),
      ["begins-later"],
    );
    test.environment.nowMs += 400 * DAY;
    await test.gc();
    assert.equal(await count(), 0);
  });
});
