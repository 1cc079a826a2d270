// Key slots: docs/format/key-slot.md. Wrapping and unwrapping is core/crypto/keySlots.ts.

import { concatBytes, encodeText, formatError } from "./bytes.js";
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import type { Sid } from "./ids.js";

export type Kdf =
  | { name: "scrypt"; n: number; r: number; p: number; salt: string }
  | { name: "hkdf-sha256"; salt: string };

export interface KeySlot {
  slotId: Sid;
  repositoryId: Sid;
  keyId: string;
  type: "passphrase" | "recovery";
  label: string;
  createdAt: string;
  kdf: Kdf;
  nonce: string;
  wrapped: string;
}

/** Bounds for slots read from a repository: a hostile slot must not take all memory. */
export const MAX_SCRYPT_BYTES = 1024 * 1024 * 1024;

export function encodeKeySlot(slot: KeySlot): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...slot, kdf: { ...slot.kdf } });
}

export function decodeKeySlot(bytes: Uint8Array, what: string): KeySlot {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  const type = fields.oneOf("type", ["passphrase", "recovery"]);
  const kdf = decodeKdf(fields.object("kdf"));
  if ((type === "passphrase") !== (kdf.name === "scrypt")) throw formatError(what, `a ${type} slot with ${kdf.name}`);
  return {
    slotId: fields.sid("slotId"),
    repositoryId: fields.sid("repositoryId"),
    keyId: fields.hex("keyId", 8),
    type,
    label: fields.string("label", 200),
    createdAt: fields.string("createdAt", 40),
    kdf,
    nonce: fields.hex("nonce", 12),
    wrapped: fields.hex("wrapped", 48),
  };
}

/** AES-GCM's additional data: ties the wrapped key to its repository, slot and parameters. */
export function keySlotAdditionalData(slot: Pick<KeySlot, "repositoryId" | "slotId" | "kdf">): Uint8Array {
  const nul = new Uint8Array(1);
  return concatBytes([
    encodeText("reprise/key-slot/1"),
    nul,
    encodeText(slot.repositoryId),
    nul,
    encodeText(slot.slotId),
    nul,
    encodeCanonicalJson({ ...slot.kdf } as { [name: string]: JsonValue }),
  ]);
}

function decodeKdf(fields: Fields): Kdf {
  const name = fields.oneOf("name", ["scrypt", "hkdf-sha256"]);
  const salt = fields.hex("salt", 32);
  if (name === "hkdf-sha256") return { name, salt };
  const n = fields.integer("n", 1024, 2 ** 20);
  const r = fields.integer("r", 1, 32);
  const p = fields.integer("p", 1, 16);
  if ((n & (n - 1)) !== 0) throw formatError(fields.what, `n = ${n} is not a power of two`);
  if (128 * n * r > MAX_SCRYPT_BYTES)
    throw formatError(fields.what, "scrypt parameters need more than 1 GiB of memory");
  return { name, n, r, p, salt };
}
