// Names of directory entries: which ones no file can have, and comparison without case for the file systems of Windows,
// which fold one UTF-16 unit at a time.

import { decodeWtf8 } from "./wtf8.js";

const SLASH = 0x2f;
const DOT = 0x2e;

/** Whether a name is empty, `.`, `..`, or has `/` or NUL in it: damage, or somebody's attempt to get out of a folder. */
export function isForbiddenName(name: Uint8Array): boolean {
  const dots = name.length <= 2 && name.every((byte) => byte === DOT);
  return dots || name.includes(SLASH) || name.includes(0);
}

/** For the entry of a directory: marked when its name is forbidden. */
export function forbiddenMark(name: Uint8Array): { forbidden?: true } {
  return isForbiddenName(name) ? { forbidden: true } : {};
}

/** The upper-case form of every 16-bit unit. */
export type UpcaseTable = Uint16Array;

let unicodeUpcase: UpcaseTable | undefined;

/** One unit to one unit, as the up-case tables of exFAT and NTFS have it; for file systems that store none. */
export function defaultUpcaseTable(): UpcaseTable {
  unicodeUpcase ??= Uint16Array.from({ length: 0x10000 }, (_, unit) => {
    const upper = String.fromCharCode(unit).toUpperCase();
    return upper.length === 1 ? upper.charCodeAt(0) : unit;
  });
  return unicodeUpcase;
}

/** A string that is equal for names that differ in case only; null for bytes that are no name. */
export function foldedName(name: Uint8Array, table: UpcaseTable): string | null {
  const units = decodeWtf8(name);
  if (units === null) return null;
  let folded = "";
  for (const unit of units) folded += String.fromCharCode(table[unit] as number);
  return folded;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The entry with exactly this name, else the first that differs in case only, else null. Never a forbidden one. */
export async function findEntry<T extends { name: Uint8Array; forbidden?: true }>(
  entries: AsyncIterable<T>,
  name: Uint8Array,
  table: UpcaseTable,
): Promise<T | null> {
  const wanted = foldedName(name, table);
  if (wanted === null) return null;
  let similar: T | null = null;
  for await (const entry of entries) {
    if (entry.forbidden) continue;
    if (sameBytes(entry.name, name)) return entry;
    if (similar === null && foldedName(entry.name, table) === wanted) similar = entry;
  }
  return similar;
}
