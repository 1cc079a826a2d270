// A listing from its pages: the repository's own names, in order, or an error. Whatever else lies in the bucket is left out.

import { RepriseError } from "../../errors.js";
import type { ObjectInfo, ObjectVersion, OperationOptions } from "../backend.js";
import { checkPrefix, isObjectKey } from "../objectKey.js";
import type { S3Page } from "./objectRequests.js";

/**
 * Every object below `prefix` of the repository that lies below `root` of the bucket. S3 orders by UTF-8 bytes, which for the
 * characters of our names is the order of code units. A server that answers otherwise is refused: what comes late could
 * be taken for missing.
 */
export async function* listS3(
  root: string,
  prefix: string,
  { signal }: OperationOptions,
  readPage: (token: string | undefined) => Promise<S3Page>,
): AsyncIterable<ObjectInfo> {
  checkPrefix(prefix);
  signal?.throwIfAborted();
  let token: string | undefined;
  let last = "";
  do {
    const page: S3Page = await readPage(token);
    for (const { key: fullKey, sizeBytes, modifiedAtMs } of page.objects) {
      signal?.throwIfAborted();
      if (fullKey <= last || !fullKey.startsWith(root + prefix)) throw outOfOrder(prefix);
      last = fullKey;
      const key = fullKey.slice(root.length);
      if (!isObjectKey(key)) continue;
      if (!Number.isSafeInteger(sizeBytes) || !Number.isSafeInteger(modifiedAtMs)) throw outOfOrder(prefix);
      yield { key, sizeBytes, modifiedAtMs: wholeSeconds(modifiedAtMs) };
    }
    if (page.next !== undefined && page.next === token) throw outOfOrder(prefix);
    token = page.next;
  } while (token !== undefined);
}

/** The same of the versions that count; `firsts` has the bucket's keys. */
export async function* firstsOfS3(
  root: string,
  prefix: string,
  { signal }: OperationOptions,
  firsts: AsyncIterable<ObjectVersion>,
): AsyncIterable<ObjectInfo> {
  let last = "";
  for await (const { key: fullKey, sizeBytes, modifiedAtMs } of firsts) {
    signal?.throwIfAborted();
    if (fullKey <= last || !fullKey.startsWith(root + prefix)) throw outOfOrder(prefix);
    last = fullKey;
    const key = fullKey.slice(root.length);
    if (!isObjectKey(key)) continue;
    if (!Number.isSafeInteger(sizeBytes) || !Number.isSafeInteger(modifiedAtMs)) throw outOfOrder(prefix);
    yield { key, sizeBytes, modifiedAtMs: wholeSeconds(modifiedAtMs) };
  }
}

/** Listings have milliseconds, answers about single objects have not: one clock for both. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function outOfOrder(prefix: string): RepriseError {
  const message = `list of ${prefix === "" ? "everything" : prefix}: the storage's listing is not in order`;
  return new RepriseError("backend", "STORAGE_FAILED", message, {
    data: { operation: "list", key: prefix },
    hint: "an S3 directory bucket, or a storage that does not list as S3 does, cannot hold a repository",
  });
}
