// Upper bounds of stored structures, from docs/format. A decoder compares with these before it takes memory.

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Plain bytes of one blob (chunk, map page, root, file). */
export const MAX_BLOB_PLAIN = 4 * MIB;
/** Stored bytes of one blob: codecs may add a little, GCM adds 16. */
export const MAX_BLOB_STORED = MAX_BLOB_PLAIN + 64 * KIB;
/** Size of a pack object. A writer closes a pack at `packBytes`, so one blob and the trailer may come on top. */
export const MAX_PACK_BYTES = 256 * MIB;
export const MIN_PACK_TARGET = 1 * MIB;
export const MAX_PACK_TARGET = 64 * MIB;
export const MAX_BLOBS_PER_PACK = 1_048_576;
export const MAX_PACKS_PER_INDEX = 65_536;
export const MAX_ENVELOPE_PAYLOAD = 68 * MIB;
export const MAX_ENVELOPE_PLAIN = 64 * MIB;
/** Config, key slots and announcements are read before anything can be trusted. */
export const MAX_SMALL_PLAIN = 1 * MIB;
export const MAX_IMAGE_BYTES = 2 ** 46;
export const MAX_PAGES = 65_536;
export const MAX_PAGE_ENTRIES = 1_048_576;
export const MAX_ARCHIVES = 256;
export const MAX_RECORD_SNAPSHOTS = 100_000;
export const MAX_NOTES_LENGTH = 100_000;
export const MAX_TAGS = 1_000;
export const MAX_PLAN_PACKS = 1_000_000;
export const MAX_QUARANTINED = 1_000_000;
