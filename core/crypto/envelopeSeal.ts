// Sealing and opening envelopes: docs/format/envelope.md. The one way in and out for every object that is not a pack.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { decodeBlob, encodeBlob } from "../codec/codec.js";
import { RepriseError } from "../errors.js";
import { concatBytes, encodeText, equalBytes, formatError } from "../format/bytes.js";
import {
  decodeEnvelope,
  type EnvelopeHeader,
  type EnvelopeKind,
  encodeEnvelope,
  encodeEnvelopeHeader,
  KEY_ID_BYTES,
  nameTagOf,
  SALT_BYTES,
} from "../format/envelope.js";
import { MAX_ENVELOPE_PLAIN } from "../format/limits.js";
import { checksum64 } from "../hash/checksum.js";
import type { Keyring } from "./keyring.js";

const TAG_BYTES = 16;
const ZERO_NONCE = new Uint8Array(12);

/** Never encrypted, in no repository: they are needed to get at the key. */
const OPEN_KINDS: ReadonlySet<EnvelopeKind> = new Set(["config", "keySlot"]);
/** Ids and digests do not compress; the rest is JSON. */
const COMPRESSED_KINDS: ReadonlySet<EnvelopeKind> = new Set([
  "snapshot",
  "record",
  "quarantine",
  "gcPlan",
  "gcFinal",
  "cache",
]);

/** `keyring` null: a repository without encryption. */
export function sealEnvelope(name: string, kind: EnvelopeKind, plain: Uint8Array, keyring: Keyring | null): Uint8Array {
  const packed = COMPRESSED_KINDS.has(kind)
    ? encodeBlob(plain, { codec: "zstd", level: 3 })
    : { codec: "none", bytes: plain };
  const sealing = OPEN_KINDS.has(kind) ? null : keyring;
  const header: EnvelopeHeader = {
    kind,
    encrypted: sealing !== null,
    codec: packed.codec === "zstd" ? "zstd" : "none",
    payloadLength: packed.bytes.length + (sealing ? TAG_BYTES : 0),
    plainLength: plain.length,
    nameTag: nameTagOf(name, checksum64),
    keyId: sealing?.keyId ?? new Uint8Array(KEY_ID_BYTES),
    salt: sealing ? new Uint8Array(randomBytes(SALT_BYTES)) : new Uint8Array(SALT_BYTES),
  };
  return encodeEnvelope(
    header,
    sealing ? encryptPayload(header, name, packed.bytes, sealing) : packed.bytes,
    checksum64,
  );
}

/** The plain payload. Errors as listed in docs/format/envelope.md, each naming the object. */
export function openEnvelope(name: string, kind: EnvelopeKind, bytes: Uint8Array, keyring: Keyring | null): Uint8Array {
  const { header, payload } = decodeEnvelope(bytes, name, kind, checksum64);
  const expectSealed = keyring !== null && !OPEN_KINDS.has(kind);
  if (header.encrypted !== expectSealed) {
    throw forged(
      name,
      header.encrypted ? "is encrypted, but the repository is not" : "is not encrypted, but the repository is",
    );
  }
  const stored = expectSealed ? decryptPayload(header, name, payload, keyring) : payload;
  if (header.codec === "none") {
    if (stored.length !== header.plainLength) throw formatError(name, "plain length does not match");
    return stored;
  }
  return decompress(name, stored, header.plainLength);
}

function decompress(name: string, stored: Uint8Array, plainLength: number): Uint8Array {
  try {
    return decodeBlob(stored, "zstd", plainLength, MAX_ENVELOPE_PLAIN);
  } catch (cause) {
    throw formatError(name, "does not decompress to what it promises", { cause });
  }
}

function encryptPayload(header: EnvelopeHeader, name: string, plain: Uint8Array, keyring: Keyring): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", keyring.objectKey(header.salt), ZERO_NONCE);
  cipher.setAAD(additionalData(header, name));
  return concatBytes([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decryptPayload(header: EnvelopeHeader, name: string, payload: Uint8Array, keyring: Keyring): Uint8Array {
  if (!equalBytes(header.keyId, keyring.keyId)) {
    throw new RepriseError("key", "KEY_WRONG", `${name}: was encrypted with another repository's key`, {
      data: { object: name },
      hint: "the object was copied from another repository, or this repository's config was replaced",
    });
  }
  if (payload.length < TAG_BYTES) throw formatError(name, "payload is shorter than its tag");
  const decipher = createDecipheriv("aes-256-gcm", keyring.objectKey(header.salt), ZERO_NONCE);
  decipher.setAAD(additionalData(header, name));
  decipher.setAuthTag(payload.subarray(payload.length - TAG_BYTES));
  try {
    return concatBytes([decipher.update(payload.subarray(0, payload.length - TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw forged(name, "authentication failed although the object is undamaged", cause);
  }
}

function additionalData(header: EnvelopeHeader, name: string): Uint8Array {
  return concatBytes([encodeEnvelopeHeader(header), encodeText(name)]);
}

function forged(name: string, problem: string, cause?: unknown): RepriseError {
  return new RepriseError("corrupt", "OBJECT_FORGED", `${name}: ${problem}`, {
    data: { object: name },
    hint: "somebody without the key wrote this object; treat the repository as tampered with",
    cause,
  });
}
