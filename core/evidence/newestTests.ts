// Of each snapshot the newest restore test that is stored, signed or not. For inventories, and for gates that read the repository: a test
// whose statement was never published must not look as if it had not been made.

import { readTestRecord } from "../format/readTestRecord.js";
import type { RepositoryRecord } from "../format/record.js";
import type { RestoreTestRecord } from "../format/restoreTestRecord.js";
import { recordDigest } from "./testStatements.js";

export interface StoredTest {
  record: RestoreTestRecord;
  /** SHA-256 of the record's canonical JSON, hex. */
  digest: string;
  /** As it was signed when it was stored; none: nobody has. */
  envelopes: readonly string[];
}

/** By the digest of the tested manifest. Drills prove nothing and are left out. What this release cannot read is a matter of doubtfulRecords. */
export function newestTests(records: readonly RepositoryRecord[]): Map<string, StoredTest> {
  const newest = new Map<string, StoredTest>();
  for (const { type, data, rid } of records) {
    if (type !== "restoreTest") continue;
    const record = readTestRecord(data.record, `records/${rid}`);
    if (record === null || record.simulated) continue;
    const test: StoredTest = { record, digest: recordDigest(data.record), envelopes: data.envelopes };
    const known = newest.get(record.backup.manifestDigest);
    if (known === undefined || isNewer(test, known)) newest.set(record.backup.manifestDigest, test);
  }
  return newest;
}

/** Of two that ended at the same time the one that did not pass counts. */
function isNewer(a: StoredTest, b: StoredTest): boolean {
  const [first, second] = [endOf(a), endOf(b)];
  if (first !== second) return first > second;
  return rankOf(a) !== rankOf(b) ? rankOf(a) > rankOf(b) : a.digest > b.digest;
}

export function endOf({ record }: StoredTest): number {
  return Date.parse(record.times.finishedAt);
}

const RANK = { passed: 0, warned: 1, inconclusive: 2, failed: 3 } as const;

function rankOf({ record }: StoredTest): number {
  return RANK[record.result.outcome];
}
