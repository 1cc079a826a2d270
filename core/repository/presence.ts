// What a repository holds right now: steps W2–W4 of docs/protocol.md. Used by writers (which must not rely on packs that
// a collector may delete) and by readers (which may read anything that is there).

import { isAbort, isOurError } from "../errors.js";
import { decodeGcFinal, decodeGcPlan } from "../format/gcPlan.js";
import {
  baseName,
  bytesToHex,
  folder,
  isPackName,
  isSid,
  objectName,
  type PackName,
  packSid,
  type Sid,
} from "../format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES } from "../format/pack.js";
import { decodePackIndex, type PackContents } from "../format/packIndex.js";
import { decodeQuarantine, type QuarantinedBlob } from "../format/record.js";
import { mapConcurrent, STORAGE_CONCURRENCY } from "../platform/concurrency.js";
import type { ObjectInfo } from "../storage/backend.js";
import { ChunkIndex } from "./chunkIndex.js";
import { readPackContents } from "./packReader.js";
import type { Repository } from "./repository.js";
import { isVerdictValid, unsigned } from "./verdicts.js";
import type { OnWarning } from "./warnings.js";

export interface PresenceOptions {
  signal?: AbortSignal;
  onWarning: OnWarning;
}

export interface Presence {
  index: ChunkIndex;
  /** Every listed pack with its size and time. */
  packs: Map<PackName, ObjectInfo>;
  /** Packs that no index object describes; read from their trailers. A writer adds them to its own index. */
  adopted: PackContents[];
  /** Listed packs of which nobody can tell what is in them: no index object, no trailer. Never to be deleted. */
  opaque: Set<PackName>;
  /** Names of the index objects that were listed. */
  indexNames: string[];
  /** Copies found damaged by an earlier verification: `pack/id`. Not in a writer's index. */
  quarantined: Set<string>;
}

/** Index objects up to this total are kept in memory between the two passes of ChunkIndex.build. */
const KEEP_INDEX_BYTES = 64 * 1024 * 1024;

/** W2, W3, W4 in this order. Call only after the session was announced. `distrusted` packs are treated like condemned ones. */
export async function loadPresenceForWriting(
  repository: Repository,
  options: PresenceOptions,
  distrusted: ReadonlySet<PackName> = new Set(),
): Promise<Presence> {
  const condemned = await listCondemned(repository, options);
  for (const pack of distrusted) condemned.packs.add(pack);
  const packs = await listPacks(repository, options);
  const quarantined = await loadQuarantine(repository, options);
  return loadIndex(repository, packs, condemned, quarantined, options);
}

/** Everything that can be read, condemned or not. */
export async function loadPresenceForReading(repository: Repository, options: PresenceOptions): Promise<Presence> {
  const packs = await listPacks(repository, options);
  return loadIndex(repository, packs, { packs: new Set(), everything: false }, new Set(), options);
}

export async function listPacks(
  repository: Repository,
  options: { signal?: AbortSignal },
): Promise<Map<PackName, ObjectInfo>> {
  const packs = new Map<PackName, ObjectInfo>();
  for await (const info of repository.backend.list(folder.packs, options)) {
    const name = baseName(info.key);
    if (isPackName(name) && objectName.pack(name) === info.key) packs.set(name, info);
  }
  return packs;
}

export interface Condemned {
  /** Packs named in any plan or final. */
  packs: Set<PackName>;
  /** A plan could not be read: any pack may be in it, so none is relied on. */
  everything: boolean;
}

/** W2 and G5: packs that a collector has announced to delete, or has decided to; `except` is the caller's own plan. */
export async function listCondemned(
  repository: Repository,
  options: PresenceOptions,
  { except }: { except?: string } = {},
): Promise<Condemned> {
  const condemned: Condemned = { packs: new Set(), everything: false };
  const names = await listGc(repository, options);
  if (except !== undefined) names.delete(except);
  const gids = [...new Set([...names].map((name) => name.replace(/\.(plan|final)$/, "")))];
  const readBoth = async (gid: string) => {
    const plan = names.has(`${gid}.plan`) ? await readCondemned(repository, `${gid}.plan`, options) : "absent";
    // Also when only the plan was listed and is gone by now: then its final has come.
    const hasFinal = names.has(`${gid}.final`) || (names.has(`${gid}.plan`) && plan === "absent");
    const final = hasFinal ? await readCondemned(repository, `${gid}.final`, options) : "absent";
    // A final is part of its plan. A plan goes away only when its deletions are done, so a final that is left alone and
    // damaged names nothing that is still listed.
    if (plan === "unreadable" && !Array.isArray(final)) condemned.everything = true;
    for (const packs of [plan, final]) if (Array.isArray(packs)) for (const pack of packs) condemned.packs.add(pack);
  };
  await mapConcurrent(gids, readBoth, repository.backend.parallelReads === undefined ? 1 : STORAGE_CONCURRENCY);
  return condemned;
}

