// The keeper's key: Ed25519, by Node's own crypto. Whoever has the private half may forget, collect and take protection
// away in a repository whose config names the public half; docs/roles.md, docs/format/verdict.md.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { RepriseError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";

const FINGERPRINT_DIGITS = 32;

export class KeeperKey {
  /** 64 hex digits: the 32 bytes of the public key. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    const { x = "" } = createPublicKey(key).export({ format: "jwk" });
    this.publicKey = bytesToHex(new Uint8Array(Buffer.from(x, "base64url")));
  }

  static generate(): KeeperKey {
    return new KeeperKey(generateKeyPairSync("ed25519").privateKey);
  }

  /** From PKCS#8 in PEM, without a passphrase. KEEPER_KEY_INVALID; the text never appears in the error. */
  static fromPem(pem: string): KeeperKey {
    let key: KeyObject;
    try {
      key = createPrivateKey({ key: pem, format: "pem" });
    } catch {
      throw invalidKey("is not a private key in PEM form (PKCS#8, without a passphrase)");
    }
    if (key.asymmetricKeyType !== "ed25519") throw invalidKey(`is a key of type ${key.asymmetricKeyType}, not Ed25519`);
    return new KeeperKey(key);
  }

  toPem(): string {
    return this.#key.export({ format: "pem", type: "pkcs8" }).toString();
  }

  get fingerprint(): string {
    return keeperFingerprint(this.publicKey);
  }

  /** 128 hex digits. */
  sign(statement: Uint8Array): string {
    return bytesToHex(new Uint8Array(sign(null, statement, this.#key)));
  }
}

/** The first half of the SHA-256 of the public key: what people compare. */
export function keeperFingerprint(publicKey: string): string {
  return bytesToHex(sha256(new Uint8Array(Buffer.from(publicKey, "hex")))).slice(0, FINGERPRINT_DIGITS);
}

/** False also for a public key or a signature that makes no sense. */
export function isSignedBy(publicKey: string, statement: Uint8Array, signature: string): boolean {
  try {
    return verify(null, statement, publicKeyOf(publicKey), Buffer.from(signature, "hex"));
  } catch {
    return false;
  }
}

/** Thousands of verdicts are checked against the same key. */
let lastUsed: { publicKey: string; key: KeyObject } | undefined;

function publicKeyOf(publicKey: string): KeyObject {
  if (lastUsed?.publicKey === publicKey) return lastUsed.key;
  const x = Buffer.from(publicKey, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  lastUsed = { publicKey, key };
  return key;
}

function invalidKey(what: string): RepriseError {
  return new RepriseError("key", "KEEPER_KEY_INVALID", `the keeper key ${what}`, {
    hint: "give the file that reprise init --new-keeper-key has written",
  });
}
