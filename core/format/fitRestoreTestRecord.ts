// Makes a record of a restore test fit its limits: what a guest wrote, or a spec of hundreds of checks, must not cost the record.
// Names and numbers stay; long texts lose their ends, and say so.

import { encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import {
  MAX_RECORD_NAME_CHARS,
  MAX_RECORD_TEXT_CHARS,
  MAX_RECORD_WORDS,
  MAX_TEST_RECORD_BYTES,
  type RestoreTestRecord,
} from "./restoreTestRecord.js";

/** Members that are names: cut at 300 characters. Every other text may be longer. */
const NAMES = new Set([
  ...["name", "version", "owner", "criticality", "controls", "mode", "consistency", "keyId", "executedBy"],
  ...["host", "node", "hypervisor", "accelerator", "id", "type", "mediaType", "artifacts"],
]);
/** Members that mean something else, or nothing, without their ends. */
const EXACT = new Set([
  ...[
    "schema",
    "recordId",
    "runId",
    "previous",
    "machine",
    "specDigest",
    "repositoryId",
    "snapshotId",
    "manifestDigest",
  ],
  ...["startedAt", "finishedAt", "trigger", "level", "provenLevel", "outcome", "severity", "network", "way", "sha256"],
]);
/** Longest texts, tried in turn until the whole is short enough. */
const TEXT_CHARS = [MAX_RECORD_TEXT_CHARS, 2_000, 500, 120, 40] as const;

/** The record itself when it fits. One with far more checks than a record may have stays as it is: encoding it will fail. */
export function fitRestoreTestRecord(record: RestoreTestRecord): RestoreTestRecord {
  let fitted = record as unknown as JsonValue;
  for (const textChars of TEXT_CHARS) {
    fitted = shortened(record as unknown as JsonValue, "", textChars);
    if (encodeCanonicalJson(fitted).length <= MAX_TEST_RECORD_BYTES) break;
  }
  return fitted as unknown as RestoreTestRecord;
}

function shortened(value: JsonValue, member: string, textChars: number): JsonValue {
  if (typeof value === "string")
    return EXACT.has(member) ? value : cut(value, NAMES.has(member) ? MAX_RECORD_NAME_CHARS : textChars);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) {
    const isWords = value.every((element) => typeof element === "string");
    const kept = isWords && value.length > MAX_RECORD_WORDS ? someOf(value) : value;
    return kept.map((element) => shortened(element, member, textChars));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, shortened(each as JsonValue, name, textChars)]),
  );
}

/** Without the end, which is an ellipsis then; never half of a surrogate pair. */
function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${text.slice(0, maxChars - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

function someOf(words: readonly JsonValue[]): JsonValue[] {
  const kept = words.slice(0, MAX_RECORD_WORDS - 1);
  return [...kept, `… and ${words.length - kept.length} more`];
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
