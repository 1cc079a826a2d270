import assert from "node:assert/strict";
import fc from "fast-check";
import type { PruneCandidate } from "../../core/retention/planPrune.js";
import { DEFAULT_FUTURE_TOLERANCE_MS, planPrune } from "../../core/retention/planPrune.js";
import type { KeepOptions } from "../../core/retention/prunePolicy.js";
import { COUNT_RULES } from "../../core/retention/prunePolicy.js";
import { oracleMarks } from "./pbsOracle.js";

const NOW_MS = Date.parse("2026-11-20T12:00:00Z");
const HOUR_MS = 3_600_000;

const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe");

/** Ages at several scales, so that hours, days, weeks, months and years all get crowded buckets. */
const ages = fc.oneof(
  fc.integer({ min: 0, max: 200 }).map((quarters) => quarters * (HOUR_MS / 4)),
  fc.integer({ min: 0, max: 60 * 24 }).map((hours) => hours * HOUR_MS),
  fc.integer({ min: 0, max: 900 }).map((days) => days * 24 * HOUR_MS),
  fc.integer({ min: 0, max: 400_000_000 }).map((seconds) => seconds * 1000),
);

const flag = (oneIn: number) => fc.nat(oneIn - 1).map((n) => n === 0);

const pastSnapshots = fc
  .uniqueArray(fc.record({ ageMs: ages, protected: flag(8), unfinished: flag(8) }), {
    maxLength: 60,
    selector: ({ ageMs }) => ageMs,
  })
  .map((list): PruneCandidate[] =>
    list.map(({ ageMs, protected: isProtected, unfinished }) => ({
      id: `s${ageMs}`,
      timeMs: NOW_MS - ageMs,
      protected: isProtected,
      finished: !unfinished,
    })),
  );

const futureSnapshots = fc.uniqueArray(fc.integer({ min: 1, max: 1e12 }), { maxLength: 4 }).map((list) =>
  list.map(
    (aheadMs, i): PruneCandidate => ({
      id: `f${aheadMs}`,
      timeMs: NOW_MS + DEFAULT_FUTURE_TOLERANCE_MS + aheadMs,
      protected: i === 2,
      finished: i !== 1,
    }),
  ),
);

const count = fc.option(fc.nat(6), { nil: undefined });
const counts = fc.record({ last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count });
const policies: fc.Arbitrary<KeepOptions> = fc.tuple(counts, fc.option(fc.nat(40))).map(([keep, days]) => {
  if (days === null) return keep;
  return { ...keep, within: { years: 0, months: 0, weeks: 0, days, hours: 0, minutes: 0, seconds: 0 } };
});

const marksOf = (snapshots: readonly PruneCandidate[], keep: KeepOptions, timeZone: string) =>
  new Map(planPrune(snapshots, keep, { timeZone, nowMs: NOW_MS }).map(({ id, mark }) => [id, mark]));

