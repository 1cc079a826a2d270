// DSSE 1.0 envelopes (secure-systems-lab/dsse, protocol.md and envelope.md): signatures over exact bytes with their type. What is
// in an envelope is parsed only after a signature has been found good. Not here: what the statements mean (verifyEvidence.ts).

import { concatBytes, encodeText, formatError } from "../format/bytes.js";
import { Fields } from "../format/fields.js";
import { decodeBase64, encodeBase64 } from "./base64.js";
import type { SigningKey, VerificationKey } from "./signingKey.js";
import { parseJson } from "./strictJson.js";

export const IN_TOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json";
/** One envelope as text; its payload is three quarters of that at most. */
export const MAX_ENVELOPE_CHARS = 1024 * 1024;
const MAX_SIGNATURES = 16;
const MAX_TYPE_CHARS = 300;
const MAX_KEY_ID_CHARS = 500;
const MAX_SIGNATURE_CHARS = 1_000;

export interface DsseEnvelope {
  payloadType: string;
  payload: Uint8Array;
  /** `keyId` is what the envelope claims: a hint that nothing protects. */
  signatures: readonly { keyId: string; signature: Uint8Array }[];
}

/** What is signed. Lengths count bytes. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeText(payloadType);
  return concatBytes([encodeText(`DSSEv1 ${type.length} `), type, encodeText(` ${payload.length} `), payload]);
}

/** One line of JSON. */
export function signEnvelope(payloadType: string, payload: Uint8Array, keys: readonly SigningKey[]): string {
  const message = preAuthEncoding(payloadType, payload);
  const signatures = keys.map((key) => {
    return { keyid: key.verificationKey.keyId, sig: encodeBase64(key.sign(message)) };
  });
  return JSON.stringify({ payloadType, payload: encodeBase64(payload), signatures });
}

/** FORMAT_INVALID. The payload is neither parsed nor trusted by this. */
export function decodeEnvelope(text: string, what: string): DsseEnvelope {
  if (text.length > MAX_ENVELOPE_CHARS) throw formatError(what, `has more than ${MAX_ENVELOPE_CHARS} characters`);
  const fields = new Fields(parseJson(text, what), what);
  return {
    payloadType: fields.string("payloadType", MAX_TYPE_CHARS),
    payload: decodeBase64(fields.string("payload", MAX_ENVELOPE_CHARS), `${what}.payload`),
    signatures: fields.array("signatures", MAX_SIGNATURES).map((value) => decodeSignature(new Fields(value, what))),
  };
}

/** Those of `keys` that have signed, each once, whatever the envelope claims and however often it repeats itself. */
export function signersOf(envelope: DsseEnvelope, keys: readonly VerificationKey[]): VerificationKey[] {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  const signers = new Map<string, VerificationKey>();
  for (const key of keys) {
    const hasSigned = envelope.signatures.some(({ signature }) => key.verify(message, signature));
    if (hasSigned) signers.set(key.keyId, key);
  }
  return [...signers.values()];
}

/**
 * The same envelope without its claims of who has signed. cosign expects claims of its own form there and skips signatures with
 * others; without a claim it tries the key it was given.
 */
export function withoutKeyIds(text: string, what: string): string {
  const { payloadType, payload, signatures } = decodeEnvelope(text, what);
  return JSON.stringify({
    payloadType,
    payload: encodeBase64(payload),
    signatures: signatures.map(({ signature }) => ({ sig: encodeBase64(signature) })),
  });
}

function decodeSignature(fields: Fields): DsseEnvelope["signatures"][number] {
  const keyId = fields.has("keyid") ? (fields.nullableString("keyid", MAX_KEY_ID_CHARS) ?? "") : "";
  return { keyId, signature: decodeBase64(fields.string("sig", MAX_SIGNATURE_CHARS), `${fields.what}.sig`) };
}
