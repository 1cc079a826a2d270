// The one place that says which names are put more than once. Where a storage keeps versions, the last one counts for these, and
// the first one for all others: docs/protocol.md, "Versioned buckets".

/** Folders and names. Everything else is written once, and replaced by repairs only. */
const PUT_AGAIN = ["sessions/", "config.copy", "RESCUE.md", "rescue.mjs"];

/** True for such a name, and for a prefix below which all names are. */
export function isPutAgain(keyOrPrefix: string): boolean {
  return PUT_AGAIN.some((name) => (name.endsWith("/") ? keyOrPrefix.startsWith(name) : keyOrPrefix === name));
}
