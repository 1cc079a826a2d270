// Times that writers claim, and how much may go at once.

import assert from "node:assert/strict";
import { refuseManyDrops } from "../../core/forget/dropShare.js";
import { DEFAULT_TIME_DISTRUST, type PruneCandidate, planPrune } from "../../core/retention/planPrune.js";

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const CONTEXT = { timeZone: "UTC", nowMs: NOW, distrust: DEFAULT_TIME_DISTRUST };

function candidate(id: string, daysAgo: number, storedDaysAgo = daysAgo): PruneCandidate {
  const at = (days: number) => NOW - days * DAY;
  return { id, timeMs: at(daysAgo), storedAtMs: at(storedDaysAgo), protected: false, finished: true };
}

function marks(candidates: readonly PruneCandidate[], keep: Parameters<typeof planPrune>[1]): Record<string, string> {
  return Object.fromEntries(planPrune(candidates, keep, CONTEXT).map(({ id, mark, rule }) => [id, `${mark} ${rule}`]));
}

describe("retention that distrusts claimed times", () => {
  const real = [1, 2, 3].map((days) => candidate(`real${days}`, days));

  it("decides as always when the times agree", () => {
    assert.deepEqual(marks(real, { last: 2 }), {
      real1: "keep last",
      real2: "keep last",
      real3: "remove none",
    });
    const shifted = real.map((each) => ({ ...each, storedAtMs: (each.storedAtMs as number) + DAY / 2 }));
    assert.deepEqual(marks(shifted, { last: 2 }), marks(real, { last: 2 }));
  });

  it("does not let snapshots with invented times push out others", () => {
    const before = marks(real, { last: 2, monthly: 3 });
    const backdated = [10, 40, 70].map((days) => candidate(`old${days}`, days, 0));
    const later = [candidate("later", 0.5, 3)];
    const after = marks([...real, ...backdated, ...later], { last: 2, monthly: 3 });
    for (const [id, mark] of Object.entries(before)) assert.equal(after[id], mark, id);
    for (const { id } of [...backdated, ...later]) assert.equal(after[id], "keep doubtful");
  });

  it("decides copies from elsewhere among themselves once they are old enough to have been noticed", () => {
    const copies = [20, 21, 22, 23].map((days) => candidate(`copy${days}`, days, 9));
    const decided = marks([...real, ...copies], { last: 2 });
    assert.deepEqual(decided, {
      real1: "keep last",
      real2: "keep last",
      real3: "remove none",
      copy20: "keep last",
      copy21: "keep last",
      copy22: "remove none",
      copy23: "remove none",
    });
    const [, , , first] = planPrune([...real, ...copies], { last: 2 }, CONTEXT);
    assert.match(first?.reasons.join() ?? "", /among such snapshots only/);
  });

  it("believes times where the storage's are not given", () => {
    const without = real.map(({ storedAtMs: _, ...rest }) => rest);
    assert.deepEqual(marks(without, { last: 1 }), marks(real, { last: 1 }));
  });
});

describe("dropping many snapshots at once", () => {
  const plan = (group: string, removed: number, kept: number) => ({
    namespace: "",
    group,
    decisions: [...Array(removed).fill({ mark: "remove" }), ...Array(kept).fill({ mark: "keep" })],
  });

  it("is refused for more than half of four or more, of one machine or of all", () => {
    refuseManyDrops([]);
    refuseManyDrops([plan("vm/a", 2, 1)]);
    refuseManyDrops([plan("vm/a", 2, 2), plan("vm/b", 0, 1)]);
    const refused = { code: "PRUNE_DROPS_MANY" };
    assert.throws(() => refuseManyDrops([plan("vm/a", 3, 1)]), refused);
    assert.throws(() => refuseManyDrops([plan("vm/a", 3, 1), plan("vm/b", 0, 90)]), refused);
    assert.throws(() => refuseManyDrops([plan("vm/a", 2, 1), plan("vm/b", 2, 1)]), refused);
  });
});
