// Encrypting the payloads of one pack: docs/format/pack.md. The key is the pack's own, the nonce is the blob's ordinal.

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { additionalDataFor, type BlobHeader } from "../format/pack.js";
import type { Keyring } from "./keyring.js";

export const BLOB_TAG_BYTES = 16;

export class BlobCipher {
  readonly #key: KeyObject;

  constructor(keyring: Keyring, salt: Uint8Array) {
    this.#key = createSecretKey(keyring.packKey(salt));
  }

  /** Writes ciphertext and tag into `target` at `offset`; returns their length (plain + 16). */
  encryptInto(target: Uint8Array, offset: number, plain: Uint8Array, header: Omit<BlobHeader, "checksum">): number {
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(header.ordinal));
    cipher.setAAD(additionalDataFor(header));
    const body = cipher.update(plain);
    cipher.final();
    target.set(body, offset);
    target.set(cipher.getAuthTag(), offset + body.length);
    return body.length + BLOB_TAG_BYTES;
  }

  /** The codec's bytes, or null when the tag does not hold. */
  decrypt(stored: Uint8Array, header: Omit<BlobHeader, "checksum">): Uint8Array | null {
    if (stored.length < BLOB_TAG_BYTES) return null;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonceOf(header.ordinal));
    decipher.setAAD(additionalDataFor(header));
    decipher.setAuthTag(stored.subarray(stored.length - BLOB_TAG_BYTES));
    try {
      const plain = decipher.update(stored.subarray(0, stored.length - BLOB_TAG_BYTES));
      decipher.final();
      // Not a Buffer: its slice is no copy.
      return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
    } catch {
      return null;
    }
  }
}

function nonceOf(ordinal: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(0, ordinal, true);
  return nonce;
}
