// Wrapping the master key under a passphrase or a recovery key: docs/format/key-slot.md.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from "node:crypto";
import { RepriseError } from "../errors.js";
import type { Sid } from "../format/ids.js";
import { type Kdf, type KeySlot, keySlotAdditionalData } from "../format/keySlot.js";
import { Keyring, MASTER_KEY_BYTES } from "./keyring.js";

/** How much work a guess of a passphrase costs. `standard` takes 64 MiB and about 0.2 s. `test` is for tests only. */
export type KdfCost = "standard" | "test";

const SCRYPT_N: Record<KdfCost, number> = { standard: 65_536, test: 1024 };
const TAG_BYTES = 16;

export type Secret = { passphrase: string } | { recoveryKey: Uint8Array };

export interface NewSlot {
  slotId: Sid;
  repositoryId: Sid;
  label: string;
  createdAt: string;
  cost?: KdfCost;
}

/** Wraps the master key under a fresh salt and nonce. */
export async function wrapMasterKey(keyring: Keyring, secret: Secret, slot: NewSlot): Promise<KeySlot> {
  const salt = randomBytes(32).toString("hex");
  const kdf: Kdf =
    "passphrase" in secret
      ? { name: "scrypt", n: SCRYPT_N[slot.cost ?? "standard"], r: 8, p: 1, salt }
      : { name: "hkdf-sha256", salt };
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", await slotKey(secret, kdf), nonce);
  cipher.setAAD(keySlotAdditionalData({ repositoryId: slot.repositoryId, slotId: slot.slotId, kdf }));
  const wrapped = Buffer.concat([cipher.update(keyring.master), cipher.final(), cipher.getAuthTag()]);
  return {
    slotId: slot.slotId,
    repositoryId: slot.repositoryId,
    keyId: keyring.keyIdHex,
    type: "passphrase" in secret ? "passphrase" : "recovery",
    label: slot.label,
    createdAt: slot.createdAt,
    kdf,
    nonce: nonce.toString("hex"),
    wrapped: wrapped.toString("hex"),
  };
}

/** The keyring, or null when this secret does not open this slot. */
export async function unwrapMasterKey(slot: KeySlot, secret: Secret): Promise<Keyring | null> {
  if ("passphrase" in secret !== (slot.type === "passphrase")) return null;
  const wrapped = Buffer.from(slot.wrapped, "hex");
  const decipher = createDecipheriv("aes-256-gcm", await slotKey(secret, slot.kdf), Buffer.from(slot.nonce, "hex"));
  decipher.setAAD(keySlotAdditionalData(slot));
  decipher.setAuthTag(wrapped.subarray(MASTER_KEY_BYTES));
  try {
    const master = Buffer.concat([decipher.update(wrapped.subarray(0, -TAG_BYTES)), decipher.final()]);
    return new Keyring(new Uint8Array(master));
  } catch {
    return null;
  }
}

async function slotKey(secret: Secret, kdf: Kdf): Promise<Uint8Array> {
  const salt = Buffer.from(kdf.salt, "hex");
  if ("recoveryKey" in secret) {
    return new Uint8Array(hkdfSync("sha256", secret.recoveryKey, salt, "reprise/recovery/1", 32));
  }
  if (kdf.name !== "scrypt") {
    throw new RepriseError("format", "FORMAT_INVALID", "key slot: a passphrase slot without scrypt parameters");
  }
  const { n, r, p } = kdf;
  // OpenSSL refuses exactly 128·n·r bytes: leave it room.
  const options = { N: n, r, p, maxmem: 128 * n * r + 128 * r * p + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(secret.passphrase.normalize("NFKC"), salt, 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key));
    });
  });
}
