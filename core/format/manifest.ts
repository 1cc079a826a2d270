// Snapshot manifests, VOID decisions and forgotten objects: docs/format/manifest.md.

import { formatError } from "./bytes.js";
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import { type BlobIdHex, isSafeId, isSid, type Sid } from "./ids.js";
import { MAX_ARCHIVES, MAX_IMAGE_BYTES, MAX_NOTES_LENGTH, MAX_TAGS } from "./limits.js";
import { decodeSignature, type Signable, withoutEmptySignature } from "./verdict.js";

export const GROUP_TYPES = ["vm", "ct", "host"] as const;
export const BACKUP_MODES = ["offline", "snapshot", "suspend", "stop", "stream", "live"] as const;
export const ARCHIVE_KINDS = ["image", "file", "tree"] as const;
export const CONSISTENCY_LEVELS = ["unknown", "crash", "filesystem", "application"] as const;
const MAX_NAMESPACE_DEPTH = 8;

export interface Archive {
  name: string;
  kind: (typeof ARCHIVE_KINDS)[number];
  /** Tree: of the contents of all files in it. */
  sizeBytes: number;
  /** Image: id of its map root. File: id of its one blob. Tree: id of its root node. */
  root: BlobIdHex;
  /** Format of the source, for people: "raw", "qcow2", "stream", "file", "folder". */
  format: string;
  /** Ranges that a repair filled with zeros: [offset, length]. */
  lost: readonly (readonly [number, number])[];
}

export interface SnapshotStatistics {
  bytesRead: number;
  bytesNew: number;
  bytesStored: number;
  chunksTotal: number;
  chunksNew: number;
  durationMs: number;
}

export interface Manifest {
  type: "snapshot";
  sid: Sid;
  namespace: string;
  group: string;
  time: string;
  finishedAt: string;
  host: string;
  tool: { name: string; version: string };
  mode: (typeof BACKUP_MODES)[number];
  consistency: (typeof CONSISTENCY_LEVELS)[number];
  archives: readonly Archive[];
  notes: string;
  tags: readonly string[];
  protected: boolean;
  statistics: SnapshotStatistics;
  /** As the repository where it was repaired named it; a copy keeps it. */
  repairedFrom: Sid | null;
  /** Null: made in this repository. */
  origin: SnapshotOrigin | null;
}

/** Which snapshot a copy is a copy of: the first one ever, also when a copy was copied. */
export interface SnapshotOrigin {
  repositoryId: Sid;
  snapshot: Sid;
  /** SHA-256 of the original's manifest, hex. */
  digest: string;
}

export interface VoidDecision {
  type: "void";
  sid: Sid;
  at: string;
  by: string;
  reason: string;
}

export interface Forgotten extends Signable {
  sid: Sid;
  at: string;
  by: string;
  reason: string;
}

export function encodeManifest(decision: Manifest | VoidDecision): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...decision } as unknown as JsonValue);
}

export function decodeManifest(bytes: Uint8Array, what: string): Manifest | VoidDecision {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  if (fields.oneOf("type", ["snapshot", "void"]) === "void") {
    return { type: "void", sid: fields.sid("sid"), at: fields.string("at", 40), ...decodeReason(fields) };
  }
  return decodeSnapshot(fields);
}

export function encodeForgotten(forgotten: Forgotten): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...withoutEmptySignature(forgotten) } as unknown as JsonValue);
}

export function decodeForgotten(bytes: Uint8Array, what: string): Forgotten {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  return { sid: fields.sid("sid"), at: fields.string("at", 40), ...decodeReason(fields), ...decodeSignature(fields) };
}

/** A machine's name: `vm/web1`, or `prod:vm/web1` with its namespace. */
export function qualifiedGroup(namespace: string, group: string): string {
  return namespace === "" ? group : `${namespace}:${group}`;
}

/** True for `vm/web1`, `ct/101`, `host/db`. */
export function isGroup(text: string): boolean {
  const parts = text.split("/");
  return parts.length === 2 && (GROUP_TYPES as readonly string[]).includes(parts[0] ?? "") && isSafeId(parts[1] ?? "");
}

