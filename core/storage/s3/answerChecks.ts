// What a server's answer must have before it is used. A wrong one stays wrong however often it is asked for.

import { S3CallError } from "./s3CallError.js";

export function badAnswer(name: string, message: string): S3CallError {
  return new S3CallError({ name, status: 400, systemCode: undefined, message, requestId: undefined });
}

export function announcedLength(length: number | undefined): number {
  if (length !== undefined && Number.isSafeInteger(length) && length >= 0) return length;
  throw badAnswer("LengthMissing", "the server does not say how long its answer is");
}

/** Where the answer lies in the object. */
export function placeOf(
  contentRange: string | undefined,
  length: number,
  ranged: boolean,
): { offset: number; sizeBytes: number } {
  if (!ranged) return { offset: 0, sizeBytes: length };
  const match = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/.exec(contentRange ?? "");
  if (match === null) throw badAnswer("RangeIgnored", "the server does not say which range it sends");
  const [first, last, sizeBytes] = match.slice(1).map(Number) as [number, number, number];
  if (last - first + 1 !== length || last >= sizeBytes) throw badAnswer("RangeWrong", "the server sends another range");
  return { offset: first, sizeBytes };
}

/** What must come when a listing goes on. */
export function continuationOf<T>(isTruncated: boolean | undefined, next: T | undefined): T | undefined {
  if (!isTruncated) return undefined;
  if (next === undefined) throw badAnswer("ListingCutOff", "a part of a listing has no end");
  return next;
}

/** Keys in listings are percent-encoded, so that none of them can break the answer. */
export function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", "%20"));
  } catch {
    return encoded;
  }
}
