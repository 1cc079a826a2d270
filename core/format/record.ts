// Records and quarantine: docs/format/record.md.

import { formatError } from "./bytes.js";
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import { isPackName, isSid, type PackName, type Sid } from "./ids.js";
import { decodeJobRecord, type JobRecordData } from "./jobRecord.js";
import { KIB, MAX_NOTES_LENGTH, MAX_QUARANTINED, MAX_RECORD_SNAPSHOTS, MAX_TAGS } from "./limits.js";
import { MAX_TEST_RECORD_BYTES } from "./restoreTestRecord.js";
import { decodeSignature, type Signable, withoutEmptySignature } from "./verdict.js";

export interface DamagedRange {
  snapshot: Sid;
  archive: string;
  offset: number;
  length: number;
}

export type RecordBody =
  | { type: "notes"; data: { text: string } }
  | { type: "tags"; data: { tags: readonly string[] } }
  | { type: "protection"; data: { protected: boolean } }
  | {
      type: "verification";
      data: { level: "structure" | "data"; result: "ok" | "damaged"; damaged: readonly DamagedRange[] };
    }
  /**
   * `record`: what restoreTestRecord.ts decodes, kept as it was written, because digests are made of it. `envelopes`: signed
   * statements over the snapshot's manifest, each one DSSE envelope as JSON.
   */
  | { type: "restoreTest"; data: { record: JsonValue; envelopes: readonly string[] } }
  /** A job of reprise.yml has ended. It speaks of no snapshot: `snapshots` is empty. */
  | { type: "job"; data: JobRecordData }
  /** Written by a later release: kept, shown to nobody. `name` is its type. */
  | { type: "unknown"; name: string; data: JsonValue };

export type RepositoryRecord = {
  rid: Sid;
  snapshots: readonly Sid[];
  sequence: number;
  at: string;
  by: string;
  /** Null: written in this repository. Else which record of which repository was copied first. */
  origin: RecordOrigin | null;
} & Signable &
  RecordBody;

export interface RecordOrigin {
  repositoryId: Sid;
  rid: Sid;
}

export interface QuarantinedBlob {
  pack: PackName;
  /** 64 hex digits. */
  id: string;
}

export interface Quarantine {
  rid: Sid;
  at: string;
  by: string;
  blobs: readonly QuarantinedBlob[];
}

/** How many damaged ranges a verification record lists; the full list is in the command's output. */
export const MAX_DAMAGED_RANGES = 1000;
/** Signed statements of one restore test, and the characters of one of them. */
export const MAX_TEST_ENVELOPES = 16;
export const MAX_TEST_ENVELOPE_CHARS = 512 * KIB;

export function encodeRecord(decoded: RepositoryRecord): Uint8Array {
  const record = storedForm(decoded);
  return encodeCanonicalJson({ version: 1, ...withoutEmptySignature(record) } as unknown as JsonValue);
}

/** A record of a type that this release does not know is written under the name it came with. */
function storedForm(record: RepositoryRecord): RepositoryRecord {
  if (record.type !== "unknown") return record;
  const { name, ...rest } = record;
  return { ...rest, type: name } as unknown as RepositoryRecord;
}

export function decodeRecord(bytes: Uint8Array, what: string): RepositoryRecord {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  const snapshots = fields.strings("snapshots", MAX_RECORD_SNAPSHOTS, 32);
  if (!snapshots.every(isSid)) throw formatError(what, "a snapshot id has the wrong form");
  return {
    rid: fields.sid("rid"),
    snapshots: snapshots as Sid[],
    sequence: fields.integer("sequence", 0, Number.MAX_SAFE_INTEGER),
    at: fields.string("at", 40),
    by: fields.string("by", 300),
    origin: fields.raw("origin") === null ? null : decodeOrigin(fields.object("origin")),
    ...decodeBody(fields),
    ...decodeSignature(fields),
  };
}

export function encodeQuarantine(quarantine: Quarantine): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...quarantine } as unknown as JsonValue);
}

export function decodeQuarantine(bytes: Uint8Array, what: string): Quarantine {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  const blobs = fields.array("blobs", MAX_QUARANTINED).map((value): QuarantinedBlob => {
    const blob = new Fields(value, `${what} blob`);
    const pack = blob.string("pack", 41);
    if (!isPackName(pack)) throw formatError(what, "a pack name has the wrong form");
    return { pack, id: blob.hex("id", 32) };
  });
  return { rid: fields.sid("rid"), at: fields.string("at", 40), by: fields.string("by", 300), blobs };
}

function decodeBody(fields: Fields): RecordBody {
  const type = fields.string("type", 40);
  if (type === "notes") return { type, data: { text: fields.object("data").string("text", MAX_NOTES_LENGTH) } };
  if (type === "tags") return { type, data: { tags: fields.object("data").strings("tags", MAX_TAGS, 128) } };
  if (type === "protection") return { type, data: { protected: fields.object("data").boolean("protected") } };
  if (type === "verification") return { type, data: decodeVerification(fields.object("data")) };
  if (type === "restoreTest") return { type, data: decodeRestoreTest(fields.object("data")) };
  if (type === "job") return { type, data: decodeJobRecord(fields.object("data")) };
  return { type: "unknown", name: type, data: fields.raw("data") };
}

function decodeOrigin(fields: Fields): RecordOrigin {
  return { repositoryId: fields.sid("repositoryId"), rid: fields.sid("rid") };
}

function decodeVerification(fields: Fields): (RecordBody & { type: "verification" })["data"] {
  const damaged = fields.array("damaged", MAX_DAMAGED_RANGES).map((value): DamagedRange => {
    const range = new Fields(value, `${fields.what} damaged`);
    return {
      snapshot: range.sid("snapshot"),
      archive: range.string("archive", 128),
      offset: range.integer("offset", 0, Number.MAX_SAFE_INTEGER),
      length: range.integer("length", 0, Number.MAX_SAFE_INTEGER),
    };
  });
  return {
    level: fields.oneOf("level", ["structure", "data"]),
    result: fields.oneOf("result", ["ok", "damaged"]),
    damaged,
  };
}

/** The record inside is another structure with versions of its own; its readers decode it. */
function decodeRestoreTest(fields: Fields): (RecordBody & { type: "restoreTest" })["data"] {
  const record = fields.raw("record");
  const { length } = encodeCanonicalJson(record);
  if (length > MAX_TEST_RECORD_BYTES)
    throw formatError(fields.what, `the record has ${length} bytes, more than ${MAX_TEST_RECORD_BYTES}`);
  return { record, envelopes: fields.strings("envelopes", MAX_TEST_ENVELOPES, MAX_TEST_ENVELOPE_CHARS) };
}
