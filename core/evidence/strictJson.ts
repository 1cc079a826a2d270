// JSON in which no object has a member twice: parsers differ in which of the two they take, and so would those who rely on what
// was signed.

import { formatError } from "../format/bytes.js";
import type { JsonValue } from "../format/canonicalJson.js";

/** In text that is JSON: strings, with the colon after those that are keys, and brackets. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g;
const SHOWN_CHARS = 100;

/** FORMAT_INVALID for what is no JSON, or has a key twice in one object. */
export function parseJson(text: string, what: string): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw formatError(what, "is not JSON");
  }
  const repeated = repeatedKey(text);
  if (repeated !== null) throw formatError(what, `has the member "${repeated.slice(0, SHOWN_CHARS)}" twice`);
  return value;
}

/** Keys are compared as they read, not as they are escaped. */
function repeatedKey(text: string): string | null {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return null;
}
