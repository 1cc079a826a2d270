// What a policy has to object to one test. Pure: the signatures have been checked before.

import { type RestoreTestRecord, TEST_LEVELS, type TestLevel } from "../format/restoreTestRecord.js";
import { type EvidencePolicy, type EvidenceReason, type EvidenceReasonCode, keysWord, reason } from "./policy.js";
import { spanText } from "./spanText.js";
import type { SignedTest } from "./testsOfSubject.js";
import { judge } from "./testVerdict.js";

/** How far clocks may be apart. */
export const MAX_CLOCK_SKEW_MS = 5 * 60 * 1000;

/** Null: the policy makes sense. */
export function policyProblem(policy: EvidencePolicy): string | null {
  const { keys, threshold, subjectDigest, maxAgeMs, nowMs } = policy;
  const distinct = new Set(keys.map(({ keyId }) => keyId)).size;
  if (distinct === 0) return "no key is trusted";
  if (!Number.isSafeInteger(threshold) || threshold < 1) return "the number of needed signatures is no count";
  if (threshold > distinct) return `${threshold} signatures are needed of ${distinct} trusted ${keysWord(distinct)}`;
  if (!/^[0-9a-f]{64}$/.test(subjectDigest)) return "the snapshot's digest is not 64 hex digits";
  if (!Number.isFinite(nowMs)) return "the time is unknown";
  if (maxAgeMs !== null && !(maxAgeMs >= 0)) return "the greatest age is no span of time";
  return null;
}

/** Empty: the test fulfils the policy. */
export function objectionsTo({ record, envelope }: SignedTest, policy: EvidencePolicy): EvidenceReason[] {
  const found: EvidenceReason[] = [];
  const object = (code: EvidenceReasonCode, message: string) => found.push(reason(code, message, envelope));
  const inconsistency = inconsistencyOf(record);
  if (inconsistency !== null) object("record-contradicts-itself", inconsistency);
  objectToOutcome(record, policy, object);
  objectToLevel(record.result.provenLevel, policy.requiredLevel, object);
  objectToChecks(record, policy, object);
  objectToTime(record, policy, object);
  const { specDigest, spec } = record.plan;
  if (policy.allowedSpecDigests !== null && !policy.allowedSpecDigests.includes(specDigest))
    object("spec-not-allowed", `the spec ${spec} (${specDigest}) is not among those that are allowed`);
  return found;
}

type Object = (code: EvidenceReasonCode, message: string) => void;

/** A record that calls itself something else than what follows from the checks that it lists. */
function inconsistencyOf(record: RestoreTestRecord): string | null {
  const { result, checks, times, backup } = record;
  if (result.outcome === "passed" || result.outcome === "warned") {
    const failed = checks.find(
      ({ outcome, severity }) =>
        outcome === "failed" || (severity === "fail" && (outcome === "inconclusive" || outcome === "skipped")),
    );
    if (failed !== undefined) return `it says ${result.outcome}, but its check ${failed.id} is ${failed.outcome}`;
  }
  const { outcome, provenLevel } = judge({ level: record.plan.level, simulated: record.simulated, checks });
  if (provenLevel !== result.provenLevel)
    return `it says that ${levelText(result.provenLevel)} is proven; by its checks it is ${levelText(provenLevel)}`;
  if (outcome !== result.outcome) return `it says ${result.outcome}; by its checks it is ${outcome}`;
  if (Date.parse(times.startedAt) > Date.parse(times.finishedAt)) return "the test ended before it began";
  if (Date.parse(backup.finishedAt) > Date.parse(times.finishedAt) + MAX_CLOCK_SKEW_MS)
    return "the test ended before the backup did";
  return null;
}

function levelText(level: TestLevel | null): string {
  return level === null ? "nothing" : `"${level}"`;
}

function objectToOutcome(record: RestoreTestRecord, { allowWarned }: EvidencePolicy, object: Object): void {
  const { outcome, reason: because } = record.result;
  if (outcome === "failed") object("failed", `the test failed: ${because}`);
  if (outcome === "inconclusive") object("inconclusive", `the test could not tell: ${because}`);
  if (outcome === "warned" && !allowWarned) object("warned", `the test passed with warnings: ${because}`);
}

function objectToLevel(proven: TestLevel | null, required: TestLevel | null, object: Object): void {
  if (proven === null) object("nothing-proven", "no level was proven");
  else if (required !== null && TEST_LEVELS.indexOf(proven) < TEST_LEVELS.indexOf(required))
    object("level-too-low", `the snapshot is proven to be "${proven}", not "${required}"`);
}

function objectToChecks({ checks }: RestoreTestRecord, policy: EvidencePolicy, object: Object): void {
  for (const id of policy.requiredChecks) {
    const named = checks.filter((check) => check.id === id);
    if (named.length === 0) object("check-missing", `the test has no check "${id}"`);
    for (const { outcome } of named) {
      const isEnough = outcome === "passed" || (outcome === "warned" && policy.allowWarned);
      if (!isEnough) object("check-not-passed", `the check "${id}" is ${outcome}`);
    }
  }
}

function objectToTime({ times }: RestoreTestRecord, { nowMs, maxAgeMs }: EvidencePolicy, object: Object): void {
  const ageMs = nowMs - Date.parse(times.finishedAt);
  if (ageMs < -MAX_CLOCK_SKEW_MS)
    object(
      "from-the-future",
      `the test ended at ${times.finishedAt}, which is yet to come: one of the clocks is wrong`,
    );
  if (maxAgeMs !== null && ageMs > maxAgeMs) {
    const [age, allowed] = [spanText(ageMs), spanText(maxAgeMs)];
    object("too-old", `the test ended at ${times.finishedAt}, ${age} ago; allowed are ${allowed}`);
  }
}