describe("retention: laws of every plan", function () {
  this.timeout(60_000);

  it("agrees with a naive reading of the rules of Proxmox Backup Server", () => {
    fc.assert(
      fc.property(pastSnapshots, counts, zones, (snapshots, keep, timeZone) => {
        assert.deepEqual(marksOf(snapshots, keep, timeZone), oracleMarks(snapshots, keep, timeZone));
      }),
      { numRuns: 1500 },
    );
  });

  it("removes nothing protected, gives a reason for everything, names every snapshot once, newest first", () => {
    fc.assert(
      fc.property(pastSnapshots, futureSnapshots, policies, zones, (past, future, keep, timeZone) => {
        const snapshots = [...past, ...future];
        const plan = planPrune(snapshots, keep, { timeZone, nowMs: NOW_MS });
        const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
        assert.deepEqual(plan.map(({ id }) => id).sort(), [...byId.keys()].sort());
        for (const [i, { id, timeMs, mark, reasons }] of plan.entries()) {
          assert.equal(mark === "protected", byId.get(id)!.protected);
          assert.ok(reasons.length > 0 && reasons.every((reason) => reason.length > 0));
          assert.ok(i === 0 || plan[i - 1]!.timeMs >= timeMs);
          assert.equal(timeMs, byId.get(id)!.timeMs);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("does not depend on the order of the list", () => {
    const shuffled = fc
      .tuple(pastSnapshots, futureSnapshots)
      .map(([past, future]) => [...past, ...future])
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(shuffled, policies, zones, ([list, other], keep, timeZone) => {
        const context = { timeZone, nowMs: NOW_MS };
        assert.deepEqual(planPrune(list, keep, context), planPrune(other, keep, context));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps no more than the counts, the duration and the future allow", () => {
    fc.assert(
      fc.property(pastSnapshots, futureSnapshots, policies, zones, (past, future, keep, timeZone) => {
        const plan = planPrune([...past, ...future], keep, { timeZone, nowMs: NOW_MS });
        if (plan.some(({ rule }) => rule === "all")) return;
        const keptBy = (rule: string) => plan.filter((d) => d.rule === rule && d.mark !== "remove").length;
        for (const rule of COUNT_RULES) assert.ok(keptBy(rule) <= (keep[rule] ?? 0));
        assert.ok(keptBy("unfinished") <= 1);
        assert.equal(keptBy("none"), 0);
        const oldestMs = NOW_MS - (keep.within?.days ?? 0) * 24 * HOUR_MS;
        const recent = past.filter((s) => s.finished && !s.protected && s.timeMs >= oldestMs);
        assert.equal(keptBy("within"), keep.within && keep.within.days > 0 ? recent.length : 0);
        assert.equal(keptBy("future"), future.filter((s) => !s.protected).length);
      }),
      { numRuns: 1000 },
    );
  });

  it("changes no other mark when a snapshot from the future is added", () => {
    fc.assert(
      fc.property(pastSnapshots, futureSnapshots, policies, zones, (past, future, keep, timeZone) => {
        const before = marksOf(past, keep, timeZone);
        const after = marksOf([...past, ...future], keep, timeZone);
        for (const { id, protected: isProtected } of future) {
          assert.equal(after.get(id), isProtected ? "protected" : "keep");
          after.delete(id);
        }
        assert.deepEqual(after, before);
      }),
      { numRuns: 1000 },
    );
  });

  it("keep-last N keeps exactly N, or all there are", () => {
    fc.assert(
      fc.property(pastSnapshots, fc.integer({ min: 1, max: 70 }), (snapshots, last) => {
        const kept = [...marksOf(snapshots, { last }, "UTC").values()].filter((mark) => mark === "keep");
        const eligible = snapshots.filter((s) => s.finished && !s.protected);
        assert.equal(kept.length, Math.min(last, eligible.length));
      }),
      { numRuns: 500 },
    );
  });

  it("a plan that was carried out is stable under keep-last and keep-within", () => {
    fc.assert(
      fc.property(pastSnapshots, fc.nat(6), fc.integer({ min: 1, max: 40 }), (snapshots, last, days) => {
        const within = { years: 0, months: 0, weeks: 0, days, hours: 0, minutes: 0, seconds: 0 };
        const first = marksOf(snapshots, { last, within }, "UTC");
        const left = snapshots.filter(({ id }) => first.get(id) !== "remove");
        for (const mark of marksOf(left, { last, within }, "UTC").values()) assert.notEqual(mark, "remove");
      }),
      { numRuns: 500 },
    );
  });

  it("works through 100,000 snapshots within seconds", () => {
    const snapshots = Array.from({ length: 100_000 }, (_, i) => ({
      id: String(i),
      timeMs: NOW_MS - i * HOUR_MS,
      protected: i % 1000 === 0,
      finished: i % 500 !== 1,
    }));
    const keep = { last: 24, hourly: 500, daily: 365, weekly: 520, monthly: 120, yearly: 50 };
    const startedMs = performance.now();
    const plan = planPrune(snapshots, keep, { timeZone: "America/New_York", nowMs: NOW_MS });
    assert.ok(performance.now() - startedMs < 60_000);
    assert.equal(plan.length, snapshots.length);
  });
});
