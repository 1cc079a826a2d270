// Objects that somebody has overwritten, brought back from the storage's older versions. Names are used once, so a second,
// different version is an attack or a fault: the earliest one that makes sense is what was meant. docs/roles.md.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import type { EnvelopeKind } from "../format/envelope.js";
import { baseName, folder, isPackName, isSid, objectName } from "../format/ids.js";
import { decodeManifest } from "../format/manifest.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES } from "../format/pack.js";
import { decodePackIndex } from "../format/packIndex.js";
import { decodeQuarantine, decodeRecord } from "../format/record.js";
import { BlobReader } from "../repository/blobReader.js";
import { ChunkIndex } from "../repository/chunkIndex.js";
import { NO_CACHE } from "../repository/objectCache.js";
import { readPackContents } from "../repository/packReader.js";
import { Repository } from "../repository/repository.js";
import { requireKeeper } from "../repository/verdicts.js";
import { haveSameContents, overwrittenObjects } from "../repository/versions.js";
import type { ObjectVersion } from "../storage/backend.js";
import { MemoryBackend } from "../storage/memoryBackend.js";
import { PARKING } from "./swappedPacks.js";

export interface VersionRepair {
  object: string;
  /** The version that is brought back; null: none makes sense. */
  versionId: string | null;
  /** The storage's time of the version that is there now. */
  overwrittenAtMs: number;
  /** How many different contents the name has had. */
  contents: number;
}

export interface VersionRepairOptions {
  signal?: AbortSignal;
}

/** Folders whose names are used once and that no signature protects. */
const FOLDERS = [folder.snapshots, folder.packs, folder.index, folder.records, folder.quarantine];
/** Where the first version counts: those in which it expires. To replace a decision would leave it open for a moment. */
const EXPIRING_FOLDERS = [folder.packs, folder.index];

/** Objects with more than one contents, and which version to bring back. VERSIONS_UNSUPPORTED where the storage keeps none. */
export async function planRepairVersions(
  repository: Repository,
  options: VersionRepairOptions = {},
): Promise<VersionRepair[]> {
  const { backend } = repository;
  if (backend.versions === undefined || backend.getVersion === undefined) throw withoutVersions(repository);
  const repairs: VersionRepair[] = [];
  const firstCounts = (await backend.protection?.(options))?.versioning === "on";
  for (const prefix of firstCounts ? EXPIRING_FOLDERS : FOLDERS) {
    for await (const versions of overwrittenObjects(backend, prefix, options)) {
      const [latest] = versions;
      if (latest === undefined || !isOurs(latest.key)) continue;
      const chosen = await earliestSound(repository, versions, options);
      if (chosen !== undefined && (await haveSameContents(backend, chosen, latest, options))) continue;
      const { key: object, modifiedAtMs: overwrittenAtMs } = latest;
      const contents = new Set(versions.map(({ contentsTag }) => contentsTag)).size;
      repairs.push({ object, versionId: chosen?.versionId ?? null, overwrittenAtMs, contents });
    }
  }
  return repairs;
}

/**
 * Puts the chosen versions on top again; what was there stays as an older version. A pack may be missing for a moment: its copy
 * in `parked/` is what repair index uses when a kill leaves it so. KEEPER_KEY_REQUIRED. Answers how many.
 */
export async function applyRepairVersions(
  repository: Repository,
  repairs: readonly VersionRepair[],
  options: VersionRepairOptions = {},
): Promise<number> {
  requireKeeper(repository, "bringing back versions");
  let done = 0;
  for (const { object, versionId } of repairs) {
    if (versionId === null) continue;
    const bytes = await repository.backend.getVersion?.(object, versionId, options);
    if (bytes === undefined) throw withoutVersions(repository);
    const parked = object.startsWith(folder.packs) ? PARKING + baseName(object) : null;
    if (parked !== null) await repository.backend.put(parked, bytes, options);
    await repository.backend.put(object, bytes, options);
    if (parked !== null) await repository.backend.delete(parked, options);
    done++;
  }
  return done;
}

function isOurs(key: string): boolean {
  const name = baseName(key);
  return isSid(name) || isPackName(name);
}

async function earliestSound(
  repository: Repository,
  newestFirst: readonly ObjectVersion[],
  options: VersionRepairOptions,
): Promise<ObjectVersion | undefined> {
  for (const version of [...newestFirst].reverse()) {
    const bytes = await repository.backend.getVersion?.(version.key, version.versionId, options);
    if (bytes !== undefined && (await isSound(repository, version.key, bytes))) return version;
  }
  return undefined;
}

const KINDS: Record<string, EnvelopeKind> = {
  [folder.snapshots]: "snapshot",
  [folder.index]: "packIndex",
  [folder.records]: "record",
  [folder.quarantine]: "quarantine",
};

/** Whether the bytes are, under this name, what a writer with the repository's key has made. */
async function isSound(repository: Repository, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const kind = KINDS[key.slice(0, key.indexOf("/") + 1)];
    if (kind === undefined) await checkPack(repository, key, bytes);
    else {
      const plain = repository.objects.open(key, kind, bytes);
      if (kind === "snapshot") decodeManifest(plain, key);
      else if (kind === "packIndex") decodePackIndex(plain, key);
      else if (kind === "record") decodeRecord(plain, key);
      else decodeQuarantine(plain, key);
    }
    return true;
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return false;
  }
}

/** Every chunk of it, in memory. */
async function checkPack(repository: Repository, key: string, bytes: Uint8Array): Promise<void> {
  const name = baseName(key);
  if (!isPackName(name) || objectName.pack(name) !== key) return;
  const alone = new MemoryBackend();
  await alone.put(key, bytes);
  const { config, keyring, environment } = repository;
  const contents = await readPackContents(alone, name, bytes.length);
  const index = await ChunkIndex.build(async (visit) => visit(contents), contents.blobCount);
  const blobs = new BlobReader(new Repository(alone, config, keyring, environment, NO_CACHE), index);
  for (let i = 0; i < contents.blobCount; i++) {
    await blobs.read(contents.entries.slice(i * BLOB_ENTRY_BYTES, i * BLOB_ENTRY_BYTES + BLOB_ID_BYTES));
  }
}

function withoutVersions({ backend }: Repository): RepriseError {
  return new RepriseError(
    "unsupported",
    "VERSIONS_UNSUPPORTED",
    `${backend.location}: this storage keeps no versions`,
    {
      data: { location: backend.location },
      hint: "restore what was overwritten from a replica with reprise repair --from, or back up again",
    },
  );
}
