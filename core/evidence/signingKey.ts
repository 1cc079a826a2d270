// The key that signs evidence: Ed25519, PKCS#8 and SubjectPublicKeyInfo in PEM, as openssl and cosign write and read them. It is
// another key than the keeper's: a runner has it, and it decides about nothing in the repository.

import { Ed25519PrivateKey, Ed25519PublicKey } from "../crypto/ed25519.js";
import { RepriseError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";

export class SigningKey {
  readonly verificationKey: VerificationKey;
  readonly #key: Ed25519PrivateKey;

  private constructor(key: Ed25519PrivateKey) {
    this.#key = key;
    this.verificationKey = new VerificationKey(key.publicKey);
  }

  static generate(): SigningKey {
    return new SigningKey(Ed25519PrivateKey.generate());
  }

  /** From PKCS#8 in PEM, without a passphrase. SIGNING_KEY_INVALID; the text never appears in the error. */
  static fromPem(pem: string): SigningKey {
    return new SigningKey(Ed25519PrivateKey.fromPem(pem, invalidSigningKey));
  }

  toPem(): string {
    return this.#key.toPem();
  }

  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return this.#key.sign(message);
  }
}

/** The public half: what whoever checks evidence trusts. */
export class VerificationKey {
  /** SHA-256 of the SubjectPublicKeyInfo, 64 hex digits. */
  readonly keyId: string;
  readonly #key: Ed25519PublicKey;

  constructor(key: Ed25519PublicKey) {
    this.#key = key;
    this.keyId = bytesToHex(sha256(key.toDer()));
  }

  /** EVIDENCE_KEY_INVALID, also for a private key: it has no business where evidence is checked. */
  static fromPem(pem: string): VerificationKey {
    return new VerificationKey(Ed25519PublicKey.fromPem(pem, invalidVerificationKey));
  }

  toPem(): string {
    return this.#key.toPem();
  }

  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return this.#key.verify(message, signature);
  }
}

function invalidSigningKey(what: string): RepriseError {
  return new RepriseError("key", "SIGNING_KEY_INVALID", `the signing key ${what}`, {
    hint: "give the file that reprise key signing generate has written",
  });
}

function invalidVerificationKey(what: string): RepriseError {
  return new RepriseError("key", "EVIDENCE_KEY_INVALID", `the trusted key ${what}`, {
    hint: "give the text that reprise key signing public prints: an Ed25519 key",
  });
}
