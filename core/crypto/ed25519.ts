// Ed25519 (RFC 8032) by Node's own crypto: the one way in which keys of people are read, written and used. What a key is for
// is decided above: the keeper's (keeperKey.ts), that of evidence (core/evidence/signingKey.ts).

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";

export const ED25519_PUBLIC_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/** Makes the error for a text that holds no such key, from the end of a sentence. The text must never appear in it. */
export type KeyRefusal = (what: string) => Error;

export class Ed25519PrivateKey {
  readonly publicKey: Ed25519PublicKey;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = new Ed25519PublicKey(createPublicKey(key));
  }

  static generate(): Ed25519PrivateKey {
    return new Ed25519PrivateKey(generateKeyPairSync("ed25519").privateKey);
  }

  /** From PKCS#8 in PEM, without a passphrase. */
  static fromPem(pem: string, refusal: KeyRefusal): Ed25519PrivateKey {
    let key: KeyObject;
    try {
      key = createPrivateKey({ key: pem, format: "pem" });
    } catch {
      throw refusal("is not a private key in PEM form (PKCS#8, without a passphrase)");
    }
    if (key.asymmetricKeyType !== "ed25519") throw refusal(`is a key of type ${key.asymmetricKeyType}, not Ed25519`);
    return new Ed25519PrivateKey(key);
  }

  toPem(): string {
    return this.#key.export({ format: "pem", type: "pkcs8" }).toString();
  }

  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#key));
  }
}

export class Ed25519PublicKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
    const { x = "" } = key.export({ format: "jwk" });
    this.bytes = new Uint8Array(Buffer.from(x, "base64url"));
  }

  /** From 32 bytes. Throws for others. */
  static fromBytes(bytes: Uint8Array): Ed25519PublicKey {
    const x = Buffer.from(bytes).toString("base64url");
    return new Ed25519PublicKey(createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }));
  }

  /** From SubjectPublicKeyInfo in PEM. A private key is refused, although it holds the public one. */
  static fromPem(pem: string, refusal: KeyRefusal): Ed25519PublicKey {
    if (pem.includes("PRIVATE KEY-----"))
      throw refusal("is a private key: it belongs where evidence is signed, not here");
    let key: KeyObject;
    try {
      key = createPublicKey({ key: pem, format: "pem" });
    } catch {
      throw refusal("is not a public key in PEM form (BEGIN PUBLIC KEY)");
    }
    if (key.asymmetricKeyType !== "ed25519") throw refusal(`is a key of type ${key.asymmetricKeyType}, not Ed25519`);
    return new Ed25519PublicKey(key);
  }

  toPem(): string {
    return this.#key.export({ format: "pem", type: "spki" }).toString();
  }

  /** SubjectPublicKeyInfo. */
  toDer(): Uint8Array {
    return new Uint8Array(this.#key.export({ format: "der", type: "spki" }));
  }

  /** False also for a signature that makes no sense. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return signature.length === ED25519_SIGNATURE_BYTES && verify(null, message, this.#key, signature);
  }
}
