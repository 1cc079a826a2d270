// A check of DSSE envelopes written from the specification alone (secure-systems-lab/dsse 1.0: protocol.md, envelope.md): it shares
// no code with the product.

import { createPublicKey, verify } from "node:crypto";

/** PAE(type, body) = "DSSEv1" + SP + LEN(type) + SP + type + SP + LEN(body) + SP + body */
export function pae(type: string, body: Buffer): Buffer {
  const typeBytes = Buffer.from(type, "utf8");
  return Buffer.concat([
    Buffer.from("DSSEv1"),
    Buffer.from(" "),
    Buffer.from(String(typeBytes.byteLength)),
    Buffer.from(" "),
    typeBytes,
    Buffer.from(" "),
    Buffer.from(String(body.byteLength)),
    Buffer.from(" "),
    body,
  ]);
}

interface Checked {
  /** Which of the given PEM keys have signed. */
  signers: string[];
  payloadType: string;
  body: Buffer;
}

export function checkEnvelope(envelopeText: string, publicKeyPems: readonly string[]): Checked {
  const envelope = JSON.parse(envelopeText) as {
    payloadType: string;
    payload: string;
    signatures: { keyid?: string; sig: string }[];
  };
  // "base64url" reads both alphabets
  const body = Buffer.from(envelope.payload, "base64url");
  const signed = pae(envelope.payloadType, body);
  const signers = publicKeyPems.filter((pem) =>
    envelope.signatures.some(({ sig }) => verify(null, signed, createPublicKey(pem), Buffer.from(sig, "base64url"))),
  );
  return { signers, payloadType: envelope.payloadType, body };
}
