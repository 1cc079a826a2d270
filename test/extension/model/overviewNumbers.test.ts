import assert from "node:assert/strict";
import {
  capacityOverTime,
  changeAnomalies,
  dedupRatio,
  forecastGrowth,
  levelCounts,
  machineRows,
  recoveryTrends,
} from "../../../extension/model/overviewNumbers.js";
import type { BackupPoint, MachineProof } from "../../../extension/service/overviewProtocol.js";

const DAY = 86_400_000;
const START = Date.parse("2026-03-01T10:00:00Z");
const MIB = 1024 * 1024;

function backup(day: number, storedBytes: number, more: Partial<BackupPoint> = {}): BackupPoint {
  const fixed = { machine: "vm/web1", snapshotId: `${day}`, sizeBytes: 1000, newBytes: storedBytes };
  return { ...fixed, atMs: START + day * DAY, storedBytes, ...more };
}

const totals = (storedBytes: number) => ({
  ...{ logicalBytes: 0, uniqueBytes: 0, storedBytes, unusedBytes: 0, packs: 0, chunks: 0 },
  ...{ compressionRatio: 1, totalRatio: 1 },
});

describe("the overview's numbers", () => {
  it("draws capacity backwards from what is stored now, a point a day", () => {
    const backups = [backup(0, 100), backup(0, 20), backup(3, 30)];
    const points = capacityOverTime({ backups, totals: totals(400) });
    assert.deepEqual(
      points.map(({ storedBytes, logicalBytes }) => [storedBytes, logicalBytes]),
      [
        [370, 2000],
        [400, 3000],
      ],
    );
    assert.equal(new Date(points[1]?.atMs ?? 0).toISOString(), "2026-03-05T00:00:00.000Z");
    assert.equal(dedupRatio({ atMs: 0, storedBytes: 100, logicalBytes: 250 }), 2.5);
    // gc has freed more than what is stored: never below nothing
    assert.equal(capacityOverTime({ backups, totals: totals(10) })[0]?.storedBytes, 0);
    assert.deepEqual(capacityOverTime({ backups: [], totals: totals(0) }), []);
  });

  it("forecasts the mean of whole days, without first backups and today", () => {
    const backups = Array.from({ length: 21 }, (_, day) => backup(day, day === 0 ? 1e9 : day === 20 ? 5e8 : 50));
    const forecast = forecastGrowth({ backups, atMs: START + 20 * DAY + 1000, totals: totals(2000) });
    assert.ok(forecast.kind === "forecast");
    assert.deepEqual([forecast.days, forecast.bytesPerDay, forecast.marginPerDay], [19, 50, 0]);
    assert.deepEqual(
      forecast.horizons.map(({ days, bytes }) => [days, bytes]),
      [
        [7, 2000 + 7 * 50],
        [30, 2000 + 30 * 50],
      ],
    );
    const scattered = forecastGrowth({
      backups: backups.map((each, i) => ({ ...each, storedBytes: i === 0 ? 1e9 : i % 2 === 0 ? 0 : 100 })),
      atMs: START + 20 * DAY + 1000,
      totals: totals(2000),
    });
    assert.ok(scattered.kind === "forecast" && scattered.marginPerDay > 10);
    const [month] = scattered.horizons;
    assert.ok(month !== undefined && month.lowBytes < month.bytes && month.bytes < month.highBytes);
  });

  it("has ranges that are wider the fewer days there are, and no further ahead than three times these", () => {
    // 0 and 100 in turn after a first backup: mean 50, deviation known
    const forecastFrom = (days: number) => {
      const backups = Array.from({ length: days + 1 }, (_, day) =>
        backup(day, day === 0 ? 1e9 : day % 2 === 0 ? 100 : 0),
      );
      const forecast = forecastGrowth({ backups, atMs: START + (days + 1) * DAY, totals: totals(0) });
      assert.ok(forecast.kind === "forecast" && forecast.days === days);
      return forecast;
    };
    const week = forecastFrom(8);
    // the mean of 8 values, 50 to either side: s = 50 * sqrt(8 / 7); Student's t for 7 is 2.3646
    const s = 50 * Math.sqrt(8 / 7);
    assert.ok(Math.abs(week.marginPerDay - (2.3646 * s) / Math.sqrt(8)) < 0.05, `${week.marginPerDay}`);
    const [first] = week.horizons;
    assert.ok(first?.days === 7 && Math.abs(first.highBytes - 350 - 2.3646 * s * Math.sqrt(49 / 8 + 7)) < 0.5);
    assert.deepEqual(
      week.horizons.map(({ days }) => days),
      [7],
    );
    const long = forecastFrom(80);
    assert.ok(long.marginPerDay < week.marginPerDay / 2);
    assert.deepEqual(
      long.horizons.map(({ days }) => days),
      [7, 30, 90],
    );
  });

  it("counts days without a backup as days without growth", () => {
    const backups = [0, ...Array.from({ length: 10 }, (_, i) => 1 + 2 * i)].map((day) => backup(day, 100));
    const forecast = forecastGrowth({ backups, atMs: START + 21 * DAY, totals: totals(0) });
    assert.ok(forecast.kind === "forecast");
    assert.equal(forecast.bytesPerDay, 50);
  });

  it("refuses to forecast from too little", () => {
    const few = [backup(0, 1), backup(5, 1), backup(10, 1)];
    assert.deepEqual(forecastGrowth({ backups: few, atMs: START + 12 * DAY, totals: totals(3) }), {
      ...{ kind: "none", days: 11, backups: 2 },
    });
    const young = Array.from({ length: 30 }, (_, i) => backup(i / 10, 1));
    assert.equal(forecastGrowth({ backups: young, atMs: START + 4 * DAY, totals: totals(3) }).kind, "none");
    assert.deepEqual(forecastGrowth({ backups: [], atMs: START, totals: totals(0) }), {
      ...{ kind: "none", days: 0, backups: 0 },
    });
  });

  it("finds backups with many times the usual new bytes of their own machine", () => {
    const usual = Array.from({ length: 12 }, (_, day) => backup(day, day === 0 ? 900 * MIB : (2 + (day % 3)) * MIB));
    const large = backup(12, 60 * MIB);
    const other = Array.from({ length: 12 }, (_, day) => backup(day, 60 * MIB, { machine: "vm/db" }));
    const found = changeAnomalies([...other, large, ...usual]);
    assert.deepEqual(
      found.map(({ backup: { machine, newBytes }, usualBytes, factor }) => [machine, newBytes, usualBytes, factor]),
      [["vm/web1", 60 * MIB, 3 * MIB, 20]],
    );
    // too few before it, and too little to matter
    assert.deepEqual(changeAnomalies([...usual.slice(0, 4), large]), []);
    const quiet = usual.map((each) => ({ ...each, newBytes: 10 }));
    assert.deepEqual(changeAnomalies([...quiet, { ...large, newBytes: 100_000 }]), []);
    const still = usual.map((each) => ({ ...each, newBytes: 0 }));
    assert.equal(changeAnomalies([...still, large])[0]?.factor, Number.POSITIVE_INFINITY);
  });

  it("takes no backup for unusual that is within the scatter of its machine", () => {
    const restless = Array.from({ length: 14 }, (_, day) => backup(day, (day % 2 === 0 ? 1 : 60) * MIB));
    assert.deepEqual(changeAnomalies([...restless, backup(14, 160 * MIB)]), []);
    assert.equal(changeAnomalies([...restless, backup(14, 900 * MIB)]).length, 1);
  });

  it("orders machines by what is proven, and lets damage outweigh a test", () => {
    const verification = { result: "ok", level: "data", atMs: 3, ofNewest: true } as const;
    const boots = { outcome: "passed", provenLevel: "boots", atMs: 4, ofNewest: true };
    const rows = machineRows([
      proof("boots", { test: boots, verification }),
      proof("booted earlier", { test: { ...boots, ofNewest: false }, verification }),
      proof("verified", { verification }),
      proof("failed", { test: { ...boots, outcome: "failed" }, verification: { ...verification, level: "structure" } }),
      proof("damaged", { test: boots, damaged: 1, damagedAtMs: 2 }),
      proof("warned of nothing", { test: { ...boots, outcome: "warned", provenLevel: null }, newestAtMs: 6 }),
      proof("nothing", {}),
      proof("nothing, older", { newestAtMs: 1 }),
    ]);
    assert.deepEqual(
      rows.map(({ proof: { machine }, level, provenAtMs, isEarlier }) => [machine, level, provenAtMs, isEarlier]),
      [
        ["damaged", "damaged", 2, false],
        ["nothing, older", "unproven", null, false],
        ["nothing", "unproven", null, false],
        ["warned of nothing", "unproven", null, false],
        ["failed", "structure", 3, false],
        ["verified", "data", 3, false],
        ["booted earlier", "boots", 4, true],
        ["boots", "boots", 4, false],
      ],
    );
    assert.deepEqual(levelCounts(rows).at(-1), { level: "boots", machines: 2 });
  });

  it("takes recovery times of tests that passed only, the furthest over its objective first", () => {
    const points = (...given: [number, string][]) =>
      given.map(([totalMs, outcome], i) => ({ atMs: i, totalMs, outcome }));
    const trends = recoveryTrends([
      { machine: "fast", objectiveMs: 100, points: points([50, "passed"], [900, "failed"]) },
      { machine: "slow", objectiveMs: 100, points: points([90, "passed"], [150, "warned"]) },
      { machine: "never", objectiveMs: 100, points: points([10, "failed"], [10, "inconclusive"]) },
      { machine: "free", objectiveMs: null, points: points([70, "passed"]) },
    ]);
    assert.deepEqual(
      trends.map(({ machine, points, others, within }) => [machine, points.length, others, within]),
      [
        ["slow", 2, 0, 1],
        ["fast", 1, 1, 1],
        ["free", 1, 0, null],
      ],
    );
  });
});

function proof(machine: string, more: Partial<MachineProof>): MachineProof {
  const none = { test: null, verification: null, damaged: 0, damagedAtMs: null };
  return { ...{ machine, snapshots: 1, newestId: "", newestAtMs: 5 }, ...none, ...more };
}
