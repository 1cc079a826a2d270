import assert from "node:assert/strict";
import fc from "fast-check";
import type { Sid } from "../../../core/format/ids.js";
import type { Snapshot } from "../../../core/repository/catalog.js";
import { type ChoiceFacts, chooseSnapshot } from "../../../core/restoreTest/choose/chooseSnapshot.js";
import { orderMachines } from "../../../core/restoreTest/choose/orderMachines.js";
import type { SnapshotChoice } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import { assertThrowsCode } from "../../support/assertCode.js";

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 1);

function snapshot(day: number, known: { damaged?: boolean; group?: string; lost?: boolean } = {}): Snapshot {
  const timeMs = START + day * DAY;
  const sid = `${(known.group === undefined ? "a" : "b").repeat(4)}${String(day).padStart(28, "0")}` as Sid;
  const archives = [{ name: "vda", kind: "image", sizeBytes: 1, lost: known.lost ? [[0, 1]] : [] }];
  return {
    sid,
    timeMs,
    manifest: {
      namespace: "",
      group: known.group ?? "vm/web1",
      time: new Date(timeMs).toISOString().replace(".000", ""),
      archives,
    },
    verification: known.damaged
      ? { result: "damaged", level: "data", at: "2026-11-20T00:00:00Z", damagedRanges: 1 }
      : null,
  } as unknown as Snapshot;
}

function facts(snapshots: Snapshot[], more: Partial<ChoiceFacts> = {}): ChoiceFacts {
  const catalog = { snapshots, unreadable: [] };
  return { machine: "vm/web1", catalog, testedAtMs: new Map(), random: () => 0, ...more };
}

const three = [snapshot(1), snapshot(2), snapshot(2, { group: "vm/other" }), snapshot(3)];
const daysOf = (choice: SnapshotChoice, given: ChoiceFacts) =>
  (chooseSnapshot(choice, given).snapshot.timeMs - START) / DAY;

describe("chooseSnapshot", () => {
  it("takes the latest, the oldest, a named one", () => {
    assert.equal(daysOf({ kind: "latest" }, facts(three)), 3);
    assert.equal(daysOf({ kind: "oldest" }, facts(three)), 1);
    assert.equal(daysOf({ kind: "named", name: "~1" }, facts(three)), 2);
    assert.equal(daysOf({ kind: "named", name: "2026-11-03T00:00:00Z" }, facts(three)), 2);
    assert.equal(daysOf({ kind: "named", name: three[3]!.sid }, facts(three)), 3);
  });

  it("refuses what is not there, not the machine's, or uncertain", () => {
    assertThrowsCode(() => chooseSnapshot({ kind: "latest" }, facts([])), "MACHINE_NOT_FOUND");
    assertThrowsCode(() => chooseSnapshot({ kind: "named", name: "~3" }, facts(three)), "SNAPSHOT_NOT_FOUND");
    assertThrowsCode(() => chooseSnapshot({ kind: "named", name: "bbbb" }, facts(three)), "SNAPSHOT_NOT_FOUND");
    assertThrowsCode(() => chooseSnapshot({ kind: "named", name: "aaaa" }, facts(three)), "SNAPSHOT_AMBIGUOUS");
    assertThrowsCode(() => chooseSnapshot({ kind: "latest" }, facts(three, { machine: "web1" })), "GROUP_INVALID");
    const unreadable = [{ object: "snapshots/x", sid: "cccc" as Sid, code: "X", message: "x" }];
    const uncertain = facts(three, { catalog: { snapshots: three, unreadable } });
    assertThrowsCode(() => chooseSnapshot({ kind: "latest" }, uncertain), "SNAPSHOT_UNCERTAIN");
    assertThrowsCode(() => chooseSnapshot({ kind: "oldest" }, uncertain), "SNAPSHOT_UNCERTAIN");
    assert.equal(daysOf({ kind: "rolling" }, uncertain), 1);
  });

  it("takes a damaged one only when it is named or there is no other, and says so", () => {
    const snapshots = [snapshot(1, { damaged: true }), snapshot(2), snapshot(3, { damaged: true, lost: true })];
    const latest = chooseSnapshot({ kind: "latest" }, facts(snapshots));
    assert.equal(latest.snapshot, snapshots[2]);
    assert.match(latest.notes.join("; "), /found it damaged at 2026-11-20.*zeros: vda/);
    assert.equal(daysOf({ kind: "rolling" }, facts(snapshots)), 2);
    assert.equal(daysOf({ kind: "random" }, facts(snapshots, { random: () => 0.99 })), 2);
    assert.equal(daysOf({ kind: "random" }, facts([snapshots[0]!])), 1);
  });

  it("rolls: each is tested once before any is tested again, and every chance meets every snapshot", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), (count) => {
        const snapshots = Array.from({ length: count }, (_, day) => snapshot(day));
        const testedAtMs = new Map<Sid, number>();
        const seen: Sid[] = [];
        for (let run = 0; run < 2 * count; run++) {
          const { sid } = chooseSnapshot({ kind: "rolling" }, facts(snapshots, { testedAtMs })).snapshot;
          testedAtMs.set(sid, START + run);
          seen.push(sid);
        }
        assert.equal(new Set(seen.slice(0, count)).size, count);
        assert.deepEqual(seen.slice(count), seen.slice(0, count));
        const byChance = snapshots.map((_, i) =>
          daysOf({ kind: "random" }, facts(snapshots, { random: () => (i + 0.5) / count })),
        );
        assert.deepEqual(
          byChance,
          snapshots.map((_, day) => day),
        );
      }),
    );
  });
});

describe("orderMachines", () => {
  it("starts each after those it depends on, and keeps the order otherwise", () => {
    const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 20 });
    fc.assert(
      fc.property(edges, fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 10 }), (pairs, listed) => {
        // from the larger to the smaller number: no circles
        const machines = listed.map((number) => ({
          machine: `vm/${number}`,
          dependsOn: pairs
            .filter(([a, b]) => Math.max(a, b) === number && a !== b)
            .map(([a, b]) => `vm/${Math.min(a, b)}`),
        }));
        const order = orderMachines(machines).map(({ machine }) => machine);
        assert.deepEqual([...order].sort(), machines.map(({ machine }) => machine).sort());
        for (const { machine, dependsOn } of machines) {
          for (const other of dependsOn) assert.ok(order.indexOf(other) < order.indexOf(machine));
        }
        if (pairs.every(([a, b]) => a === b))
          assert.deepEqual(
            order,
            machines.map(({ machine }) => machine),
          );
      }),
    );
  });

  it("names a circle", () => {
    const machines = [
      { machine: "vm/x", dependsOn: [] },
      { machine: "vm/a", dependsOn: ["vm/b", "vm/unknown"] },
      { machine: "vm/b", dependsOn: ["vm/x", "vm/c"] },
      { machine: "vm/c", dependsOn: ["vm/a"] },
    ];
    const error = assertThrowsCode(() => orderMachines(machines), "MACHINES_IN_CIRCLE");
    assert.deepEqual(error.data.cycle, ["vm/a", "vm/b", "vm/c", "vm/a"]);
  });
});
