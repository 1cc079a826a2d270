// The wrapper of every stored object that is not a pack: docs/format/envelope.md. Bytes only; sealing and opening the
// payload is core/crypto/envelopeSeal.ts.

import { RepriseError } from "../errors.js";
import {
  ByteReader,
  ByteWriter,
  type Checksum64,
  concatBytes,
  encodeText,
  formatError,
  unsupportedVersion,
} from "./bytes.js";
import { MAX_ENVELOPE_PAYLOAD, MAX_ENVELOPE_PLAIN, MAX_SMALL_PLAIN } from "./limits.js";

const MAGIC = encodeText("RPRSOBJ1");
const VERSION = 1;
const FLAG_ENCRYPTED = 1;

export const ENVELOPE_HEADER_BYTES = 64;
/** What AES-GCM authenticates: everything before the checksum. */
export const ENVELOPE_AUTHENTICATED_BYTES = 56;
export const KEY_ID_BYTES = 8;
export const SALT_BYTES = 24;

export const ENVELOPE_KINDS = {
  config: 1,
  keySlot: 2,
  session: 3,
  packIndex: 4,
  snapshot: 5,
  record: 6,
  gcPlan: 7,
  gcFinal: 8,
  forgotten: 9,
  quarantine: 10,
  /** Never in a repository: files of the local cache. */
  cache: 11,
} as const;

export type EnvelopeKind = keyof typeof ENVELOPE_KINDS;

export interface EnvelopeHeader {
  kind: EnvelopeKind;
  encrypted: boolean;
  codec: "none" | "zstd";
  payloadLength: number;
  plainLength: number;
  nameTag: number;
  keyId: Uint8Array;
  salt: Uint8Array;
}

/** Low 32 bits of the checksum of an object's name: tells a swapped object from a damaged one. */
export function nameTagOf(name: string, checksum: Checksum64): number {
  return Number(checksum(encodeText(name)) & 0xffff_ffffn);
}

/** The 56 bytes in front of the checksum; also AES-GCM's additional data (with the name behind). */
export function encodeEnvelopeHeader(header: EnvelopeHeader): Uint8Array {
  const writer = new ByteWriter(ENVELOPE_AUTHENTICATED_BYTES);
  writer.put(MAGIC);
  writer.u8(VERSION);
  writer.u8(ENVELOPE_KINDS[header.kind]);
  writer.u8(header.encrypted ? FLAG_ENCRYPTED : 0);
  writer.u8(header.codec === "zstd" ? 1 : 0);
  writer.u32(header.payloadLength);
  writer.u32(header.plainLength);
  writer.u32(header.nameTag);
  writer.put(header.keyId);
  writer.put(header.salt);
  return writer.finish();
}

export function encodeEnvelope(header: EnvelopeHeader, payload: Uint8Array, checksum: Checksum64): Uint8Array {
  const covered = concatBytes([encodeEnvelopeHeader(header), payload]);
  const sum = new ByteWriter(8);
  sum.u64(checksum(covered));
  return concatBytes([covered.subarray(0, ENVELOPE_AUTHENTICATED_BYTES), sum.finish(), payload]);
}

/**
 * Splits an object into header and payload (a view). Checks, in this order: magic, version, lengths, checksum
 * (OBJECT_DAMAGED), name (OBJECT_SWAPPED), kind.
 */
export function decodeEnvelope(
  bytes: Uint8Array,
  name: string,
  expected: EnvelopeKind,
  checksum: Checksum64,
): { header: EnvelopeHeader; payload: Uint8Array } {
  if (bytes.length < ENVELOPE_HEADER_BYTES) throw damaged(name, `only ${bytes.length} bytes`);
  const reader = new ByteReader(bytes, name);
  reader.expectMagic(MAGIC);
  const version = reader.u8();
  if (version !== VERSION) throw unsupportedVersion(name, version);
  const kindNumber = reader.u8();
  const flags = reader.u8();
  const codecNumber = reader.u8();
  const payloadLength = reader.u32();
  const plainLength = reader.u32();
  const nameTag = reader.u32();
  const keyId = reader.bytes(KEY_ID_BYTES).slice();
  const salt = reader.bytes(SALT_BYTES).slice();
  const storedSum = reader.u64();
  if (payloadLength !== reader.remaining) {
    throw damaged(name, `payload should have ${payloadLength} bytes, has ${reader.remaining}`);
  }
  const payload = reader.bytes(payloadLength);
  const actualSum = checksum(concatBytes([bytes.subarray(0, ENVELOPE_AUTHENTICATED_BYTES), payload]));
  if (storedSum !== actualSum) throw damaged(name, "checksum does not match");
  if (nameTag !== nameTagOf(name, checksum)) {
    throw new RepriseError("corrupt", "OBJECT_SWAPPED", `${name}: the contents belong to another object's name`, {
      data: { object: name },
      hint: "somebody copied or renamed objects in the repository; restore this one from a copy of the storage",
    });
  }
  const kind = kindOf(kindNumber);
  if (kind !== expected) throw formatError(name, `holds a ${kind ?? `kind ${kindNumber}`} object, not ${expected}`);
  if (flags > FLAG_ENCRYPTED || codecNumber > 1)
    throw unsupportedVersion(`${name} (flags or codec)`, flags * 256 + codecNumber);
  checkLengths(name, expected, payloadLength, plainLength);
  const header: EnvelopeHeader = {
    kind,
    encrypted: (flags & FLAG_ENCRYPTED) !== 0,
    codec: codecNumber === 1 ? "zstd" : "none",
    payloadLength,
    plainLength,
    nameTag,
    keyId,
    salt,
  };
  return { header, payload };
}

function kindOf(value: number): EnvelopeKind | undefined {
  return (Object.keys(ENVELOPE_KINDS) as EnvelopeKind[]).find((kind) => ENVELOPE_KINDS[kind] === value);
}

function checkLengths(name: string, kind: EnvelopeKind, payloadLength: number, plainLength: number): void {
  const small = kind === "config" || kind === "keySlot" || kind === "session";
  const maxPlain = small ? MAX_SMALL_PLAIN : MAX_ENVELOPE_PLAIN;
  if (payloadLength > MAX_ENVELOPE_PAYLOAD || plainLength > maxPlain) {
    throw formatError(name, `lengths ${payloadLength} and ${plainLength} are above the limit`);
  }
}

function damaged(name: string, problem: string): RepriseError {
  return new RepriseError("corrupt", "OBJECT_DAMAGED", `${name}: damaged, ${problem}`, {
    data: { object: name },
    hint: "run verify to see what it affects; repair rebuilds what can be derived",
  });
}
