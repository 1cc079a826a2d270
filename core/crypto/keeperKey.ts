// The keeper's key: Ed25519. Whoever has the private half may forget, collect and take protection away in a repository whose
// config names the public half; docs/roles.md, docs/format/verdict.md.

import { RepriseError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import { Ed25519PrivateKey, Ed25519PublicKey } from "./ed25519.js";

const FINGERPRINT_DIGITS = 32;

export class KeeperKey {
  /** 64 hex digits: the 32 bytes of the public key. */
  readonly publicKey: string;
  readonly #key: Ed25519PrivateKey;

  private constructor(key: Ed25519PrivateKey) {
    this.#key = key;
    this.publicKey = bytesToHex(key.publicKey.bytes);
  }

  static generate(): KeeperKey {
    return new KeeperKey(Ed25519PrivateKey.generate());
  }

  /** From PKCS#8 in PEM, without a passphrase. KEEPER_KEY_INVALID; the text never appears in the error. */
  static fromPem(pem: string): KeeperKey {
    return new KeeperKey(Ed25519PrivateKey.fromPem(pem, invalidKey));
  }

  toPem(): string {
    return this.#key.toPem();
  }

  get fingerprint(): string {
    return keeperFingerprint(this.publicKey);
  }

  /** 128 hex digits. */
  sign(statement: Uint8Array): string {
    return bytesToHex(this.#key.sign(statement));
  }
}

/** The first half of the SHA-256 of the public key: what people compare. */
export function keeperFingerprint(publicKey: string): string {
  return bytesToHex(sha256(new Uint8Array(Buffer.from(publicKey, "hex")))).slice(0, FINGERPRINT_DIGITS);
}

/** False also for a public key or a signature that makes no sense. */
export function isSignedBy(publicKey: string, statement: Uint8Array, signature: string): boolean {
  try {
    return publicKeyOf(publicKey).verify(statement, new Uint8Array(Buffer.from(signature, "hex")));
  } catch {
    return false;
  }
}

/** Thousands of verdicts are checked against the same key. */
let lastUsed: { publicKey: string; key: Ed25519PublicKey } | undefined;

function publicKeyOf(publicKey: string): Ed25519PublicKey {
  if (lastUsed?.publicKey === publicKey) return lastUsed.key;
  const key = Ed25519PublicKey.fromBytes(new Uint8Array(Buffer.from(publicKey, "hex")));
  lastUsed = { publicKey, key };
  return key;
}

function invalidKey(what: string): RepriseError {
  return new RepriseError("key", "KEEPER_KEY_INVALID", `the keeper key ${what}`, {
    hint: "give the file that reprise init --new-keeper-key has written",
  });
}