/**
 * Names of plans and finals. Listed twice, because a listing takes time: a final that came after its name was passed, with a
 * plan that went before its own was reached, is in the second. (A plan that came after the first began waits for the caller.)
 */
async function listGc(repository: Repository, options: PresenceOptions): Promise<Set<string>> {
  const names = new Set<string>();
  for (let look = 0; look < 2; look++) {
    for await (const { key } of repository.backend.list(folder.gc, options)) {
      if (isSid(baseName(key).replace(/\.(plan|final)$/, ""))) names.add(key);
    }
  }
  return names;
}

async function readCondemned(
  repository: Repository,
  name: string,
  options: PresenceOptions,
): Promise<readonly PackName[] | "unreadable" | "absent"> {
  try {
    const isFinal = name.endsWith(".final");
    const known = isFinal ? await readKnownFinal(repository, name) : undefined;
    if (known !== undefined) return known;
    const sealed = await repository.backend.get(name, options);
    const plain = repository.objects.open(name, isFinal ? "gcFinal" : "gcPlan", sealed);
    const stored = isFinal ? decodeGcFinal(plain, name) : decodeGcPlan(plain, name);
    if (isVerdictValid(repository, name, stored)) {
      if (isFinal) await repository.cache.put(name, sealed);
      return "delete" in stored ? stored.delete : stored.victims;
    }
    // Only what the keeper has signed leads to a deletion, so what somebody else wrote here condemns nothing.
    const { code, message, data } = unsigned(name);
    options.onWarning({ code, message, data });
    return "absent";
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    // Gone between list and get: for a plan, its deletions are done and its final stays.
    if (error.code === "OBJECT_NOT_FOUND") return "absent";
    options.onWarning({
      code: "GC_OBJECT_UNREADABLE",
      message: `${error.message}; the next gc abandons it, until then more may be stored than necessary`,
      data: { object: name },
    });
    return "unreadable";
  }
}

/**
 * A final that was read before: it is decided once, so its name says what is in it. Only ever asked for names that the storage
 * lists, and only valid ones were put here.
 */
async function readKnownFinal(repository: Repository, name: string): Promise<readonly PackName[] | undefined> {
  const sealed = await repository.cache.get(name);
  if (sealed === undefined) return undefined;
  try {
    const final = decodeGcFinal(repository.objects.open(name, "gcFinal", sealed), name);
    if (isVerdictValid(repository, name, final)) return final.delete;
  } catch {
    // as good as none
  }
  await repository.cache.delete(name);
  return undefined;
}

/** Copies that a verification found damaged. Unreadable quarantine objects are skipped: they only save work. */
export async function loadQuarantine(repository: Repository, options: PresenceOptions): Promise<Set<string>> {
  const copies = new Set<string>();
  for await (const { key } of repository.backend.list(folder.quarantine, options)) {
    if (!isSid(baseName(key))) continue;
    for (const { pack, id } of await readQuarantine(repository, key, options)) copies.add(`${pack}/${id}`);
  }
  return copies;
}

/** Every index object; whatever else lies in that folder is none of ours. */
export async function listIndex(repository: Repository, options: { signal?: AbortSignal }): Promise<ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of repository.backend.list(folder.index, options)) {
    if (isPackName(baseName(info.key))) infos.push(info);
  }
  return infos;
}

async function loadIndex(
  repository: Repository,
  packs: Map<PackName, ObjectInfo>,
  condemned: Condemned,
  quarantined: Set<string>,
  options: PresenceOptions,
): Promise<Presence> {
  const infos = await listIndex(repository, options);
  const indexNames = infos.map((info) => info.key);
  const totalBytes = infos.reduce((sum, info) => sum + info.sizeBytes, 0);
  const kept = totalBytes <= KEEP_INDEX_BYTES ? new Map<string, PackContents[]>() : null;
  const usable = (pack: PackContents) =>
    !condemned.everything && !condemned.packs.has(pack.name) && packs.get(pack.name)?.sizeBytes === pack.sizeBytes;

  const described = new Set<PackName>();
  const unreadable = new Set<string>();
  // Behind a network they are read side by side; else one by one, as they are needed.
  if (kept !== null && repository.backend.parallelReads !== undefined) {
    await mapConcurrent(indexNames, async (name) => {
      const contents = await readIndexObject(repository, name, options);
      if (contents === undefined) unreadable.add(name);
      else kept.set(name, contents);
    });
  }
  let adopted: PackContents[] | null = null;
  let absent: PackContents[] = [];
  let opaque = new Set<PackName>();
  async function forEachPack(visit: (pack: PackContents) => void): Promise<void> {
    const done = new Set<PackName>();
    opaque = new Set(packs.keys());
    absent = [];
    for (const name of indexNames) {
      if (unreadable.has(name)) continue;
      const contents = kept?.get(name) ?? (await readIndexObject(repository, name, options));
      if (contents === undefined) {
        unreadable.add(name);
        continue;
      }
      kept?.set(name, contents);
      for (const pack of contents) {
        if (packs.get(pack.name)?.sizeBytes === pack.sizeBytes) {
          described.add(pack.name);
          opaque.delete(pack.name);
        }
        if (!packs.has(pack.name)) absent.push(pack);
        if (done.has(pack.name) || !usable(pack)) continue;
        done.add(pack.name);
        visit(withoutQuarantined(pack, quarantined));
      }
    }
    adopted ??= await adoptPacks(repository, packs, described, options);
    for (const pack of adopted) {
      opaque.delete(pack.name);
      if (usable(pack)) visit(withoutQuarantined(pack, quarantined));
    }
  }
  const index = await ChunkIndex.build(forEachPack, totalBytes / BLOB_ENTRY_BYTES);
  for (const pack of absent) index.absent.add(pack);
  return { index, packs, adopted: adopted ?? [], opaque, indexNames, quarantined };
}

