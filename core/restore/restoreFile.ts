// A machine configuration file out of a snapshot: one blob, read as a whole.

import { hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { BlobReader } from "../repository/blobReader.js";
import { FreshPresence } from "../repository/freshPresence.js";
import type { Presence, PresenceOptions } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";

/** The bytes (at most 4 MiB) of an archive of kind `file`; looks again when a collection has moved its pack meanwhile. */
export async function restoreFile(
  repository: Repository,
  presence: Presence,
  archive: Archive,
  options: PresenceOptions,
): Promise<Uint8Array> {
  const fresh = new FreshPresence(repository, presence, options);
  const blobs = new BlobReader(repository, presence.index, fresh.indexAfter);
  return await blobs.read(hexToBytes(archive.root, BLOB_ID_BYTES, `file ${archive.name}`), options);
}
