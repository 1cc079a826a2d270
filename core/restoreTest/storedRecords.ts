// Records of restore tests in the repository: written beside the snapshot they speak of, and read as the history of a machine,
// in which each record names the one before it. docs/format/restore-test-record.md.

import { RepriseError } from "../errors.js";
import { decodeEnvelope } from "../evidence/dsse.js";
import { recordDigest } from "../evidence/testStatements.js";
import type { Sid } from "../format/ids.js";
import { readTestRecord } from "../format/readTestRecord.js";
import { MAX_TEST_ENVELOPE_CHARS, MAX_TEST_ENVELOPES, type RepositoryRecord } from "../format/record.js";
import { encodeRestoreTestRecord, type RestoreTestRecord } from "../format/restoreTestRecord.js";
import type { Catalog, Snapshot } from "../repository/catalog.js";
import { writeRecord } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";

/** One test as the repository has it. */
export interface StoredTest {
  record: RestoreTestRecord;
  /** SHA-256 of its canonical JSON. */
  digest: string;
  envelopes: readonly string[];
  /** Of the record in the repository. */
  rid: Sid;
  /** Copies of the tested snapshot are named, too; those that are forgotten stay named. */
  snapshots: readonly Sid[];
}

/**
 * Why the chain of a machine's records is not one line. `begins-later`: the record before the first one is not here any more
 * (gc removes old ones). `gap`: one in between is not here. `second-start`, `fork`: two records name the same predecessor, as
 * two tests at the same time do. `order`: a record ended before its predecessor. `unreadable`: one that cannot be understood.
 */
export type ChainProblemCode = "begins-later" | "gap" | "second-start" | "fork" | "order" | "unreadable";

export interface ChainProblem {
  code: ChainProblemCode;
  /** Null: unreadable. */
  machine: string | null;
  rid: Sid;
  message: string;
}

export interface TestHistory {
  /** By the end of the test, oldest first. */
  tests: StoredTest[];
  problems: ChainProblem[];
}

/**
 * Writes a record beside its snapshot. `known`: the catalog's records. TEST_RECORD_INVALID for a record that is of another
 * snapshot, or for envelopes that are none; FORMAT_INVALID for one that does not follow its format. Runners may write it.
 */
export async function storeTestRecord(
  repository: Repository,
  snapshot: Pick<Snapshot, "sid" | "digest">,
  record: RestoreTestRecord,
  envelopes: readonly string[],
  known: readonly RepositoryRecord[],
  options: { signal?: AbortSignal } = {},
): Promise<RepositoryRecord> {
  const { manifestDigest, snapshotId } = record.backup;
  if (manifestDigest !== snapshot.digest || snapshotId !== snapshot.sid) {
    throw invalid(`it is of snapshot ${snapshotId}, and would be stored beside ${snapshot.sid}`);
  }
  if (envelopes.length > MAX_TEST_ENVELOPES) throw invalid(`it has more than ${MAX_TEST_ENVELOPES} envelopes`);
  for (const text of envelopes) {
    if (text.length > MAX_TEST_ENVELOPE_CHARS) throw invalid("one of its envelopes is too long");
    decodeEnvelope(text, "envelope");
  }
  const data = { record: encodeRestoreTestRecord(record), envelopes };
  return await writeRecord(repository, { type: "restoreTest", data }, [snapshot.sid], known, options);
}

/** What the next record of the machine has to name as `previous`; null: it is the first. */
export function newestTestDigest(catalog: Pick<Catalog, "records">, machine: string): string | null {
  return testHistory(catalog, machine).tests.at(-1)?.digest ?? null;
}

/** All tests of a machine (as `asset.machine` has it), or of all machines. Copies that arrived twice count once. */
export function testHistory({ records }: Pick<Catalog, "records">, machine?: string): TestHistory {
  const problems: ChainProblem[] = [];
  const byDigest = new Map<string, StoredTest>();
  for (const { type, data, rid, snapshots } of records) {
    if (type !== "restoreTest") continue;
    const record = readTestRecord(data.record, `records/${rid}`);
    if (record === null) {
      problems.push({ code: "unreadable", machine: null, rid, message: `records/${rid} cannot be understood` });
      continue;
    }
    if (machine !== undefined && record.asset.machine !== machine) continue;
    const digest = recordDigest(data.record);
    const known = byDigest.get(digest);
    const all = [...new Set([...(known?.snapshots ?? []), ...snapshots])];
    byDigest.set(digest, { record, digest, envelopes: data.envelopes, rid, snapshots: all });
  }
  const tests = [...byDigest.values()].sort(inOrder);
  const machines = Map.groupBy(tests, ({ record }) => record.asset.machine);
  for (const [name, ofMachine] of machines) problems.push(...chainProblems(name, ofMachine));
  return { tests, problems };
}

/** When each snapshot of the machine was tested last; drills are no tests. For choosing what to test next. */
export function lastTestTimes(catalog: Pick<Catalog, "records">, machine: string): ReadonlyMap<Sid, number> {
  const times = new Map<Sid, number>();
  for (const { record, snapshots } of testHistory(catalog, machine).tests) {
    if (record.simulated) continue;
    for (const sid of snapshots) times.set(sid, Date.parse(record.times.finishedAt));
  }
  return times;
}

function inOrder(a: StoredTest, b: StoredTest): number {
  return endOf(a) - endOf(b) || (a.record.recordId < b.record.recordId ? -1 : 1);
}

function endOf({ record }: StoredTest): number {
  return Date.parse(record.times.finishedAt);
}

function chainProblems(machine: string, tests: readonly StoredTest[]): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const byDigest = new Map(tests.map((test) => [test.digest, test]));
  const named = new Set<string | null>();
  for (const [index, test] of tests.entries()) {
    const { previous, recordId } = test.record;
    const object = (code: ChainProblemCode, message: string) =>
      problems.push({ code, machine, rid: test.rid, message: `test ${recordId} of ${machine} ${message}` });
    const before = previous === null ? undefined : byDigest.get(previous);
    if (named.has(previous)) {
      if (previous === null) object("second-start", "says that it is the first one, and is not");
      else object("fork", "follows a test that another one follows, too");
    }
    named.add(previous);
    if (previous !== null && before === undefined) {
      if (index === 0) object("begins-later", "follows one that is not here any more");
      else object("gap", `follows one that is not here (${previous})`);
    }
    if (before !== undefined && endOf(before) > endOf(test)) object("order", "ended before the one it follows");
  }
  return problems;
}

function invalid(what: string): RepriseError {
  return new RepriseError(
    "invariant",
    "TEST_RECORD_INVALID",
    `the record of the restore test cannot be stored: ${what}`,
  );
}
