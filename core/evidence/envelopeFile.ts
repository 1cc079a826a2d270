// Files of envelopes: one in one JSON document, or several as JSON Lines (`*.intoto.jsonl`).

import { decodeText, formatError } from "../format/bytes.js";
import { MAX_ENVELOPE_CHARS } from "./dsse.js";

export const MAX_EVIDENCE_FILE_BYTES = 64 * 1024 * 1024;
const MAX_ENVELOPES = 5_000;

/** One text for each envelope, not looked into. FORMAT_INVALID for what is no text, empty or too much. */
export function splitEnvelopes(bytes: Uint8Array, what: string): string[] {
  if (bytes.length > MAX_EVIDENCE_FILE_BYTES) throw formatError(what, `has more than ${MAX_EVIDENCE_FILE_BYTES} bytes`);
  const text = decodeText(bytes, what).trim();
  if (text === "") throw formatError(what, "is empty");
  if (isOneDocument(text)) return [text];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > MAX_ENVELOPES) throw formatError(what, `has more than ${MAX_ENVELOPES} envelopes`);
  return lines;
}

function isOneDocument(text: string): boolean {
  if (text.length > MAX_ENVELOPE_CHARS) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
