// What the records of restore tests say about each snapshot: the newest test. For showing; whoever can write to the
// repository can write such a record, so decisions are made of signed evidence instead. docs/format/restore-test-record.md.

import type { RepriseError } from "../errors.js";
import type { Sid } from "../format/ids.js";
import type { Manifest } from "../format/manifest.js";
import { readTestRecord } from "../format/readTestRecord.js";
import type { RepositoryRecord } from "../format/record.js";
import type { RestoreTestRecord, TestLevel } from "../format/restoreTestRecord.js";

export interface RestoreTestState {
  outcome: RestoreTestRecord["result"]["outcome"];
  /** The highest level that was proven, null: none. */
  provenLevel: TestLevel | null;
  /** When the test ended. */
  at: string;
  recordId: string;
  /** `original`: the snapshot that this one is a copy of was tested, in another repository. */
  of: "snapshot" | "original";
}

interface TestedManifest {
  manifest: Manifest;
  digest: string;
}

/**
 * By snapshot. A record counts only for the snapshot whose manifest it names. Drills prove nothing and are left out; what this
 * release cannot read is told. A test of the snapshot itself counts before one of its original, then the later one.
 */
export function restoreTestStates(
  records: readonly RepositoryRecord[],
  manifests: readonly TestedManifest[],
  onUnreadable: (record: RepositoryRecord, error: RepriseError) => void,
): Map<Sid, RestoreTestState> {
  const bySid = new Map(manifests.map((loaded) => [loaded.manifest.sid, loaded]));
  const states = new Map<Sid, RestoreTestState>();
  for (const record of records) {
    if (record.type !== "restoreTest") continue;
    const { data, rid, snapshots } = record;
    const test = readTestRecord(data.record, `records/${rid}`, (error) => onUnreadable(record, error));
    if (test === null || test.simulated) continue;
    for (const sid of snapshots) {
      const state = stateOf(test, bySid.get(sid));
      const present = states.get(sid);
      if (state !== null && (present === undefined || isBetter(state, present))) states.set(sid, state);
    }
  }
  return states;
}

function stateOf(test: RestoreTestRecord, tested: TestedManifest | undefined): RestoreTestState | null {
  const { manifestDigest } = test.backup;
  const isOwn = tested?.digest === manifestDigest;
  if (!isOwn && tested?.manifest.origin?.digest !== manifestDigest) return null;
  const { outcome, provenLevel } = test.result;
  const of = isOwn ? "snapshot" : "original";
  return { outcome, provenLevel, at: test.times.finishedAt, recordId: test.recordId, of };
}

function isBetter(a: RestoreTestState, b: RestoreTestState): boolean {
  if (a.of !== b.of) return a.of === "snapshot";
  const [first, second] = [Date.parse(a.at), Date.parse(b.at)];
  return first === second ? a.recordId > b.recordId : first > second;
}
