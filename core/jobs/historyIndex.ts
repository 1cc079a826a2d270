// What a repository knows of earlier runs, sorted for questions about one job and one machine: ten thousand records of five hundred
// machines are gone through once.

import type { JobRecordData } from "../format/jobRecord.js";
import { qualifiedGroup } from "../format/manifest.js";
import type { Catalog, Snapshot } from "../repository/catalog.js";
import { type StoredTest, testHistory } from "../restoreTest/storedRecords.js";
import { jobRecords } from "./jobRecords.js";

export type JobHistory = Pick<Catalog, "snapshots" | "records">;

/** What a record says of one machine; several times where it had several tests. */
export interface RecordedResult {
  record: JobRecordData;
  results: readonly JobRecordData["machines"][number][];
}

export class HistoryIndex {
  readonly #snapshots: ReadonlyMap<string, readonly Snapshot[]>;
  readonly #tests: ReadonlyMap<string, readonly StoredTest[]>;
  readonly #records: ReadonlyMap<string, readonly JobRecordData[]>;
  /** Ids of snapshots that are known to be damaged. */
  readonly damaged: ReadonlySet<string>;
  readonly #results = new Map<string, ReadonlyMap<string, readonly RecordedResult[]>>();

  constructor(history: JobHistory) {
    const { snapshots } = history;
    this.#snapshots = Map.groupBy(snapshots, ({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group));
    this.#tests = Map.groupBy(testHistory(history).tests, ({ record }) => record.asset.machine);
    this.#records = Map.groupBy(jobRecords(history), ({ job }) => job);
    this.damaged = new Set(
      snapshots.filter(({ verification }) => verification?.result === "damaged").map(({ sid }) => sid),
    );
  }

  /** Oldest first. */
  snapshotsOf(machine: string): readonly Snapshot[] {
    return this.#snapshots.get(machine) ?? [];
  }

  /** By their end, oldest first; without drills. */
  testsOf(machine: string): readonly StoredTest[] {
    return (this.#tests.get(machine) ?? []).filter(({ record }) => !record.simulated);
  }

  /** Oldest first. */
  recordsOf(job: string): readonly JobRecordData[] {
    return this.#records.get(job) ?? [];
  }

  /** Oldest first. */
  resultsOf(job: string, machine: string): readonly RecordedResult[] {
    const known = this.#results.get(job) ?? resultsByMachine(this.recordsOf(job));
    this.#results.set(job, known);
    return known.get(machine) ?? [];
  }
}

function resultsByMachine(records: readonly JobRecordData[]): Map<string, RecordedResult[]> {
  const byMachine = new Map<string, RecordedResult[]>();
  for (const record of records) {
    for (const [machine, results] of Map.groupBy(record.machines, (each) => each.machine)) {
      byMachine.set(machine, [...(byMachine.get(machine) ?? []), { record, results }]);
    }
  }
  return byMachine;
}
