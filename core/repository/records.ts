// What was learned about snapshots later: notes, tags, protection, verification. docs/format/record.md.

import { RepriseError } from "../errors.js";
import { objectName, type Sid } from "../format/ids.js";
import { MAX_RECORD_SNAPSHOTS } from "../format/limits.js";
import { encodeRecord, type RecordBody, type RepositoryRecord } from "../format/record.js";
import type { Repository } from "./repository.js";
import { checkVerdict, signVerdict } from "./verdicts.js";

/**
 * Writes a record about the snapshots (a job record is about none); `known` are the records read before, they give the sequence number. Taking protection
 * away is the keeper's: KEEPER_KEY_REQUIRED.
 */
export async function writeRecord(
  repository: Repository,
  body: RecordBody,
  snapshots: readonly Sid[],
  known: readonly RepositoryRecord[],
  options: { signal?: AbortSignal; copyOf?: Pick<RepositoryRecord, "at" | "by" | "origin"> } = {},
): Promise<RepositoryRecord> {
  const speaksOfNone = body.type === "job";
  if ((snapshots.length === 0) !== speaksOfNone || snapshots.length > MAX_RECORD_SNAPSHOTS) {
    throw new RepriseError("usage", "RECORD_SNAPSHOTS", `a record cannot speak of ${snapshots.length} snapshots`);
  }
  const about = new Set(snapshots);
  const before = known.filter(
    (record) => typeName(record) === typeName(body) && record.snapshots.some((sid) => about.has(sid)),
  );
  const record: RepositoryRecord = {
    rid: repository.newId(),
    snapshots,
    sequence: 1 + before.reduce((highest, { sequence }) => Math.max(highest, sequence), 0),
    at: repository.nowIso(),
    by: repository.author,
    origin: null,
    ...options.copyOf,
    ...body,
  };
  const name = objectName.record(record.rid);
  const stored = isKeepersRecord(record) ? signVerdict(repository, name, record) : record;
  await repository.objects.writeNew(name, "record", encodeRecord(stored), options);
  return stored;
}

/** Only these can lead to a snapshot's loss. */
function isKeepersRecord(record: RepositoryRecord): boolean {
  return record.type === "protection" && !record.data.protected;
}

/** VERDICT_UNSIGNED for a record that takes protection away without the keeper's signature: it counts for nothing. */
export function checkRecord(repository: Repository, object: string, record: RepositoryRecord): RepositoryRecord {
  return isKeepersRecord(record) ? checkVerdict(repository, object, record) : record;
}

/** The type as it is stored, also of one that this release does not know. */
export function typeName(record: RecordBody): string {
  return record.type === "unknown" ? record.name : record.type;
}

/** True when `a` speaks later than `b` of the same type and snapshot: higher sequence, then protection, then rid. */
export function outranks(a: RepositoryRecord, b: RepositoryRecord): boolean {
  if (a.sequence !== b.sequence) return a.sequence > b.sequence;
  if (a.type === "protection" && b.type === "protection" && a.data.protected !== b.data.protected) {
    return a.data.protected;
  }
  return a.rid > b.rid;
}

/** The winning record of each type for each snapshot. */
export function winningRecords(
  records: readonly RepositoryRecord[],
): Map<Sid, Map<RepositoryRecord["type"], RepositoryRecord>> {
  const winners = new Map<Sid, Map<RepositoryRecord["type"], RepositoryRecord>>();
  for (const record of records) {
    if (record.type === "unknown") continue;
    for (const sid of record.snapshots) {
      const ofSnapshot = winners.get(sid) ?? new Map<RepositoryRecord["type"], RepositoryRecord>();
      winners.set(sid, ofSnapshot);
      const present = ofSnapshot.get(record.type);
      if (!present || outranks(record, present)) ofSnapshot.set(record.type, record);
    }
  }
  return winners;
}
