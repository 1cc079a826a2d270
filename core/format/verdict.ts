// What a keeper signs: docs/format/verdict.md. Bytes only; the signature itself is core/crypto/keeperKey.ts.

import { encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import type { Fields } from "./fields.js";
import type { Sid } from "./ids.js";

const STATEMENT = "reprise/verdict/1";
const SIGNATURE_BYTES = 64;

/** A decision that only the keeper may make in a repository with two roles. */
export interface Signable {
  /** Ed25519 over verdictStatement, 128 hex digits; absent in a repository with one role. */
  signature?: string;
}

/** The signed bytes: every member of the object but the signature, with its name and the repository it belongs to. */
export function verdictStatement(repositoryId: Sid, object: string, verdict: Signable): Uint8Array {
  const { signature: _, ...members } = verdict;
  return encodeCanonicalJson({ statement: STATEMENT, repositoryId, object, members: members as JsonValue });
}

/** For encoders: without a member when there is no signature. */
export function withoutEmptySignature<T extends Signable>(verdict: T): T {
  if (verdict.signature !== undefined) return verdict;
  const { signature: _, ...members } = verdict;
  return members as T;
}

/** For decoders. */
export function decodeSignature(fields: Fields): Signable {
  return fields.has("signature") ? { signature: fields.hex("signature", SIGNATURE_BYTES) } : {};
}
