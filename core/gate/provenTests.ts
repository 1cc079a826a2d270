// Which snapshot of a machine is proven by signed statements, and what speaks against it. Signatures and records are the matter of
// core/evidence; here its verdicts about single snapshots become one about the machine. Pure.

import type { GateRequirement } from "../config/repriseConfig.js";
import { envelopesBySubject } from "../evidence/envelopesBySubject.js";
import type { GateReasonCode, MachineFacts, SnapshotFacts } from "../evidence/gateFacts.js";
import type { EvidencePolicy, EvidenceReasonCode, EvidenceVerdict } from "../evidence/policy.js";
import type { VerificationKey } from "../evidence/signingKey.js";
import { verifyEvidence } from "../evidence/verifyEvidence.js";
import type { RestoreTestRecord } from "../format/restoreTestRecord.js";
import { shortLine } from "../report/inertText.js";
import { instantText } from "./gateWords.js";
import { objectionTo, unpublishedTests } from "./unpublishedTests.js";

export interface GateTrust {
  /** One of them must have signed each statement that counts. */
  keys: readonly VerificationKey[];
  /** Digests of the specs of this file's restore tests, by the tests' names. */
  specDigests: ReadonlyMap<string, string>;
  nowMs: number;
}

export interface GateReason {
  code: GateReasonCode;
  message: string;
}

export interface Proof {
  /** The snapshot whose restore is proven, or that the reasons speak of; null: none was ever tested. */
  snapshot: SnapshotFacts | null;
  record: RestoreTestRecord | null;
  /** SHA-256 of the record's canonical JSON. */
  recordDigest: string | null;
  /** Empty: proven. */
  objections: readonly GateReason[];
}

interface Judged {
  snapshot: SnapshotFacts;
  verdict: EvidenceVerdict;
}

const MAX_MESSAGE_CHARS = 500;

/** `snapshots`: newest first, at least one. */
export function proofOf(
  facts: MachineFacts,
  snapshots: readonly SnapshotFacts[],
  requirement: GateRequirement,
  trust: GateTrust,
): Proof {
  const envelopes = envelopesBySubject(facts.envelopes);
  const judge = (snapshot: SnapshotFacts): Judged => {
    const policy = evidencePolicy(snapshot.digest, requirement, trust);
    return { snapshot, verdict: verifyEvidence(envelopes.get(snapshot.digest) ?? [], policy) };
  };
  const newest = judge(snapshots[0]!);
  const isNewestOnly = requirement.proof === "newest";
  const proof = isNewestOnly
    ? newestProof(newest, snapshots.slice(1), judge)
    : recentProof([newest, ...snapshots.slice(1).map(judge)]);
  return withUnpublished(proof, isNewestOnly ? snapshots.slice(0, 1) : snapshots, requirement);
}

/** `snapshots`: those that may speak against it. What is known of tests, but not published, proves nothing. */
function withUnpublished(proof: Proof, snapshots: readonly SnapshotFacts[], requirement: GateRequirement): Proof {
  const sinceMs = proof.record === null ? null : Date.parse(proof.record.times.finishedAt);
  const isUntested = proof.objections.length > 0 && proof.objections.every(({ code }) => code === "untested");
  // what makes no sense is objection enough
  if (proof.record === null && !isUntested) return proof;
  const unpublished = unpublishedTests(snapshots, { recordDigest: proof.recordDigest, sinceMs });
  const against = unpublished.map((test) => objectionTo(test, requirement)).find((objection) => objection !== null);
  if (against !== undefined) return { ...proof, objections: isUntested ? [against] : [...proof.objections, against] };
  const [passed] = unpublished;
  if (!isUntested || passed === undefined) return proof;
  const message = `the backup of ${instantText(passed.snapshot.timeMs)} was tested, and no statement of that test is published`;
  return { ...proof, objections: [{ code: "untested", message }] };
}

