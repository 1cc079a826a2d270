import assert from "node:assert/strict";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import type { Sid } from "../../core/format/ids.js";
import type { RecordBody } from "../../core/format/record.js";
import { writeRecord } from "../../core/repository/records.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";
import type { TestRepository } from "../support/testRepository.js";
import { makeReplica, putsOf, recordedSync, snapshotOf, sync } from "./replicas.js";

async function record(repository: TestRepository, body: RecordBody, ...sids: Sid[]): Promise<void> {
  await writeRecord(repository.repository, body, sids, (await repository.catalog()).records);
}

async function stateOf(repository: TestRepository): Promise<unknown[]> {
  return (await repository.catalog()).snapshots.map(({ manifest, notes, tags, protected: guarded }) => {
    return [manifest.time, notes, [...tags], guarded];
  });
}

describe("records and replication", function () {
  this.timeout(20_000);
  let a: TestRepository;
  let b: TestRepository;
  let first: Sid;
  let second: Sid;
  beforeEach(async () => {
    a = await makeReplica();
    b = await makeReplica({ encrypted: false });
    first = (await a.backUp("vm/a", { root: noise(1, 50_000) }, { tags: ["daily"], notes: "one" })).sid;
    second = (await a.backUp("vm/a", { root: noise(2, 50_000) }, { protected: true })).sid;
  });
  const copyOf = async (repository: TestRepository, sid: Sid): Promise<Sid> =>
    (await snapshotOf(repository, (await a.catalog()).snapshots.find((one) => one.sid === sid)!.manifest)).sid;
  async function assertNothingMoves(from: TestRepository, to: TestRepository): Promise<void> {
    const { report, toOperations } = await recordedSync(from, to);
    assert.deepEqual([report.copied, report.records, putsOf(toOperations)], [[], 0, []]);
  }

  it("a copy has the notes, tags and protection of the instant", async () => {
    await record(a, { type: "notes", data: { text: "two" } }, first);
    await record(a, { type: "tags", data: { tags: ["weekly", "x"] } }, first, second);
    await sync(a, b);
    assert.deepEqual(await stateOf(b), await stateOf(a));
    const copied = (await b.catalog()).snapshots[0]!;
    assert.deepEqual([copied.manifest.notes, copied.manifest.tags], ["two", ["weekly", "x"]]);
    await assertNothingMoves(a, b);
  });

  it("later changes travel with the next run, and only once", async () => {
    await sync(a, b);
    await record(a, { type: "notes", data: { text: "changed" } }, first);
    await record(a, { type: "tags", data: { tags: [] } }, first);
    await record(a, { type: "protection", data: { protected: true } }, first);
    await record(a, { type: "protection", data: { protected: false } }, second);
    await record(a, { type: "notes", data: { text: "changed again" } }, first);
    const { report } = await recordedSync(a, b);
    assert.equal(report.records, 4, "the note that was replaced stays behind");
    assert.deepEqual(await stateOf(b), await stateOf(a));
    await assertNothingMoves(a, b);
  });

  it("what is changed in a copy stays until the original changes again", async () => {
    await record(a, { type: "notes", data: { text: "original" } }, first);
    await sync(a, b);
    await record(b, { type: "notes", data: { text: "the copy's own" } }, await copyOf(b, first));
    await record(b, { type: "protection", data: { protected: true } }, await copyOf(b, first));
    b.environment.nowMs += 48 * 3_600_000;
    await b.gc();
    await assertNothingMoves(a, b);
    assert.deepEqual(((await stateOf(b))[0] as unknown[])[1], "the copy's own");
    await record(a, { type: "notes", data: { text: "later" } }, first);
    await sync(a, b);
    assert.deepEqual((await stateOf(b))[0], ["2026-11-21T03:00:00Z", "later", ["daily"], true]);
  });

  it("nothing goes round in a circle", async () => {
    const c = await makeReplica();
    await record(a, { type: "notes", data: { text: "from a" } }, first);
    await sync(a, b);
    await sync(b, c);
    for (const [from, to] of [
      [c, a],
      [b, a],
      [c, b],
      [a, b],
    ] as const)
      await assertNothingMoves(from, to);
    await record(c, { type: "notes", data: { text: "from c" } }, await copyOf(c, first));
    assert.equal((await sync(c, a)).records, 1);
    assert.equal((await sync(a, b)).records, 1);
    assert.deepEqual(await stateOf(a), await stateOf(c));
    assert.deepEqual(await stateOf(b), await stateOf(c));
    for (const [from, to] of [
      [b, c],
      [c, a],
    ] as const)
      await assertNothingMoves(from, to);
  });

  it("records of types that this release does not know come along, all of them; verifications do not", async () => {
    await record(a, { type: "unknown", name: "from-the-future", data: { passed: true } }, first, second);
    await record(a, { type: "unknown", name: "from-the-future", data: { passed: false } }, first);
    await a.verify({ record: true });
    const report = await sync(a, b);
    assert.equal(report.records, 2);
    const { records } = await b.catalog();
    assert.deepEqual(
      records
        .sort((x, y) => x.sequence - y.sequence)
        .map((each) => [each.type === "unknown" && each.name, each.data, each.snapshots.length, each.by]),
      [
        ["from-the-future", { passed: true }, 2, a.repository.author],
        ["from-the-future", { passed: false }, 1, a.repository.author],
      ],
    );
    assert.ok((await b.catalog()).snapshots.every(({ verification }) => verification === null));
    await assertNothingMoves(a, b);
  });

  it("only the keeper of the destination takes protection away there; the rest arrives", async () => {
    const keeper = await makeReplica({ keeperKey: KeeperKey.generate() });
    const runner = await keeper.reopen();
    await sync(a, runner);
    await record(a, { type: "protection", data: { protected: false } }, second);
    await record(a, { type: "notes", data: { text: "changed" } }, second);
    await sync(a, runner);
    assert.deepEqual(runner.takeWarnings(), ["SYNC_PROTECTION_KEPT"]);
    assert.deepEqual((await stateOf(keeper)).at(-1), ["2026-11-21T04:00:00Z", "changed", [], true]);
    await sync(a, keeper);
    assert.deepEqual((await stateOf(keeper)).at(-1), ["2026-11-21T04:00:00Z", "changed", [], false]);
    await assertNothingMoves(a, keeper);
    await a.forget(second);
    await a.backUp("vm/a", { root: noise(3, 20_000) });
    await assertCode(sync(a, runner, { removeVanished: true }), "KEEPER_KEY_REQUIRED");
    assert.equal((await keeper.catalog()).snapshots.length, 2, "nothing was done");
    assert.equal((await sync(a, keeper, { removeVanished: true })).vanished[0]?.action, "forget");
  });

  it("a record about two snapshots reaches the copy that is made later", async () => {
    await record(a, { type: "notes", data: { text: "both" } }, first, second);
    await sync(a, b, { transferLast: 1 });
    assert.deepEqual(
      (await b.catalog()).snapshots.map(({ notes }) => notes),
      ["both"],
    );
    await sync(a, b);
    await record(b, { type: "notes", data: { text: "own" } }, await copyOf(b, first));
    await assertNothingMoves(a, b);
  });
});
