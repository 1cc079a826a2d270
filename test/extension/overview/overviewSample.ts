// Facts of a repository as the service answers them: three machines, thirty days.

import type { BackupPoint, OverviewData } from "../../../extension/service/overviewProtocol.js";

const DAY = 86_400_000;
const MIB = 1024 * 1024;
const NOW = Date.parse("2026-04-01T09:30:00Z");

export function overviewSample(): OverviewData {
  const machines = ["prod:vm/web1", "prod:vm/db1", "host/office"];
  const backups: BackupPoint[] = [];
  for (let day = 30; day >= 1; day--) {
    for (const [i, machine] of machines.entries()) {
      const newBytes = (day === 30 ? 4000 : 30 + ((day * 7 + i * 13) % 40)) * MIB * (day === 4 && i === 1 ? 18 : 1);
      const atMs = NOW - day * DAY - i * 3_600_000;
      const snapshotId = `${day}${i}`.padStart(32, "0");
      backups.push({ machine, snapshotId, atMs, sizeBytes: 20_480 * MIB, newBytes, storedBytes: newBytes * 0.55 });
    }
  }
  backups.sort((a, b) => a.atMs - b.atMs);
  const proof = (machine: string) => {
    const newest = backups.findLast((each) => each.machine === machine);
    return {
      machine,
      snapshots: 30,
      newestId: newest?.snapshotId ?? "",
      newestAtMs: newest?.atMs ?? 0,
      damaged: 0,
      damagedAtMs: null,
    };
  };
  const verification = { result: "ok", level: "data", atMs: NOW - DAY, ofNewest: true } as const;
  return {
    location: "/srv/backups/reprise",
    atMs: NOW,
    backups,
    machines: [
      {
        ...proof("prod:vm/web1"),
        verification,
        test: { outcome: "passed", provenLevel: "serves", atMs: NOW - 2 * DAY, ofNewest: false },
      },
      {
        ...proof("prod:vm/db1"),
        verification,
        test: { outcome: "failed", provenLevel: null, atMs: NOW - 3 * DAY, ofNewest: false },
      },
      { ...proof("host/office"), verification: null, test: null },
    ],
    jobs: ["backup", "verify", "restore-test", "prune"].map((command, i) => ({
      ...{ job: `nightly-${command}`, command, outcome: i === 2 ? "failed" : "passed", trigger: "scheduled" },
      ...{
        host: "backup01",
        startedAtMs: NOW - i * 5_400_000,
        finishedAtMs: NOW - i * 5_400_000 + 75_000,
        machines: 3,
      },
    })),
    recovery: ["prod:vm/web1", "prod:vm/db1"].map((machine, i) => ({
      ...{ machine, objectiveMs: i === 0 ? 60_000 : null },
      points: Array.from({ length: 12 }, (_, test) => ({
        atMs: NOW - (24 - 2 * test) * DAY,
        totalMs: 38_000 + ((test * 17 + i * 5) % 11) * 1500,
        outcome: i === 1 && test === 11 ? "failed" : "passed",
      })),
    })),
    unreadable: 0,
    totals: {
      ...{
        logicalBytes: 90 * 20_480 * MIB,
        uniqueBytes: 22_000 * MIB,
        storedBytes: 12_400 * MIB,
        unusedBytes: 310 * MIB,
      },
      ...{ packs: 812, chunks: 96_000, compressionRatio: 1.83, totalRatio: 148.6 },
    },
  };
}
