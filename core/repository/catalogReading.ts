// Reads the objects that a catalog is made of: forgotten objects, manifests, records. What of them counts is decided in
// catalog.ts.

import { isAbort, isOurError, type RepriseError } from "../errors.js";
import { formatError } from "../format/bytes.js";
import { baseName, bytesToHex, folder, isSid, type Sid } from "../format/ids.js";
import { decodeForgotten, decodeManifest, type Manifest } from "../format/manifest.js";
import { decodeRecord, type RepositoryRecord } from "../format/record.js";
import { sha256 } from "../hash/digest.js";
import type { Breather } from "../platform/breather.js";
import { mapArriving, mapConcurrent } from "../platform/concurrency.js";
import type { CatalogCache } from "./catalogCache.js";
import { checkRecord } from "./records.js";
import type { Repository } from "./repository.js";
import { checkVerdict } from "./verdicts.js";
import type { OnWarning } from "./warnings.js";

/** Small objects, so that waiting for each is what takes time; a storage with less room lets them queue. */
const READS_AT_ONCE = 32;

export interface LoadedManifest {
  manifest: Manifest;
  digest: string;
  storedAtMs: number;
}

export interface Reading {
  repository: Repository;
  cache: CatalogCache;
  breather: Breather;
  signal: AbortSignal;
  onWarning: OnWarning;
  /** Names of objects that count for nothing without the keeper's signature. */
  unsigned: string[];
}

interface Listed {
  key: string;
  sid: Sid;
  modifiedAtMs: number;
}

export interface UnreadableRecord {
  object: string;
  code: string;
  message: string;
  /** Which it speaks of; null: not even that is known. */
  snapshots: readonly Sid[] | null;
}

/** What became of an object that was listed below `snapshots/`. */
export interface Decision extends Listed {
  /** Null: VOID, unreadable, or gone between list and get. */
  loaded: LoadedManifest | null;
  failure: { code: string; message: string } | null;
}

/** All names below `forgotten/`: whatever is read after this, no snapshot seems forgotten that was not. */
export async function listForgotten(reading: Reading): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for await (const listed of listIds(reading, folder.forgotten)) found.push(listed);
  return found;
}

/** Sids with a valid forgotten object. One that is damaged, or not the keeper's, does not hide its snapshot. */
export async function readForgotten(
  reading: Reading,
  listed: readonly Listed[],
): Promise<{ forgotten: Set<Sid>; vanished: Set<Sid> }> {
  const { repository, cache } = reading;
  const vanished = new Set<Sid>();
  const sids = await mapConcurrent(
    listed,
    async ({ key, sid }) => {
      const read = async () =>
        checkVerdict(repository, key, decodeForgotten(await cache.read(key, "forgotten", reading), key));
      const forgotten = await readOrWarn(reading, key, read, { onGone: () => void vanished.add(sid) });
      await reading.breather.breathe();
      return forgotten !== undefined && forgotten.sid === sid ? sid : undefined;
    },
    READS_AT_ONCE,
  );
  return { forgotten: new Set(sids.filter((sid) => sid !== undefined)), vanished };
}

/** Reads while the list still arrives, then the newest first; `onDecision` hears of each, with how many are listed. */
export async function readManifests(
  reading: Reading,
  onDecision: (decision: Decision, listed: number, isListed: boolean) => void,
): Promise<Decision[]> {
  let listed = 0;
  let isListed = false;
  async function* arriving(): AsyncIterable<Listed> {
    for await (const each of listIds(reading, folder.snapshots)) {
      listed++;
      yield each;
    }
    isListed = true;
  }
  const decisions = await mapArriving(
    arriving(),
    async (each) => {
      const decision = await readDecision(reading, each);
      onDecision(decision, listed, isListed);
      await reading.breather.breathe();
      return decision;
    },
    { limit: READS_AT_ONCE, later: (a, b) => a.modifiedAtMs - b.modifiedAtMs },
  );
  return decisions.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function readDecision(reading: Reading, listed: Listed): Promise<Decision> {
  const { key, sid, modifiedAtMs } = listed;
  try {
    const plain = await reading.cache.read(key, "snapshot", reading);
    const decision = decodeManifest(plain, key);
    if (decision.sid !== sid) throw formatError(key, "the id in the manifest is not the object's name");
    if (decision.type === "void") return { ...listed, loaded: null, failure: null };
    const loaded = { manifest: decision, digest: bytesToHex(sha256(plain)), storedAtMs: modifiedAtMs };
    return { ...listed, loaded, failure: null };
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    // Gone between list and get: a collector has removed a manifest that was forgotten long ago.
    if (error.code === "OBJECT_NOT_FOUND") return { ...listed, loaded: null, failure: null };
    return { ...listed, loaded: null, failure: { code: error.code, message: error.message } };
  }
}

/**
 * A forgotten object that was listed and then was gone went after its manifest. What was read of that before is no snapshot: asks
 * once more.
 */
export async function leaveOutCollected(
  { repository, signal }: Reading,
  decisions: readonly Decision[],
  vanished: ReadonlySet<Sid>,
): Promise<Decision[]> {
  return await mapConcurrent(decisions, async (decision) => {
    if (!vanished.has(decision.sid)) return decision;
    try {
      await repository.backend.stat(decision.key, { signal });
      return decision;
    } catch (error) {
      if (!isOurError(error) || error.code !== "OBJECT_NOT_FOUND") throw error;
      return { ...decision, loaded: null, failure: null };
    }
  });
}

/** What exists and cannot be read is added to `unreadable`. */
export async function readRecords(reading: Reading, unreadable: UnreadableRecord[]): Promise<RepositoryRecord[]> {
  const { repository, cache, breather } = reading;
  const records = await mapArriving(
    listIds(reading, folder.records),
    async ({ key }) => {
      const read = async () =>
        checkRecord(repository, key, decodeRecord(await cache.read(key, "record", reading), key));
      const record = await readOrWarn(reading, key, read, {
        onUnreadable: ({ code, message }) => unreadable.push({ object: key, code, message, snapshots: null }),
      });
      await breather.breathe();
      return { key, record };
    },
    { limit: READS_AT_ONCE, later: (a, b) => a.modifiedAtMs - b.modifiedAtMs },
  );
  records.sort((a, b) => (a.key < b.key ? -1 : 1));
  return records.map(({ record }) => record).filter((record) => record !== undefined);
}

/** Objects whose name is an id; others are none of the repository's (verify lists them). */
async function* listIds({ repository, signal }: Reading, prefix: string): AsyncIterable<Listed> {
  for await (const { key, modifiedAtMs } of repository.backend.list(prefix, { signal })) {
    const sid = baseName(key);
    if (isSid(sid) && key === prefix + sid) yield { key, sid, modifiedAtMs };
  }
}

async function readOrWarn<T>(
  { unsigned, onWarning }: Reading,
  key: string,
  read: () => Promise<T>,
  { onGone, onUnreadable }: { onGone?: () => void; onUnreadable?: (error: RepriseError) => void },
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    // Gone between list and get: a collector has removed it.
    if (error.code === "OBJECT_NOT_FOUND") {
      onGone?.();
      return undefined;
    }
    if (error.code === "VERDICT_UNSIGNED") unsigned.push(key);
    else onUnreadable?.(error);
    onWarning({ code: error.code, message: error.message, data: { object: key } });
    return undefined;
  }
}
