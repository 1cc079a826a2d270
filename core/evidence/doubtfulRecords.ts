// Records of a repository that nobody can read or understand, damaged or of a later format: any of them may say that a backup is damaged or
// that a test failed. Which of them concern a machine. Pure.

export interface UnreadableRecord {
  /** Ids of the snapshots that it speaks of; null: not even that is known. */
  readonly snapshots: readonly string[] | null;
}

/** Those that may speak of one of the snapshots. */
export function doubtfulRecords<Found extends UnreadableRecord>(
  unreadable: readonly Found[],
  sids: Iterable<string>,
): Found[] {
  if (unreadable.length === 0) return [];
  const known = new Set(sids);
  return unreadable.filter(({ snapshots }) => snapshots === null || snapshots.some((sid) => known.has(sid)));
}
