// What somebody who relies on evidence demands of it, and what a check of it answers. All of it is data, so that a gate can
// branch on it and a report can show it.

import type { RestoreTestRecord, TestLevel } from "../format/restoreTestRecord.js";
import type { VerificationKey } from "./signingKey.js";

export interface EvidencePolicy {
  /** Whose signatures count. A key given twice is one key. */
  keys: readonly VerificationKey[];
  /** How many of them must have signed each statement that counts, 1 or more. */
  threshold: number;
  /** SHA-256 of the manifest of the snapshot that is relied on, 64 hex digits, computed by the caller itself. */
  subjectDigest: string;
  /** Since the end of the test; null: any age. */
  maxAgeMs: number | null;
  nowMs: number;
  /** Null: any level, but one must have been proven. */
  requiredLevel: TestLevel | null;
  /** Ids of checks that must have passed. */
  requiredChecks: readonly string[];
  /** Whether "passed with warnings" is enough, of the test and of required checks. */
  allowWarned: boolean;
  /** SHA-256 of the specs that may have been tested by; null: any. */
  allowedSpecDigests: readonly string[] | null;
}

export type EvidenceReasonCode =
  | "policy-invalid"
  | "no-evidence"
  | "envelope-invalid"
  | "payload-type-unknown"
  | "signature-untrusted"
  | "statement-invalid"
  | "subject-differs"
  | "predicate-unknown"
  | "record-missing"
  | "record-invalid"
  | "record-contradicts-itself"
  | "results-contradict"
  | "simulated"
  | "failed"
  | "inconclusive"
  | "warned"
  | "nothing-proven"
  | "level-too-low"
  | "check-missing"
  | "check-not-passed"
  | "too-old"
  | "from-the-future"
  | "spec-not-allowed";

export interface EvidenceReason {
  code: EvidenceReasonCode;
  /** One sentence for people; may quote what an attacker has written. */
  message: string;
  /** Number of the envelope, from 0; null: about no single one. */
  envelope: number | null;
}

export interface EvidenceVerdict {
  decision: "accepted" | "rejected";
  /** Why it was rejected, most important first; empty when accepted. */
  reasons: readonly EvidenceReason[];
  /** Envelopes that count neither for nor against, and why: at most 100. */
  ignored: readonly EvidenceReason[];
  /** The newest test of the snapshot that is signed by enough trusted keys; null: none. */
  record: RestoreTestRecord | null;
  /** SHA-256 of its canonical JSON. */
  recordDigest: string | null;
  /** Ids of the trusted keys that have signed it. */
  signedBy: readonly string[];
}

export function reason(code: EvidenceReasonCode, message: string, envelope: number | null): EvidenceReason {
  return { code, message, envelope };
}

export function keysWord(count: number): string {
  return count === 1 ? "key" : "keys";
}
