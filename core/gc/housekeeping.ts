// What a collection tidies up besides packs: index objects that describe deleted packs, announcements of decided sessions,
// records that nobody needs, and tombstones that are old by the storage's own clock. Step G9 (second half) and G10.

import { baseName, folder, objectName, packName } from "../format/ids.js";
import { MAX_PACKS_PER_INDEX } from "../format/limits.js";
import { encodePackIndex, type PackContents } from "../format/packIndex.js";
import { decodeQuarantine, type QuarantinedBlob } from "../format/record.js";
import { mapConcurrent } from "../platform/concurrency.js";
import { type Catalog, loadCatalog } from "../repository/catalog.js";
import { listIndex, listPacks, readIndexObject } from "../repository/presence.js";
import { winningRecords } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { deleteAll } from "../storage/deleteAll.js";
import { isDecided, listSessions, storageNow } from "./fencing.js";
import { removeOldTombstones } from "./tombstones.js";

export interface HousekeepingOptions {
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/** Records that a later one has replaced, and probes of collectors that were killed. */
const SUPERSEDED_MS = 24 * 60 * 60 * 1000;
/** Restore tests and jobs: evidence is asked for longer than most snapshots live; auditors look back a year. */
const HISTORY_MS = 400 * 24 * 60 * 60 * 1000;
/** More index objects than this are merged. */
const MAX_INDEX_OBJECTS = 200;
/** Blobs in one merged index object: about 12 MiB. */
const BLOBS_PER_INDEX = 250_000;

/** Number of objects removed. */
export async function tidyUp(repository: Repository, options: HousekeepingOptions): Promise<number> {
  let removed = await tidyIndex(repository, options);
  removed += await removeDecidedSessions(repository, options);
  const now = await storageNow(repository, options);
  const catalog = await loadCatalog(repository, { ...options, fresh: true });
  removed += await removeOldTombstones(repository, catalog, now, options);
  removed += await removeOldRecords(repository, catalog, now, options);
  removed += await removeOldProbes(repository, now, options);
  removed += await removeUnsigned(repository, catalog, options);
  return removed + (await removeEmptyQuarantine(repository, options));
}

/** What somebody without the keeper's key has decided counts for nothing; reported when the catalog was read. */
async function removeUnsigned(
  repository: Repository,
  { unsigned }: Catalog,
  options: HousekeepingOptions,
): Promise<number> {
  await deleteAll(repository.backend, unsigned, options);
  return unsigned.length;
}

/** What collectors that were killed have left of their look at the storage. */
async function removeOldProbes(repository: Repository, now: number, options: HousekeepingOptions): Promise<number> {
  const goes: string[] = [];
  for await (const { key, modifiedAtMs } of repository.backend.list("probe/", options)) {
    if (now - modifiedAtMs >= SUPERSEDED_MS) goes.push(key);
  }
  await deleteAll(repository.backend, goes, options);
  return goes.length;
}

/** Replaces index objects that mention packs which are gone; when there are many, all of them. */
async function tidyIndex(repository: Repository, options: HousekeepingOptions): Promise<number> {
  const names = (await listIndex(repository, options)).map(({ key }) => key);
  // Listed after the index objects: a pack described by one of them is listed unless it was deleted.
  const packs = await listPacks(repository, options);
  const mergeAll = names.length > MAX_INDEX_OBJECTS;
  const replaced: string[] = [];
  const kept = new Map<string, PackContents>();
  for (const name of names) {
    const contents = await readIndexObject(repository, name, options);
    if (contents === undefined) continue;
    const present = contents.filter((pack) => packs.get(pack.name)?.sizeBytes === pack.sizeBytes);
    if (!mergeAll && present.length === contents.length) continue;
    replaced.push(name);
    for (const pack of present) kept.set(pack.name, { ...pack, entries: pack.entries.slice() });
  }
  await writeIndexObjects(repository, [...kept.values()], options);
  await deleteAll(repository.backend, replaced, options);
  await mapConcurrent(replaced, (name) => repository.cache.delete(name));
  return replaced.length;
}

async function writeIndexObjects(
  repository: Repository,
  packs: PackContents[],
  options: HousekeepingOptions,
): Promise<void> {
  const writer = repository.newId();
  let number = 0;
  for (let start = 0; start < packs.length; ) {
    let end = start;
    let blobs = 0;
    while (end < packs.length && end - start < MAX_PACKS_PER_INDEX && (blobs === 0 || blobs < BLOBS_PER_INDEX)) {
      blobs += packs[end++]?.blobCount ?? 0;
    }
    const name = objectName.index(packName(writer, number++));
    await repository.objects.write(name, "packIndex", encodePackIndex(packs.slice(start, end)), options);
    start = end;
  }
}

/** G10. */
async function removeDecidedSessions(repository: Repository, options: HousekeepingOptions): Promise<number> {
  const goes: string[] = [];
  for (const sid of (await listSessions(repository, options)).keys()) {
    if (!(await isDecided(repository, sid, options))) continue;
    goes.push(objectName.session(sid));
  }
  await deleteAll(repository.backend, goes, options);
  return goes.length;
}

/** Records about snapshots that are all gone, and replaced ones. Restore tests and jobs are a history: none replaces another. */
async function removeOldRecords(
  repository: Repository,
  catalog: Catalog,
  now: number,
  options: HousekeepingOptions,
): Promise<number> {
  const existing = new Set(catalog.snapshots.map(({ sid }) => sid));
  const known = new Set([...existing, ...catalog.unreadable.map(({ sid }) => sid)]);
  const winners = winningRecords(catalog.records);
  const needed = new Set<string>();
  for (const [sid, byType] of winners) if (known.has(sid)) for (const { rid } of byType.values()) needed.add(rid);
  // Copied ones say that a change has arrived: without them the next replication would carry it once more.
  for (const { rid, origin, snapshots } of catalog.records) {
    if (origin !== null && snapshots.some((sid) => known.has(sid))) needed.add(rid);
  }
  const history = new Set<string>();
  for (const { rid, type, snapshots } of catalog.records) {
    if (type !== "restoreTest" && type !== "job") continue;
    history.add(rid);
    if (snapshots.some((sid) => known.has(sid))) needed.add(rid);
  }
  const mine = new Set(catalog.records.filter(({ type }) => type !== "unknown").map(({ rid }) => rid as string));
  const goes: string[] = [];
  for await (const { key, modifiedAtMs } of repository.backend.list(folder.records, options)) {
    const rid = baseName(key);
    const keptMs = history.has(rid) ? HISTORY_MS : SUPERSEDED_MS;
    if (!mine.has(rid) || needed.has(rid) || now - modifiedAtMs < keptMs) continue;
    goes.push(key);
  }
  await deleteAll(repository.backend, goes, options);
  return goes.length;
}

/** Quarantine objects whose packs are all gone. */
async function removeEmptyQuarantine(repository: Repository, options: HousekeepingOptions): Promise<number> {
  const packs = await listPacks(repository, options);
  const goes: string[] = [];
  for await (const { key } of repository.backend.list(folder.quarantine, options)) {
    const blobs = await readQuarantine(repository, key);
    if (blobs === undefined || blobs.some(({ pack }) => packs.has(pack))) continue;
    goes.push(key);
  }
  await deleteAll(repository.backend, goes, options);
  return goes.length;
}

async function readQuarantine(repository: Repository, key: string): Promise<readonly QuarantinedBlob[] | undefined> {
  try {
    return decodeQuarantine(await repository.objects.read(key, "quarantine"), key).blobs;
  } catch {
    return undefined;
  }
}
