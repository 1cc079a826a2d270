// All snapshots of a repository with what is known about them. One list per folder, and for showing only objects that the
// local cache does not have are read, so ten thousand snapshots take a few requests and a fraction of a second.

import { isAbort, isOurError, type RepriseError } from "../errors.js";
import { decodeText, encodeText, formatError } from "../format/bytes.js";
import type { EnvelopeKind } from "../format/envelope.js";
import { baseName, bytesToHex, folder, isSid, objectName, type Sid } from "../format/ids.js";
import { decodeForgotten, decodeManifest, type Manifest, type VoidDecision } from "../format/manifest.js";
import { decodeRecord, type RepositoryRecord } from "../format/record.js";
import { sha256 } from "../hash/digest.js";
import { mapConcurrent } from "../platform/concurrency.js";
import { checkRecord, winningRecords } from "./records.js";
import type { Repository } from "./repository.js";
import { type RestoreTestState, restoreTestStates } from "./restoreTestState.js";
import { checkVerdict } from "./verdicts.js";
import type { OnWarning } from "./warnings.js";

export interface VerificationState {
  result: "ok" | "damaged";
  level: "structure" | "data";
  at: string;
  damagedRanges: number;
}

export interface Snapshot {
  sid: Sid;
  manifest: Manifest;
  /** SHA-256 of the manifest's canonical bytes, hex. */
  digest: string;
  timeMs: number;
  notes: string;
  tags: readonly string[];
  protected: boolean;
  verification: VerificationState | null;
  /** The newest restore test, as its record says; only evidence (core/evidence) proves it. */
  restoreTest: RestoreTestState | null;
  /** The storage's own time of the manifest. */
  storedAtMs: number;
}

export interface Catalog {
  /** Committed and not forgotten, oldest first (by claimed time, then id). */
  snapshots: Snapshot[];
  /** Sids with any decision: committed, VOID, or forgotten. */
  decided: Set<Sid>;
  forgotten: Set<Sid>;
  /** Names of manifests that exist but cannot be read: snapshots that may be lost. */
  unreadable: { object: string; sid: Sid; code: string; message: string }[];
  records: RepositoryRecord[];
  /** Records that exist and cannot be read or understood: whatever they say about snapshots is not known. */
  unreadableRecords: UnreadableRecord[];
  /** Names of forgotten objects and records that only the keeper may write and that it has not signed: they count for nothing. */
  unsigned: string[];
}

export interface UnreadableRecord {
  object: string;
  code: string;
  message: string;
  /** Which it speaks of; null: not even that is known. */
  snapshots: readonly Sid[] | null;
}

