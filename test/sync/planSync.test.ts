import assert from "node:assert/strict";
import type { Sid } from "../../core/format/ids.js";
import { planSync, type SyncCandidate, type SyncScope, type SyncSide } from "../../core/sync/planSync.js";

const id = (name: string) => Buffer.from(name.padEnd(16, ".")).toString("hex") as Sid;
const digest = "ab".repeat(32);

function made(repository: string, name: string, group = "vm/a", more: Partial<SyncCandidate> = {}): SyncCandidate {
  const origin = { repositoryId: id(repository), snapshot: id(name), digest };
  return { sid: id(name), namespace: "", group, timeMs: 0, origin, isCopy: false, protected: false, ...more };
}

function copied(name: string, original: SyncCandidate, more: Partial<SyncCandidate> = {}): SyncCandidate {
  return { ...original, sid: id(name), isCopy: true, ...more };
}

function side(repository: string, ...snapshots: SyncCandidate[]): SyncSide {
  return { repositoryId: id(repository), snapshots, unreadable: [], doubtfulRecord: null };
}

const all: SyncScope = { includes: () => true, transferLast: null, removeVanished: false };
const [one, two, three] = [made("A", "1"), made("A", "2"), made("A", "3")];

describe("planSync", () => {
  it("copies what is not there, and pairs what is", () => {
    const plan = planSync(side("A", one, two, three), side("B", copied("2b", two)), all);
    assert.deepEqual(plan.copy, [one.sid, three.sid]);
    assert.deepEqual(plan.present, [{ from: two.sid, to: id("2b") }]);
  });

  it("recognises its own snapshots when they come back, and copies of copies", () => {
    const plan = planSync(side("C", copied("1c", one), copied("2c", two)), side("A", one), all);
    assert.deepEqual([plan.copy, plan.present], [[id("2c")], [{ from: id("1c"), to: one.sid }]]);
  });

  it("does not take a snapshot with another digest for the same", () => {
    const forged = copied("1b", one, { origin: { ...one.origin, digest: "cd".repeat(32) } });
    assert.deepEqual(planSync(side("A", one), side("B", forged), all).copy, [one.sid]);
  });

  it("copies one of two copies of the same original, and pairs both of two there", () => {
    const plan = planSync(side("B", copied("x", one), copied("y", one)), side("C"), all);
    assert.deepEqual(plan.copy, [id("x")]);
    const back = planSync(side("A", one), side("B", copied("x", one), copied("y", one)), all);
    assert.equal(back.present.length, 2);
  });

  it("--transfer-last counts the newest of each machine, present ones included", () => {
    const other = made("A", "other", "vm/b");
    const plan = planSync(side("A", one, two, other, three), side("B", copied("3b", three)), {
      ...all,
      transferLast: 2,
    });
    assert.deepEqual([plan.copy, plan.older], [[two.sid, other.sid], [one.sid]]);
    assert.deepEqual(planSync(side("A", one), side("B"), { ...all, transferLast: 0 }).copy, []);
  });

  it("only looks at what the scope includes", () => {
    const scope = { ...all, removeVanished: true, includes: ({ group }: { group: string }) => group === "vm/b" };
    const other = made("A", "other", "vm/b");
    const plan = planSync(side("A", one, other), side("B", copied("2b", two)), scope);
    assert.deepEqual([plan.copy, plan.older, plan.vanished], [[other.sid], [], []]);
  });

  it("--remove-vanished takes only copies of what was made in the source and is gone there", () => {
    const ofA = copied("1b", one);
    const guarded = copied("2b", two, { protected: true });
    const ofOther = copied("xb", made("X", "x"));
    const own = made("B", "own");
    const unreadable = copied("3b", three);
    const from = { ...side("A"), unreadable: [three.sid] };
    const plan = planSync(from, side("B", ofA, guarded, ofOther, own, unreadable), { ...all, removeVanished: true });
    assert.deepEqual(
      plan.vanished.map(({ sid, action }) => [sid, action]),
      [
        [ofA.sid, "forget"],
        [guarded.sid, "keep"],
      ],
    );
    assert.deepEqual(planSync(from, side("B", ofA), all).vanished, []);
  });

  it("--remove-vanished knows a snapshot that has come back to its repository as a copy", () => {
    const plan = planSync(side("A", copied("1a", one)), side("B", copied("1b", one)), { ...all, removeVanished: true });
    assert.deepEqual([plan.vanished, plan.present.length], [[], 1]);
  });

  it("keeps what has vanished while a record of the replica cannot be read: it may protect it", () => {
    const doubtful = { ...side("B", copied("1b", one)), doubtfulRecord: "records/ab" };
    const plan = planSync(side("A", two), doubtful, { ...all, removeVanished: true });
    assert.deepEqual(plan.copy, [two.sid]);
    const reason = "its original is gone, but records/ab cannot be read and may protect it";
    assert.deepEqual(plan.vanished, [{ sid: id("1b"), action: "keep", reason }]);
    // what protects in the source says nothing about a copy whose original is gone
    const fromDoubtful = { ...side("A", two), doubtfulRecord: "records/ab" };
    const sure = planSync(fromDoubtful, side("B", copied("1b", one)), { ...all, removeVanished: true });
    assert.equal(sure.vanished[0]?.action, "forget");
  });
});
