// Base64 as DSSE has it: the standard or the URL-safe alphabet, with or without padding, and one text for each sequence of bytes
// in each of them.

import { formatError } from "../format/bytes.js";

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** FORMAT_INVALID for characters outside one alphabet, and for bits after the end. */
export function decodeBase64(text: string, what: string): Uint8Array {
  const isStandard = /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  if (!isStandard && !/^[A-Za-z0-9_-]*={0,2}$/.test(text)) throw formatError(what, "is not base64");
  const digits = text.replace(/=+$/, "");
  const bytes = Buffer.from(digits, isStandard ? "base64" : "base64url");
  const again = isStandard ? encodeBase64(bytes).replace(/=+$/, "") : bytes.toString("base64url");
  const isPadded = text.length !== digits.length;
  if (again !== digits || (isPadded && text.length % 4 !== 0)) throw formatError(what, "is not base64");
  return new Uint8Array(bytes);
}