export interface CatalogOptions {
  /**
   * Read every object from the storage, although the local cache knows it. For whoever decides what may go: a manifest that
   * only this machine's cache can still read is no snapshot to rely on.
   */
  fresh?: boolean;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/**
 * Reads the catalog. Forgotten objects are listed before manifests, so that a snapshot never seems forgotten without
 * having been; a manifest or record that cannot be read is reported, never treated as absent.
 */
export async function loadCatalog(repository: Repository, options: CatalogOptions): Promise<Catalog> {
  const cache = options.fresh ? CatalogCache.empty(repository) : await CatalogCache.load(repository);
  const unsigned: string[] = [];
  const forgotten = await loadForgotten(repository, cache, unsigned, options);
  const catalog: Catalog = {
    snapshots: [],
    decided: new Set(forgotten),
    forgotten,
    unreadable: [],
    records: [],
    unreadableRecords: [],
    unsigned,
  };
  const manifests = await loadManifests(repository, cache, catalog, options);
  catalog.records = await loadRecords(repository, cache, catalog, options);
  await cache.save();
  const winners = winningRecords(catalog.records);
  const tests = restoreTestStates(catalog.records, manifests, ({ rid, snapshots }, { code, message }) => {
    const object = objectName.record(rid);
    catalog.unreadableRecords.push({ object, code, message, snapshots: snapshots.length === 0 ? null : snapshots });
    options.onWarning({ code, message, data: { object } });
  });
  for (const loaded of manifests) {
    const { sid } = loaded.manifest;
    if (forgotten.has(sid)) continue;
    catalog.snapshots.push({ ...describe(loaded, winners.get(sid)), restoreTest: tests.get(sid) ?? null });
  }
  catalog.snapshots = inOrder(catalog.snapshots);
  return catalog;
}

/**
 * Oldest first. A repaired snapshot has the time of the damaged one and comes after it, unless the damaged one has been healed
 * since: then that is the better one. Within one second the storage's own time decides, so that "latest" is what was stored last.
 */
function inOrder(snapshots: Snapshot[]): Snapshot[] {
  const sound = new Set(snapshots.filter(({ verification }) => verification?.result === "ok").map(({ sid }) => sid));
  const finishedAt = ({ manifest }: Snapshot) =>
    manifest.repairedFrom !== null && sound.has(manifest.repairedFrom) ? "" : manifest.finishedAt;
  return snapshots.sort((a, b) => {
    const [first, second] = [finishedAt(a), finishedAt(b)];
    if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs;
    if (first !== second) return first < second ? -1 : 1;
    if (a.storedAtMs !== b.storedAtMs) return a.storedAtMs - b.storedAtMs;
    return a.sid < b.sid ? -1 : 1;
  });
}

interface LoadedManifest {
  manifest: Manifest;
  digest: string;
  storedAtMs: number;
}

async function loadManifests(
  repository: Repository,
  cache: CatalogCache,
  catalog: Catalog,
  options: CatalogOptions,
): Promise<LoadedManifest[]> {
  const infos = await listIds(repository, folder.snapshots, options);
  const loaded = await mapConcurrent(infos, async ({ key, sid, modifiedAtMs }) => {
    try {
      const plain = await cache.read(key, "snapshot", options);
      const decision: Manifest | VoidDecision = decodeManifest(plain, key);
      if (decision.sid !== sid) throw formatError(key, "the id in the manifest is not the object's name");
      catalog.decided.add(sid);
      if (decision.type === "void") return undefined;
      return { manifest: decision, digest: bytesToHex(sha256(plain)), storedAtMs: modifiedAtMs };
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      catalog.decided.add(sid);
      // Gone between list and get: a collector has removed a manifest that was forgotten long ago.
      if (catalog.forgotten.has(sid) || error.code === "OBJECT_NOT_FOUND") return undefined;
      catalog.unreadable.push({ object: key, sid, code: error.code, message: error.message });
      options.onWarning({ code: "SNAPSHOT_UNREADABLE", message: error.message, data: { object: key } });
      return undefined;
    }
  });
  return loaded.filter((entry) => entry !== undefined);
}

/** Sids with a valid forgotten object. One that is damaged, or not the keeper's, does not hide its snapshot. */
async function loadForgotten(
  repository: Repository,
  cache: CatalogCache,
  unsigned: string[],
  options: CatalogOptions,
): Promise<Set<Sid>> {
  const infos = await listIds(repository, folder.forgotten, options);
  const sids = await mapConcurrent(infos, async ({ key, sid }) => {
    const forgotten = await readOrWarn(key, unsigned, options, async () =>
      checkVerdict(repository, key, decodeForgotten(await cache.read(key, "forgotten", options), key)),
    );
    return forgotten !== undefined && forgotten.sid === sid ? sid : undefined;
  });
  return new Set(sids.filter((sid) => sid !== undefined));
}

async function loadRecords(
  repository: Repository,
  cache: CatalogCache,
  { unsigned, unreadableRecords }: Catalog,
  options: CatalogOptions,
): Promise<RepositoryRecord[]> {
  const infos = await listIds(repository, folder.records, options);
  const records = await mapConcurrent(infos, ({ key }) =>
    readOrWarn(
      key,
      unsigned,
      options,
      async () => checkRecord(repository, key, decodeRecord(await cache.read(key, "record", options), key)),
      ({ code, message }) => unreadableRecords.push({ object: key, code, message, snapshots: null }),
    ),
  );
  return records.filter((record) => record !== undefined);
}

/** Objects whose name is an id; others are none of the repository's (verify lists them). */
async function listIds(
  repository: Repository,
  prefix: string,
  options: CatalogOptions,
): Promise<{ key: string; sid: Sid; modifiedAtMs: number }[]> {
  const found: { key: string; sid: Sid; modifiedAtMs: number }[] = [];
  for await (const { key, modifiedAtMs } of repository.backend.list(prefix, options)) {
    const sid = baseName(key);
    if (isSid(sid) && key === prefix + sid) found.push({ key, sid, modifiedAtMs });
  }
  return found;
}

async function readOrWarn<T>(
  key: string,
  unsigned: string[],
  options: CatalogOptions,
  read: () => Promise<T>,
  onUnreadable: (error: RepriseError) => void = () => {},
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    // Gone between list and get: a collector has removed it.
    if (error.code === "OBJECT_NOT_FOUND") return undefined;
    if (error.code === "VERDICT_UNSIGNED") unsigned.push(key);
    else onUnreadable(error);
    options.onWarning({ code: error.code, message: error.message, data: { object: key } });
    return undefined;
  }
}

