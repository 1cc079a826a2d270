// Names of objects: what every backend accepts, so that no key leaves a folder and none works in one storage only.

import { RepriseError } from "../errors.js";

/** Characters of a whole key. */
export const MAX_KEY_LENGTH = 512;
/** Characters of one part: what common file systems allow for a file name. */
export const MAX_KEY_PART_LENGTH = 255;
/** First part that no key may have: backends keep unfinished objects there. */
export const RESERVED_FIRST_PART = "tmp";

const PART = /^[A-Za-z0-9_.-]+$/;

/** True for a name that can be one part of a key. */
export function isKeyPart(part: string): boolean {
  return part.length <= MAX_KEY_PART_LENGTH && PART.test(part) && part !== "." && part !== "..";
}

/** True for a name that every backend accepts. */
export function isObjectKey(key: string): boolean {
  if (key.length > MAX_KEY_LENGTH) return false;
  const parts = key.split("/");
  return parts[0] !== RESERVED_FIRST_PART && parts.every(isKeyPart);
}

/** Throws `STORAGE_KEY_INVALID` (usage) unless `key` is an object name. */
export function checkKey(key: string): void {
  if (!isObjectKey(key)) throw invalidKey(key, "is not an object name");
}

/** Throws `STORAGE_KEY_INVALID` (usage) unless `prefix` is empty or a folder path with a final `/`. */
export function checkPrefix(prefix: string): void {
  if (prefix === "") return;
  if (!prefix.endsWith("/") || !isObjectKey(prefix.slice(0, -1))) {
    throw invalidKey(prefix, "is not a folder path with a final slash");
  }
}

function invalidKey(key: string, why: string): RepriseError {
  return new RepriseError("usage", "STORAGE_KEY_INVALID", `${JSON.stringify(key.slice(0, 100))} ${why}`, {
    data: { key: key.slice(0, MAX_KEY_LENGTH) },
  });
}