/** The newest snapshot itself, or nothing. */
function newestProof(
  newest: Judged,
  older: readonly SnapshotFacts[],
  judge: (snapshot: SnapshotFacts) => Judged,
): Proof {
  const proof = proofFrom(newest);
  const isUntested = newest.verdict.record === null && proof.objections.every(({ code }) => code === "untested");
  if (!isUntested) return proof;
  const tested = older.map(judge).find(({ verdict }) => verdict.record !== null);
  const message =
    tested === undefined
      ? "the newest backup has not been tested, and neither has an older one"
      : `the newest backup has not been tested; the newest one that was is of ${instantText(tested.snapshot.timeMs)}`;
  return { ...proof, objections: [{ code: "untested", message }] };
}

/** The latest test decides, whichever snapshot it is of; what a trusted key has signed and makes no sense speaks against all. */
function recentProof(judged: readonly Judged[]): Proof {
  const nonsense = judged.filter(({ verdict }) => verdict.record === null && !isOnlyAbsence(verdict));
  if (nonsense.length > 0) return proofFrom(nonsense[0]!);
  const tested = judged.filter(({ verdict }) => verdict.record !== null);
  const latest = tested.toSorted((a, b) => endOf(b) - endOf(a) || doubt(b) - doubt(a))[0];
  if (latest !== undefined) return proofFrom(latest);
  const forged = judged.map(proofFrom).find(({ objections }) => objections.some(({ code }) => code !== "untested"));
  return (
    forged ?? {
      ...proofFrom(judged[0]!),
      objections: [{ code: "untested", message: "no backup of it has been tested" }],
    }
  );
}

function proofFrom({ snapshot, verdict }: Judged): Proof {
  const { decision, reasons, record, recordDigest } = verdict;
  const objections = reasons.map(({ code, message }) => ({
    code: GATE_CODES[code],
    message: shortLine(message, MAX_MESSAGE_CHARS),
  }));
  if (decision !== "accepted" && objections.length === 0)
    objections.push({ code: "evidence-invalid", message: "the evidence was rejected" });
  return { snapshot, record, recordDigest, objections };
}

function evidencePolicy(subjectDigest: string, requirement: GateRequirement, trust: GateTrust): EvidencePolicy {
  const { level, maxTestAgeMs, checks, allowWarned, tests } = requirement;
  return {
    keys: trust.keys,
    threshold: 1,
    subjectDigest,
    maxAgeMs: maxTestAgeMs,
    nowMs: trust.nowMs,
    requiredLevel: level,
    requiredChecks: checks,
    allowWarned,
    allowedSpecDigests: tests.length === 0 ? null : tests.flatMap((name) => trust.specDigests.get(name) ?? []),
  };
}

const ABSENT: ReadonlySet<EvidenceReasonCode> = new Set([
  "no-evidence",
  "envelope-invalid",
  "payload-type-unknown",
  "signature-untrusted",
  "subject-differs",
  "predicate-unknown",
  "record-missing",
  "simulated",
]);

/** Nothing trusted has been said about the snapshot. */
function isOnlyAbsence({ reasons }: EvidenceVerdict): boolean {
  return reasons.every(({ code }) => ABSENT.has(code));
}

function endOf({ verdict }: Judged): number {
  return Date.parse(verdict.record?.times.finishedAt ?? "");
}

function doubt({ verdict }: Judged): number {
  return verdict.decision === "accepted" ? 0 : 1;
}

const GATE_CODES: Readonly<Record<EvidenceReasonCode, GateReasonCode>> = {
  "policy-invalid": "policy-invalid",
  "no-evidence": "untested",
  "envelope-invalid": "evidence-invalid",
  "payload-type-unknown": "evidence-invalid",
  "signature-untrusted": "evidence-forged",
  "statement-invalid": "evidence-invalid",
  "subject-differs": "untested",
  "predicate-unknown": "untested",
  "record-missing": "untested",
  "record-invalid": "evidence-invalid",
  "record-contradicts-itself": "evidence-invalid",
  "results-contradict": "evidence-invalid",
  simulated: "untested",
  failed: "test-failed",
  inconclusive: "test-inconclusive",
  warned: "test-warned",
  "nothing-proven": "level-too-low",
  "level-too-low": "level-too-low",
  "check-missing": "check-missing",
  "check-not-passed": "check-not-passed",
  "too-old": "test-too-old",
  "from-the-future": "clock",
  "spec-not-allowed": "spec-not-allowed",
};