function describe(
  loaded: LoadedManifest,
  records: Map<string, RepositoryRecord> | undefined,
): Omit<Snapshot, "restoreTest"> {
  const { manifest, digest, storedAtMs } = loaded;
  const notes = records?.get("notes");
  const tags = records?.get("tags");
  const protection = records?.get("protection");
  return {
    sid: manifest.sid,
    manifest,
    digest,
    timeMs: Date.parse(manifest.time),
    notes: notes?.type === "notes" ? notes.data.text : manifest.notes,
    tags: tags?.type === "tags" ? tags.data.tags : manifest.tags,
    protected: protection?.type === "protection" ? protection.data.protected : manifest.protected,
    verification: verificationOf(manifest.sid, records?.get("verification")),
    storedAtMs,
  };
}

function verificationOf(sid: Sid, record: RepositoryRecord | undefined): VerificationState | null {
  if (record?.type !== "verification") return null;
  const damagedRanges = record.data.damaged.filter(({ snapshot }) => snapshot === sid).length;
  return { result: record.data.result, level: record.data.level, at: record.at, damagedRanges };
}

/** Opened payloads of immutable objects in a few large cache files, because ten thousand small reads are slow. */
class CatalogCache {
  readonly #repository: Repository;
  readonly #known: Map<string, string>;
  readonly #used = new Map<string, string>();
  #changed = false;

  private constructor(repository: Repository, known: Map<string, string>) {
    this.#repository = repository;
    this.#known = known;
  }

  /** Knows nothing; what is read replaces what the cache held. */
  static empty(repository: Repository): CatalogCache {
    return new CatalogCache(repository, new Map());
  }

  static async load(repository: Repository): Promise<CatalogCache> {
    const known = new Map<string, string>();
    for (let part = 0; ; part++) {
      const name = partName(part);
      const stored = await repository.cache.get(name);
      if (stored === undefined) break;
      try {
        const text = decodeText(repository.objects.open(name, "cache", stored), name);
        for (const [key, plain] of JSON.parse(text) as [string, string][]) known.set(key, plain);
      } catch {
        await repository.cache.delete(name);
        break;
      }
    }
    return new CatalogCache(repository, known);
  }

  async read(key: string, kind: EnvelopeKind, options: { signal?: AbortSignal }): Promise<Uint8Array> {
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#used.set(key, known);
      return encodeText(known);
    }
    const plain = await this.#repository.objects.read(key, kind, options);
    this.#used.set(key, decodeText(plain, key));
    this.#changed = true;
    return plain;
  }

  /** Writes the parts again when something was added or is gone. */
  async save(): Promise<void> {
    if (!this.#changed && this.#used.size === this.#known.size) return;
    const entries = [...this.#used.entries()];
    const parts = Math.ceil(entries.length / ENTRIES_PER_PART);
    for (let part = 0; part < parts; part++) {
      const name = partName(part);
      const text = JSON.stringify(entries.slice(part * ENTRIES_PER_PART, (part + 1) * ENTRIES_PER_PART));
      await this.#repository.cache.put(name, this.#repository.objects.seal(name, "cache", encodeText(text)));
    }
    await this.#repository.cache.delete(partName(parts));
  }
}

const ENTRIES_PER_PART = 10_000;

function partName(part: number): string {
  return `catalog-${part}`;
}
