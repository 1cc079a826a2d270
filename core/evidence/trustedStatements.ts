// From envelopes to statements that enough trusted keys have signed. Signatures are checked before anything inside an
// envelope is looked at.

import { isOurError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { type DsseEnvelope, decodeEnvelope, IN_TOTO_PAYLOAD_TYPE, signersOf } from "./dsse.js";
import { type EvidencePolicy, type EvidenceReason, type EvidenceReasonCode, keysWord, reason } from "./policy.js";
import { decodeStatement, type Statement } from "./statement.js";

export interface TrustedStatement {
  statement: Statement;
  /** Ids of trusted keys, at least as many as the policy demands. */
  signedBy: readonly string[];
  /** Number of the first envelope that has it. */
  envelope: number;
}

/** A statement may come in several envelopes with a signature each. What does not count goes into `ignored`. */
export function trustedStatements(
  envelopes: readonly string[],
  { keys, threshold }: Pick<EvidencePolicy, "keys" | "threshold">,
  ignored: EvidenceReason[],
): TrustedStatement[] {
  const signed = new Map<string, { payload: Uint8Array; signers: Set<string>; envelope: number }>();
  for (const [index, text] of envelopes.entries()) {
    const envelope = readEnvelope(text, index, ignored);
    if (envelope === null) continue;
    const digest = bytesToHex(sha256(envelope.payload));
    const known = signed.get(digest) ?? { payload: envelope.payload, signers: new Set(), envelope: index };
    for (const { keyId } of signersOf(envelope, keys)) known.signers.add(keyId);
    signed.set(digest, known);
  }
  const trusted: TrustedStatement[] = [];
  for (const { payload, signers, envelope } of signed.values()) {
    if (signers.size < threshold) {
      const found = `${signedByText(signers.size)}; ${threshold} ${threshold === 1 ? "is" : "are"} needed`;
      ignored.push(reason("signature-untrusted", found, envelope));
      continue;
    }
    const statement = readOr(ignored, "statement-invalid", envelope, () => decodeStatement(payload, "statement"));
    if (statement !== null) trusted.push({ statement, signedBy: [...signers].sort(), envelope });
  }
  return trusted;
}

function signedByText(count: number): string {
  if (count === 0) return "no trusted key has signed it";
  return `${count} trusted ${keysWord(count)} ${count === 1 ? "has" : "have"} signed it`;
}

/** Null, with a reason, for what does not follow its format. */
export function readOr<T>(
  reasons: EvidenceReason[],
  code: EvidenceReasonCode,
  envelope: number,
  read: () => T,
): T | null {
  try {
    return read();
  } catch (error) {
    if (!isOurError(error)) throw error;
    reasons.push(reason(code, error.message, envelope));
    return null;
  }
}

function readEnvelope(text: string, index: number, ignored: EvidenceReason[]): DsseEnvelope | null {
  const envelope = readOr(ignored, "envelope-invalid", index, () => decodeEnvelope(text, "envelope"));
  if (envelope === null || envelope.payloadType === IN_TOTO_PAYLOAD_TYPE) return envelope;
  ignored.push(reason("payload-type-unknown", `the payload is of type "${envelope.payloadType}"`, index));
  return null;
}
