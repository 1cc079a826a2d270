// Tombstones: decisions that have outlived what they were about. They are kept for 90 days, because writers and collectors
// that act on what they once saw stop themselves after 30 (core/repository/lifetime.ts); docs/protocol.md, "Time".

import { isAbort, isOurError } from "../errors.js";
import { decodeGcFinal } from "../format/gcPlan.js";
import { baseName, folder, isSid, type Sid } from "../format/ids.js";
import type { Catalog } from "../repository/catalog.js";
import { listPacks, packCreators } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { checkVerdict } from "../repository/verdicts.js";
import type { ObjectInfo } from "../storage/backend.js";
import { deleteAll } from "../storage/deleteAll.js";

/** By the storage's own clock. */
export const TOMBSTONE_MS = 90 * 24 * 60 * 60 * 1000;

export interface TombstoneOptions {
  signal?: AbortSignal;
}

/** Finals without a plan; VOID and forgotten decisions whose session has no pack left. */
export async function removeOldTombstones(
  repository: Repository,
  catalog: Catalog,
  now: number,
  options: TombstoneOptions,
): Promise<number> {
  const isOld = ({ modifiedAtMs }: ObjectInfo) => now - modifiedAtMs > TOMBSTONE_MS;
  const goes = await oldFinals(repository, isOld, options);
  const creators = packCreators((await listPacks(repository, options)).keys());
  const committed = new Set(catalog.snapshots.map(({ sid }) => sid));
  const unreadable = new Set(catalog.unreadable.map(({ object }) => object));
  const forgotten = await listById(repository, folder.forgotten, options);
  const decisions = await listById(repository, folder.snapshots, options);
  for (const [sid, info] of decisions) {
    if (committed.has(sid) || unreadable.has(info.key) || creators.has(sid) || !isOld(info)) continue;
    const mark = forgotten.get(sid);
    if (catalog.forgotten.has(sid) && (mark === undefined || !isOld(mark))) continue;
    goes.push(info.key);
    decisions.delete(sid);
  }
  const marks: string[] = [];
  // After the manifest: in between, the session still counts as decided. Never without it: the snapshot would come back.
  for (const [sid, info] of forgotten) {
    if (isOld(info) && !decisions.has(sid) && !creators.has(sid)) marks.push(info.key);
  }
  await deleteAll(repository.backend, goes, options);
  await deleteAll(repository.backend, marks, options);
  return goes.length + marks.length;
}

/**
 * A final goes when its plan has gone. Also one that cannot be read or is not the keeper's: whoever followed it has stopped by now, so that the plan
 * can be decided anew.
 */
async function oldFinals(
  repository: Repository,
  isOld: (info: ObjectInfo) => boolean,
  options: TombstoneOptions,
): Promise<string[]> {
  const plans = new Set<string>();
  const finals: string[] = [];
  for await (const info of repository.backend.list(folder.gc, options)) {
    if (info.key.endsWith(".plan")) plans.add(info.key);
    else if (info.key.endsWith(".final") && isOld(info)) finals.push(info.key);
  }
  const goes: string[] = [];
  for (const key of finals) {
    const hasPlan = plans.has(key.replace(/\.final$/, ".plan"));
    if (!hasPlan || (await isUnreadableFinal(repository, key, options))) goes.push(key);
  }
  return goes;
}

async function isUnreadableFinal(repository: Repository, key: string, options: TombstoneOptions): Promise<boolean> {
  try {
    checkVerdict(repository, key, decodeGcFinal(await repository.objects.read(key, "gcFinal", options), key));
    return false;
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return error.code !== "OBJECT_NOT_FOUND";
  }
}

async function listById(
  repository: Repository,
  prefix: string,
  options: TombstoneOptions,
): Promise<Map<Sid, ObjectInfo>> {
  const found = new Map<Sid, ObjectInfo>();
  for await (const info of repository.backend.list(prefix, options)) {
    const sid = baseName(info.key);
    if (isSid(sid) && info.key === prefix + sid) found.set(sid, info);
  }
  return found;
}
