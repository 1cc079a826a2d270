// One byte sequence per value: docs/format/README.md, "JSON". Digests and MACs are computed over these bytes.

import { decodeText, encodeText, formatError } from "./bytes.js";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const MAX_DEPTH = 16;

export function encodeCanonicalJson(value: JsonValue): Uint8Array {
  return encodeText(canonicalText(value, 0, "JSON"));
}

/** Parses, and insists that the bytes are exactly what encodeCanonicalJson would write. */
export function decodeCanonicalJson(bytes: Uint8Array, what: string): JsonValue {
  let text: string;
  let value: JsonValue;
  try {
    text = decodeText(bytes, what);
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw formatError(what, "not valid JSON", { cause });
  }
  // Strict UTF-8 has one text for its bytes and one sequence of bytes for a text: equal texts are equal bytes.
  if (canonicalText(value, 0, what) !== text) throw formatError(what, "JSON is not in canonical form");
  return value;
}

function canonicalText(value: JsonValue, depth: number, what: string): string {
  if (depth > MAX_DEPTH) throw formatError(what, `deeper than ${MAX_DEPTH} levels`);
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw formatError(what, `${value} is not a safe integer`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item, depth + 1, what)).join(",")}]`;
  const members = Object.entries(value as { [name: string]: JsonValue })
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member, depth + 1, what)}`);
  return `{${members.join(",")}}`;
}