/** Tables of contents of one index object; undefined when it is gone or damaged (packs explain themselves). */
export async function readIndexObject(
  repository: Repository,
  name: string,
  options: PresenceOptions,
): Promise<PackContents[] | undefined> {
  const cached = await repository.cache.get(name);
  if (cached) {
    try {
      return decodePackIndex(repository.objects.open(name, "packIndex", cached), name);
    } catch {
      await repository.cache.delete(name);
    }
  }
  const stored = await readHintBytes(repository, name, options);
  if (stored === undefined) return undefined;
  try {
    const contents = decodePackIndex(repository.objects.open(name, "packIndex", stored), name);
    await repository.cache.put(name, stored);
    return contents;
  } catch (error) {
    options.onWarning({
      code: "INDEX_DAMAGED",
      message: `${(error as Error).message}; the packs' own tables of contents are used instead`,
      data: { object: name },
    });
    return undefined;
  }
}

async function adoptPacks(
  repository: Repository,
  packs: Map<PackName, ObjectInfo>,
  described: ReadonlySet<PackName>,
  options: PresenceOptions,
): Promise<PackContents[]> {
  const orphans = [...packs.entries()].filter(([name]) => !described.has(name));
  const contents = await mapConcurrent(orphans, async ([name, info]) => {
    try {
      return await readPackContents(repository.backend, name, info.sizeBytes, options);
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      if (error.code !== "OBJECT_NOT_FOUND") {
        options.onWarning({ code: error.code, message: error.message, data: error.data });
      }
      return undefined;
    }
  });
  return contents.filter((pack) => pack !== undefined);
}

function withoutQuarantined(pack: PackContents, quarantined: ReadonlySet<string>): PackContents {
  if (quarantined.size === 0) return pack;
  const good: Uint8Array[] = [];
  for (let i = 0; i < pack.blobCount; i++) {
    const entry = pack.entries.subarray(i * BLOB_ENTRY_BYTES, (i + 1) * BLOB_ENTRY_BYTES);
    const id = bytesToHex(entry.subarray(0, BLOB_ID_BYTES));
    if (!quarantined.has(`${pack.name}/${id}`)) good.push(entry);
  }
  if (good.length === pack.blobCount) return pack;
  const entries = new Uint8Array(good.length * BLOB_ENTRY_BYTES);
  good.forEach((entry, i) => {
    entries.set(entry, i * BLOB_ENTRY_BYTES);
  });
  return { ...pack, blobCount: good.length, entries };
}

async function readQuarantine(
  repository: Repository,
  name: string,
  options: PresenceOptions,
): Promise<readonly QuarantinedBlob[]> {
  const stored = await readHintBytes(repository, name, options);
  if (stored === undefined) return [];
  try {
    return decodeQuarantine(repository.objects.open(name, "quarantine", stored), name).blobs;
  } catch (error) {
    options.onWarning({ code: "OBJECT_DAMAGED", message: (error as Error).message, data: { object: name } });
    return [];
  }
}

async function readHintBytes(
  repository: Repository,
  name: string,
  options: PresenceOptions,
): Promise<Uint8Array | undefined> {
  try {
    return await repository.backend.get(name, options);
  } catch (error) {
    if (isOurError(error, "OBJECT_NOT_FOUND")) return undefined;
    if (!isOurError(error, "OBJECT_TOO_LARGE")) throw error;
    options.onWarning({ code: error.code, message: error.message, data: { object: name } });
    return undefined;
  }
}

/** Sids that created any of these packs. */
export function packCreators(packs: Iterable<PackName>): Set<Sid> {
  const creators = new Set<Sid>();
  for (const name of packs) creators.add(packSid(name));
  return creators;
}
