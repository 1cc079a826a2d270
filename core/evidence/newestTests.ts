// Of each snapshot the newest restore test that is stored, signed or not. For inventories, and for gates that read the repository: a test
// whose statement was never published must not look as if it had not been made.

import { isOurError } from "../errors.js";
import type { RepositoryRecord } from "../format/record.js";
import { decodeRestoreTestRecord, type RestoreTestRecord } from "../format/restoreTestRecord.js";
import { recordDigest } from "./testStatements.js";

export interface StoredTest {
  record: RestoreTestRecord;
  /** SHA-256 of the record's canonical JSON, hex. */
  digest: string;
  /** As it was signed when it was stored; none: nobody has. */
  envelopes: readonly string[];
}

/** By the digest of the tested manifest. Drills prove nothing and are left out, as is what this release cannot read. */
export function newestTests(records: readonly RepositoryRecord[]): Map<string, StoredTest> {
  const newest = new Map<string, StoredTest>();
  for (const { type, data, rid } of records) {
    if (type !== "restoreTest") continue;
    const record = readTest(data.record, `records/${rid}`);
    if (record === null || record.simulated) continue;
    const test: StoredTest = { record, digest: recordDigest(data.record), envelopes: data.envelopes };
    const known = newest.get(record.backup.manifestDigest);
    if (known === undefined || isNewer(test, known)) newest.set(record.backup.manifestDigest, test);
  }
  return newest;
}

function readTest(value: Parameters<typeof decodeRestoreTestRecord>[0], what: string): RestoreTestRecord | null {
  try {
    return decodeRestoreTestRecord(value, what);
  } catch (error) {
    if (isOurError(error)) return null;
    throw error;
  }
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
