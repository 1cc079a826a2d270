// Notes, tags, protection, and whatever later releases record about snapshots travel with them. A record is copied once for
// each copy of a snapshot, recognised by where it was written first; so a change made later in a copy stays until the
// original changes again, and nothing goes round in circles. Verifications and jobs stay: they speak of one storage.

import { isOurError } from "../errors.js";
import type { Sid } from "../format/ids.js";
import { MAX_RECORD_SNAPSHOTS } from "../format/limits.js";
import type { RecordBody, RecordOrigin, RepositoryRecord } from "../format/record.js";
import type { Catalog } from "../repository/catalog.js";
import { winningRecords, writeRecord } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";
import type { SnapshotPair } from "./planSync.js";
import type { SyncOptions } from "./syncReport.js";

export interface CataloguedRepository {
  repository: Repository;
  catalog: Catalog;
}

/** A record to be written in the destination. */
export interface RecordCopy {
  record: RepositoryRecord;
  origin: RecordOrigin;
  /** In the destination. */
  snapshots: Sid[];
}

/** Older ones first, so that the copies rank as the originals do. */
export function planRecordCopies(
  from: CataloguedRepository,
  to: CataloguedRepository,
  pairs: readonly SnapshotPair[],
): RecordCopy[] {
  const copiesOf = new Map<Sid, Sid[]>();
  for (const pair of pairs) copiesOf.set(pair.from, [...(copiesOf.get(pair.from) ?? []), pair.to]);
  const winners = winningRecords(from.catalog.records);
  const arrived = arrivedRecords(to);
  const copies: RecordCopy[] = [];
  for (const record of from.catalog.records) {
    if (record.type === "verification" || record.type === "job") continue;
    const counts = (sid: Sid) => !isReplaceable(record) || winners.get(sid)?.get(record.type) === record;
    const origin = recordOrigin(record, from.repository);
    const snapshots = record.snapshots
      .filter(counts)
      .flatMap((sid) => copiesOf.get(sid) ?? [])
      .filter((sid) => !arrived.has(arrivalKey(origin, sid)));
    if (snapshots.length > 0) copies.push({ record, origin, snapshots: [...new Set(snapshots)] });
  }
  return copies.sort((a, b) => a.record.sequence - b.record.sequence || (a.record.rid < b.record.rid ? -1 : 1));
}

/** Of these only the newest counts. Restore tests are a history, and nobody knows what records of later releases are. */
function isReplaceable({ type }: RepositoryRecord): boolean {
  return type !== "restoreTest" && type !== "unknown";
}

/** Number of records written. One that only the destination's keeper may write is left out, with a warning. */
export async function applyRecordCopies(
  to: CataloguedRepository,
  copies: readonly RecordCopy[],
  options: SyncOptions,
): Promise<number> {
  const known = [...to.catalog.records];
  const isProtected = new Set(to.catalog.snapshots.filter((snapshot) => snapshot.protected).map(({ sid }) => sid));
  let written = 0;
  for (const { record, origin, snapshots } of copies) {
    options.signal?.throwIfAborted();
    try {
      for (let start = 0; start < snapshots.length; start += MAX_RECORD_SNAPSHOTS) {
        const part = snapshots.slice(start, start + MAX_RECORD_SNAPSHOTS);
        const copyOf = { at: record.at, by: record.by, origin };
        known.push(await writeRecord(to.repository, bodyOf(record), part, known, { signal: options.signal, copyOf }));
        written++;
      }
    } catch (error) {
      if (!isOurError(error, "KEEPER_KEY_REQUIRED")) throw error;
      if (snapshots.some((sid) => isProtected.has(sid))) options.onWarning(protectionStays(snapshots));
    }
  }
  return written;
}

/** What it says, without its name and whom it speaks of. */
function bodyOf(record: RepositoryRecord): RecordBody {
  const { rid: _rid, snapshots: _snapshots, sequence: _sequence, at: _at, by: _by, ...rest } = record;
  const { origin: _origin, signature: _signature, ...body } = rest;
  return body;
}

function arrivedRecords({ repository, catalog }: CataloguedRepository): Set<string> {
  const arrived = new Set<string>();
  for (const record of catalog.records) {
    const origin = recordOrigin(record, repository);
    for (const sid of record.snapshots) arrived.add(arrivalKey(origin, sid));
  }
  return arrived;
}

function recordOrigin({ origin, rid }: RepositoryRecord, repository: Repository): RecordOrigin {
  return origin ?? { repositoryId: repository.config.repositoryId, rid };
}

function arrivalKey({ repositoryId, rid }: RecordOrigin, sid: Sid): string {
  return `${repositoryId}/${rid}/${sid}`;
}

function protectionStays(snapshots: readonly Sid[]) {
  return {
    code: "SYNC_PROTECTION_KEPT",
    message: `${snapshots.length} snapshots are protected no more where they come from, but only the keeper may say so here`,
    data: { snapshots: snapshots.slice(0, 100) },
  };
}
