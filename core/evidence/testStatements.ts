// What is signed about one restore test: our own predicate, which is the record, and a test-result v0.1 for tools that know only
// that (in-toto/attestation, spec/predicates/test-result.md). Both are about the snapshot's manifest.

import { encodeCanonicalJson, type JsonValue } from "../format/canonicalJson.js";
import { bytesToHex } from "../format/ids.js";
import { encodeRestoreTestRecord, type RestoreTestRecord } from "../format/restoreTestRecord.js";
import { sha256 } from "../hash/digest.js";
import { IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "./dsse.js";
import type { SigningKey } from "./signingKey.js";
import { encodeStatement, RESTORE_TEST_TYPE, type Statement, TEST_RESULT_TYPE } from "./statement.js";

const RESULTS = { passed: "PASSED", warned: "WARNED", failed: "FAILED", inconclusive: null } as const;

/** Envelopes over one test, each signed with every key. FORMAT_INVALID when the record does not follow its format. */
export function signTestEvidence(record: RestoreTestRecord, keys: readonly SigningKey[]): string[] {
  return testStatements(record).map((statement) =>
    signEnvelope(IN_TOTO_PAYLOAD_TYPE, encodeStatement(statement), keys),
  );
}

/** Our own first. A test that could not tell, or was made to fail, has no test-result: that format cannot say so. */
export function testStatements(record: RestoreTestRecord): Statement[] {
  const subjects = [snapshotSubject(record)];
  const own = { subjects, predicateType: RESTORE_TEST_TYPE, predicate: encodeRestoreTestRecord(record) };
  const predicate = testResultPredicate(record);
  return predicate === null ? [own] : [own, { subjects, predicateType: TEST_RESULT_TYPE, predicate }];
}

/** Null when there is none to be made. */
export function testResultPredicate(record: RestoreTestRecord): JsonValue | null {
  const result = RESULTS[record.result.outcome];
  if (result === null || record.simulated) return null;
  const { spec, specDigest, url } = record.plan;
  const idsOf = (outcome: string) => record.checks.filter((check) => check.outcome === outcome).map(({ id }) => id);
  // annotations are ours to fill: they say which record this is an extract of
  const annotations = { recordId: record.recordId, recordDigest: recordDigest(encodeRestoreTestRecord(record)) };
  return {
    result,
    configuration: [{ name: spec, digest: { sha256: specDigest }, annotations }],
    ...(url === null ? {} : { url }),
    passedTests: idsOf("passed"),
    warnedTests: idsOf("warned"),
    failedTests: idsOf("failed"),
  };
}

/** SHA-256 of the record's canonical JSON, hex: what the next record of the machine names as `previous`. */
export function recordDigest(record: JsonValue): string {
  return bytesToHex(sha256(encodeCanonicalJson(record)));
}

function snapshotSubject({ asset, backup }: RestoreTestRecord): { name: string; sha256: string } {
  return { name: `snapshot/${asset.machine}/${backup.startedAt}`, sha256: backup.manifestDigest };
}
