// SHA-256: identity. Plain for objects and for chunks of an open repository; HMAC with the id key for the chunks of an
// encrypted one (docs/format/encryption.md), so that ids do not tell which known data a repository holds.

import { createHmac, createSecretKey, hash } from "node:crypto";

export const DIGEST_BYTES = 32;

export function sha256(bytes: Uint8Array): Uint8Array {
  return bytesOf(hash("sha256", bytes, "buffer"));
}

/** The function that names chunks: 32 bytes, freshly allocated. The key is copied. */
export function makeChunkHasher(idKey: Uint8Array | null): (bytes: Uint8Array) => Uint8Array {
  if (idKey === null) return sha256;
  const key = createSecretKey(idKey);
  return (bytes) => bytesOf(createHmac("sha256", key).update(bytes).digest());
}

/** A plain Uint8Array of its own memory: small Buffers share a pool, which must not travel to other threads. */
function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}
