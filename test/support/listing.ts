// Listings as arrays.

import type { Backend, ObjectInfo } from "../../core/storage/backend.js";

export async function collect(listing: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of listing) found.push(info);
  return found;
}

/** The keys below `prefix`, in the order of the listing. */
export async function listKeys(backend: Backend, prefix = ""): Promise<string[]> {
  return (await collect(backend.list(prefix))).map(({ key }) => key);
}
