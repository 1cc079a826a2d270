// Decides whether envelopes prove that a snapshot can be restored. Default deny: whatever is missing, unknown, contradictory or
// not understood ends in "rejected", and nothing is thrown for anything that an envelope holds. docs/evidence.md.

import { objectionsTo, policyProblem } from "./objections.js";
import {
  type EvidencePolicy,
  type EvidenceReason,
  type EvidenceReasonCode,
  type EvidenceVerdict,
  reason,
} from "./policy.js";
import { contradictionsAmong, readTests, type SignedTest } from "./testsOfSubject.js";
import { type TrustedStatement, trustedStatements } from "./trustedStatements.js";

const MAX_LISTED = 100;

/**
 * Envelopes as text, from anywhere, in any order; those about other snapshots do no harm. The newest test decides, also when an
 * older one was better; drills are left out, unless there is nothing else.
 */
export function verifyEvidence(envelopes: readonly string[], policy: EvidencePolicy): EvidenceVerdict {
  const ignored: EvidenceReason[] = [];
  const invalid = policyProblem(policy);
  if (invalid !== null) return rejected([reason("policy-invalid", invalid, null)], ignored, null);
  const statements = trustedStatements(envelopes, policy, ignored);
  const about = statements.filter((statement) => isAbout(statement, policy, ignored));
  const { tests, results, problems } = readTests(about, policy.subjectDigest, ignored);
  const objections = [...problems, ...contradictionsAmong(tests, results, ignored)];
  const newest = newestOf(withoutDrills(tests, ignored));
  if (newest === null) return rejected([...objections, absence(ignored)], ignored, null);
  objections.push(...objectionsTo(newest, policy));
  if (objections.length > 0) return rejected(objections, ignored, newest);
  return { decision: "accepted", reasons: [], ...aboutTest(newest, ignored) };
}

function isAbout(
  { statement, envelope }: TrustedStatement,
  { subjectDigest }: EvidencePolicy,
  ignored: EvidenceReason[],
): boolean {
  if (statement.subjects.some(({ sha256 }) => sha256 === subjectDigest)) return true;
  const names = statement.subjects.map(({ name }) => name).slice(0, 3);
  ignored.push(reason("subject-differs", `it speaks of another snapshot (${names.join(", ")})`, envelope));
  return false;
}

function withoutDrills(tests: readonly SignedTest[], ignored: EvidenceReason[]): SignedTest[] {
  return tests.filter(({ record, envelope }) => {
    if (record.simulated)
      ignored.push(reason("simulated", "it is of a drill, which proves nothing about the snapshot", envelope));
    return !record.simulated;
  });
}

/** By the end of the test; of two that ended together the one that did not pass. */
function newestOf(tests: readonly SignedTest[]): SignedTest | null {
  const endOf = ({ record }: SignedTest) => Date.parse(record.times.finishedAt);
  const doubt = ({ record }: SignedTest) => (record.result.outcome === "passed" ? 0 : 1);
  const [newest = null] = [...tests].sort((a, b) => endOf(b) - endOf(a) || doubt(b) - doubt(a));
  return newest;
}

/** The one reason why nothing counts, or that there are several. */
function absence(ignored: readonly EvidenceReason[]): EvidenceReason {
  const codes = new Map<EvidenceReasonCode, EvidenceReason>(ignored.map((each) => [each.code, each]));
  const [only, ...others] = codes.values();
  if (only !== undefined && others.length === 0) return only;
  const list = codes.size === 0 ? "" : `: ${[...codes.keys()].join(", ")}`;
  return reason("no-evidence", `no envelope proves a test of this snapshot${list}`, null);
}

function rejected(
  reasons: readonly EvidenceReason[],
  ignored: readonly EvidenceReason[],
  test: SignedTest | null,
): EvidenceVerdict {
  return { decision: "rejected", reasons: reasons.slice(0, MAX_LISTED), ...aboutTest(test, ignored) };
}

function aboutTest(
  test: SignedTest | null,
  ignored: readonly EvidenceReason[],
): Omit<EvidenceVerdict, "decision" | "reasons"> {
  return {
    ignored: ignored.slice(0, MAX_LISTED),
    record: test?.record ?? null,
    recordDigest: test?.digest ?? null,
    signedBy: test?.signedBy ?? [],
  };
}
