// How recovery times and sizes of machines have developed, by what the repository knows.

import type { RepriseConfig } from "../config/repriseConfig.js";
import { MAX_TREND_POINTS, type MachineTrend } from "../jobReport/jobReport.js";
import type { Catalog } from "../repository/catalog.js";
import { type StoredTest, testHistory } from "../restoreTest/storedRecords.js";
import { snapshotsOf } from "./jobContext.js";

/** Of the machines that have a history at all. */
export function machineTrends(
  config: RepriseConfig | null,
  catalog: Pick<Catalog, "snapshots" | "records">,
  machines: readonly string[],
): MachineTrend[] {
  const tests = Map.groupBy(testHistory(catalog).tests, ({ record }) => record.asset.machine);
  return [...new Set(machines)]
    .map((machine) => trendOf(config, catalog, machine, tests.get(machine) ?? []))
    .filter(({ rto, added }) => rto.length + added.length > 0);
}

function trendOf(
  config: RepriseConfig | null,
  catalog: Pick<Catalog, "snapshots">,
  machine: string,
  tests: readonly StoredTest[],
): MachineTrend {
  const snapshots = snapshotsOf(catalog, machine).slice(-MAX_TREND_POINTS);
  const rto = tests.flatMap(({ record: { simulated, times, result } }) => {
    if (simulated || times.rto.length === 0) return [];
    const ms = Math.min(...times.rto.map(({ totalMs }) => totalMs));
    return [{ at: times.finishedAt, ms, outcome: result.outcome }];
  });
  return {
    machine,
    rtoObjectiveMs: objectiveOf(config, machine),
    rto: rto.slice(-MAX_TREND_POINTS),
    added: snapshots.map(({ manifest }) => ({ at: manifest.time, bytes: manifest.statistics.bytesStored })),
    size: snapshots.map(({ manifest }) => ({
      at: manifest.time,
      bytes: manifest.archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    })),
  };
}

/** The strictest of the tests of the machine; null: none asks for one. */
function objectiveOf(config: RepriseConfig | null, machine: string): number | null {
  const asked = (config?.restoreTests ?? [])
    .flatMap(({ spec }) => spec.machines.filter((test) => test.machine === machine))
    .flatMap(({ objectives: { rtoMs } }) => (rtoMs === null ? [] : [rtoMs]));
  return asked.length === 0 ? null : Math.min(...asked);
}
