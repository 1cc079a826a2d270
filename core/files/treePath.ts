// Paths in the uniform tree: `/<disk>/<volume>/path…`, names as bytes. As text, bytes that are not UTF-8 and characters
// that a terminal would obey are written `\xNN`, a backslash as `\\`.

import { RepriseError } from "../errors.js";

export type TreePath = readonly Uint8Array[];

const MAX_DEPTH = 4096;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Controls, line and paragraph separators, and what is invisible or reorders text: all that would be escaped in output. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu;

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

/** A name as text that is safe to print and that parseTreePath reads back. */
export function formatName(name: Uint8Array): string {
  try {
    return strictDecoder.decode(name).replace(UNSAFE, (char) => escapeBytes(encoder.encode(char)));
  } catch {
    return Array.from(name, (byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH ? String.fromCharCode(byte) : escapeBytes([byte]),
    ).join("");
  }
}

function escapeBytes(bytes: Iterable<number>): string {
  const list = [...bytes];
  if (list.length === 1 && list[0] === BACKSLASH) return "\\\\";
  return list.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
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
