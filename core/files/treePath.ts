// Paths in the uniform tree: `/<disk>/<volume>/path…`, names as bytes. As text, bytes that are not UTF-8 and characters
// that a terminal would obey are written `\xNN`, a backslash as `\\`.

import { RepriseError } from "../errors.js";
import { formatName } from "../filesystem/nameText.js";

export type TreePath = readonly Uint8Array[];

const MAX_DEPTH = 4096;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const encoder = new TextEncoder();

/** `.` is left out, `..` goes up and not above the root. Trailing and double slashes do not matter. */
export function parseTreePath(text: string): TreePath {
  const names: Uint8Array[] = [];
  for (const part of splitAtSlashes(decodeEscapes(text))) {
    if (part.length === 0 || isText(part, ".")) continue;
    if (isText(part, "..")) names.pop();
    else names.push(part);
    if (names.length > MAX_DEPTH) throw new RepriseError("usage", "FILE_PATH_INVALID", "the path is too deep");
  }
  return names;
}

/** With a slash in front of each name; `/` for the root. */
export function formatTreePath(path: TreePath): string {
  return path.length === 0 ? "/" : path.map((name) => `/${formatName(name)}`).join("");
}

function decodeEscapes(text: string): Uint8Array {
  const parts: number[] = [];
  const pattern = /\\x([0-9a-fA-F]{2})|\\\\|[^\\]+|\\/gy;
  for (const [part, hex] of text.matchAll(pattern)) {
    if (hex !== undefined) parts.push(Number.parseInt(hex, 16));
    else if (part === "\\\\") parts.push(BACKSLASH);
    else for (const byte of encoder.encode(part)) parts.push(byte);
  }
  return Uint8Array.from(parts);
}

function splitAtSlashes(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== SLASH) continue;
    parts.push(bytes.subarray(start, at));
    start = at + 1;
  }
  return parts;
}

function isText(bytes: Uint8Array, text: string): boolean {
  return bytes.length === text.length && [...text].every((char, i) => char.charCodeAt(0) === bytes[i]);
}
