// The restore tests that trusted statements about one snapshot describe, and whether these statements agree with each other.

import { encodeCanonicalJson, type JsonValue } from "../format/canonicalJson.js";
import { Fields } from "../format/fields.js";
import { bytesToHex } from "../format/ids.js";
import { decodeRestoreTestRecord, type RestoreTestRecord } from "../format/restoreTestRecord.js";
import { type EvidenceReason, reason } from "./policy.js";
import { RESTORE_TEST_TYPE, TEST_RESULT_TYPE } from "./statement.js";
import { recordDigest, testResultPredicate } from "./testStatements.js";
import { readOr, type TrustedStatement } from "./trustedStatements.js";

export interface SignedTest {
  record: RestoreTestRecord;
  digest: string;
  signedBy: readonly string[];
  envelope: number;
}

export interface SignedResult {
  /** Result and names of tests. */
  summary: Summary;
  /** The record that it says it is an extract of; null: it says none. */
  recordDigest: string | null;
  envelope: number;
}

interface Summary {
  result: string;
  passedTests: readonly string[];
  warnedTests: readonly string[];
  failedTests: readonly string[];
}

interface ReadTests {
  /** Drills are among them. */
  tests: SignedTest[];
  results: SignedResult[];
  /** A trusted key has signed what makes no sense: nobody can tell what it was to say. */
  problems: EvidenceReason[];
}

const MAX_TESTS = 1_000;
const MAX_ID_CHARS = 300;
const MAX_CONFIGURATIONS = 20;

export function readTests(
  statements: readonly TrustedStatement[],
  subjectDigest: string,
  ignored: EvidenceReason[],
): ReadTests {
  const read: ReadTests = { tests: [], results: [], problems: [] };
  for (const { statement, signedBy, envelope } of statements) {
    const { predicateType, predicate } = statement;
    if (predicateType === RESTORE_TEST_TYPE) {
      const record = readOr(read.problems, "record-invalid", envelope, () =>
        decodeRestoreTestRecord(predicate, "record"),
      );
      if (record === null) continue;
      if (record.backup.manifestDigest === subjectDigest)
        read.tests.push({ record, digest: recordDigest(predicate), signedBy, envelope });
      else read.problems.push(reason("record-contradicts-itself", "its record is of another snapshot", envelope));
    } else if (predicateType === TEST_RESULT_TYPE) {
      const result = readOr(read.problems, "statement-invalid", envelope, () => readResult(predicate));
      if (result !== null) read.results.push({ ...result, envelope });
    } else ignored.push(reason("predicate-unknown", `its predicate is of type "${predicateType}"`, envelope));
  }
  return read;
}

/** Where a test-result says something else than the record that it is an extract of. */
export function contradictionsAmong(
  tests: readonly SignedTest[],
  results: readonly SignedResult[],
  ignored: EvidenceReason[],
): EvidenceReason[] {
  const byDigest = new Map(tests.map((test) => [test.digest, test]));
  const found: EvidenceReason[] = [];
  for (const { summary, recordDigest: digest, envelope } of results) {
    const test = digest === null ? undefined : byDigest.get(digest);
    if (test !== undefined) {
      if (!agrees(summary, test.record)) found.push(contradiction(summary, test.record, envelope));
    } else if (summary.result === "FAILED") {
      found.push(reason("failed", "a test-result of this snapshot says FAILED, and its record is not here", envelope));
    } else {
      const message = "a test-result without the record of the test has neither a time nor a level";
      ignored.push(reason("record-missing", message, envelope));
    }
  }
  return found;
}

function readResult(predicate: JsonValue): Omit<SignedResult, "envelope"> {
  const fields = new Fields(predicate, "test-result");
  const names = (name: string) => (fields.has(name) ? fields.strings(name, MAX_TESTS, MAX_ID_CHARS) : []);
  const summary = {
    result: fields.oneOf("result", ["PASSED", "WARNED", "FAILED"]),
    passedTests: names("passedTests"),
    warnedTests: names("warnedTests"),
    failedTests: names("failedTests"),
  };
  const configurations = fields.array("configuration", MAX_CONFIGURATIONS);
  const digests = configurations.map((value) => readLink(new Fields(value, "test-result.configuration")));
  return { summary, recordDigest: digests.find((digest) => digest !== null) ?? null };
}

/** Our own test-results say in an annotation which record they come from; those of others do not. */
function readLink(configuration: Fields): string | null {
  if (!configuration.has("annotations")) return null;
  const annotations = configuration.object("annotations");
  return annotations.has("recordDigest") ? annotations.hex("recordDigest", 32) : null;
}

function agrees(summary: Summary, record: RestoreTestRecord): boolean {
  const expected = testResultPredicate(record);
  if (expected === null) return false;
  const { result, passedTests, warnedTests, failedTests } = expected as unknown as Summary;
  return jsonOf({ ...summary }) === jsonOf({ result, passedTests, warnedTests, failedTests });
}

function contradiction({ result }: Summary, record: RestoreTestRecord, envelope: number): EvidenceReason {
  const { outcome } = record.result;
  const said = record.simulated ? `a drill (${outcome})` : outcome;
  const message = `the test-result says ${result} with other checks or another outcome than its record, which says ${said}`;
  return reason("results-contradict", message, envelope);
}

function jsonOf(summary: Summary): string {
  return bytesToHex(encodeCanonicalJson({ ...summary }));
}
