// A blob whose own header is destroyed: the pack's table of contents says the same about it, and its digest proves the
// rest. docs/format/pack.md, "Why so".

import { isAbort, isOurError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { objectName, type PackName } from "../format/ids.js";
import { BLOB_HEADER_BYTES, decodeBlobEntries } from "../format/pack.js";
import type { ObjectReader } from "../storage/backend.js";
import { type BlobOpener, isHeaderDamage, readPackContents } from "./packReader.js";

export interface StoredAt {
  id: Uint8Array;
  /** Of the blob header, from the start of the pack. */
  offset: number;
  storedLength: number;
}

/**
 * The plain bytes of the blob whose header starts at `at` in `bytes`, although `error` says that opening it failed. Throws
 * that very error when its header is not what is wrong, or when the table of contents does not help either.
 */
export async function openByContents(
  backend: ObjectReader,
  opener: BlobOpener,
  pack: PackName,
  bytes: Uint8Array,
  at: number,
  wanted: StoredAt,
  error: unknown,
  { into, signal }: { into?: Uint8Array; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  if (!isHeaderDamage(error)) throw error;
  try {
    const key = objectName.pack(pack);
    const { sizeBytes } = await backend.stat(key, { signal });
    const contents = await readPackContents(backend, pack, sizeBytes, { signal });
    const entries = decodeBlobEntries(contents.entries, contents.blobCount, key);
    const ordinal = entries.findIndex(({ offset, id }) => offset === wanted.offset && equalBytes(id, wanted.id));
    const entry = entries[ordinal];
    if (entry === undefined) throw error;
    const start = at + BLOB_HEADER_BYTES;
    return opener.openEntry(pack, entry, ordinal, bytes.subarray(start, start + entry.storedLength), into);
  } catch (second) {
    if (isAbort(second) || !isOurError(second)) throw second;
    throw error;
  }
}