/** True for the root (empty) and for up to eight safe ids joined by `/`. */
export function isNamespace(text: string): boolean {
  if (text === "") return true;
  const parts = text.split("/");
  return parts.length <= MAX_NAMESPACE_DEPTH && parts.every(isSafeId);
}

function decodeReason(fields: Fields): { by: string; reason: string } {
  return { by: fields.string("by", 300), reason: fields.string("reason", 1000) };
}

function decodeSnapshot(fields: Fields): Manifest {
  const namespace = fields.string("namespace", 1100);
  const group = fields.string("group", 140);
  if (!isNamespace(namespace)) throw formatError(fields.what, "namespace has the wrong form");
  if (!isGroup(group)) throw formatError(fields.what, "group has the wrong form");
  const tool = fields.object("tool");
  const archives = fields
    .array("archives", MAX_ARCHIVES)
    .map((value) => decodeArchive(new Fields(value, `${fields.what} archive`)));
  if (new Set(archives.map((archive) => archive.name)).size !== archives.length) {
    throw formatError(fields.what, "two archives have the same name");
  }
  return {
    type: "snapshot",
    sid: fields.sid("sid"),
    namespace,
    group,
    time: fields.time("time"),
    finishedAt: fields.time("finishedAt"),
    host: fields.string("host", 300),
    tool: { name: tool.string("name", 100), version: tool.string("version", 100) },
    mode: fields.oneOf("mode", BACKUP_MODES),
    consistency: fields.oneOf("consistency", CONSISTENCY_LEVELS),
    archives,
    notes: fields.string("notes", MAX_NOTES_LENGTH),
    tags: fields.strings("tags", MAX_TAGS, 128),
    protected: fields.boolean("protected"),
    statistics: decodeStatistics(fields.object("statistics")),
    repairedFrom: decodeOptionalSid(fields, "repairedFrom"),
    origin: fields.raw("origin") === null ? null : decodeOrigin(fields.object("origin")),
  };
}

function decodeOrigin(fields: Fields): SnapshotOrigin {
  return {
    repositoryId: fields.sid("repositoryId"),
    snapshot: fields.sid("snapshot"),
    digest: fields.hex("digest", 32),
  };
}

function decodeArchive(fields: Fields): Archive {
  const name = fields.string("name", 128);
  if (!isSafeId(name)) throw formatError(fields.what, "name has the wrong form");
  const kind = fields.oneOf("kind", ARCHIVE_KINDS);
  const sizeBytes = fields.integer("sizeBytes", 0, kind === "tree" ? Number.MAX_SAFE_INTEGER : MAX_IMAGE_BYTES);
  const lost = fields.array("lost", 100_000).map((pair): [number, number] => {
    const [offset, length, ...more] = Array.isArray(pair) ? (pair as readonly JsonValue[]) : [];
    if (more.length > 0 || !isCount(offset) || !isCount(length) || offset + length > sizeBytes) {
      throw formatError(fields.what, "a lost range does not lie inside the image");
    }
    return [offset, length];
  });
  return {
    name,
    kind,
    sizeBytes,
    root: fields.hex("root", 32) as BlobIdHex,
    format: fields.string("format", 40),
    lost,
  };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function decodeStatistics(fields: Fields): SnapshotStatistics {
  const count = (name: string) => fields.integer(name, 0, Number.MAX_SAFE_INTEGER);
  return {
    bytesRead: count("bytesRead"),
    bytesNew: count("bytesNew"),
    bytesStored: count("bytesStored"),
    chunksTotal: count("chunksTotal"),
    chunksNew: count("chunksNew"),
    durationMs: count("durationMs"),
  };
}

function decodeOptionalSid(fields: Fields, name: string): Sid | null {
  const value = fields.nullableString(name, 32);
  if (value !== null && !isSid(value)) throw formatError(fields.what, `member "${name}" is not an id`);
  return value;
}
