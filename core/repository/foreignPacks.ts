// A look into packs that others have stored, before a backup relies on them for the first time. Whoever has the repository's key
// can publish a pack whose chunks are not what they are called; a small random sample finds one that is false throughout,
// and what is false is not relied on. It proves nothing about the rest: verify --read-data does. docs/roles.md.

import { isAbort, isOurError } from "../errors.js";
import { decodeText, encodeText } from "../format/bytes.js";
import { bytesToHex, isPackName, objectName, type PackName } from "../format/ids.js";
import { encodeQuarantine, type QuarantinedBlob } from "../format/record.js";
import { BlobReader } from "./blobReader.js";
import type { BlobLocation } from "./chunkIndex.js";
import type { Presence } from "./presence.js";
import type { Repository } from "./repository.js";
import type { OnWarning } from "./warnings.js";

export interface SampleOptions {
  /** Ranged reads, two for each pack; 0: no sample. */
  sampleReads?: number;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/** With two roles, unless something else is asked for. */
export const DEFAULT_SAMPLE_READS = 8;
const READS_PER_PACK = 2;
const MAX_SAMPLE_BYTES = 4 * 1024 * 1024;
const CACHE_NAME = "sampled-packs";

interface Sample {
  id: Uint8Array;
  location: BlobLocation;
}

/** Packs with a false chunk, each reported (PACK_FALSE) and its chunk put into quarantine. Good ones are remembered by the cache. */
export async function findFalsePacks(
  repository: Repository,
  presence: Presence,
  options: SampleOptions,
): Promise<Set<PackName>> {
  const falsePacks = new Set<PackName>();
  const count = Math.floor((options.sampleReads ?? 0) / READS_PER_PACK);
  if (count <= 0) return falsePacks;
  const known = await loadKnown(repository);
  const strange = [...presence.packs.keys()].filter((pack) => !known.has(pack));
  if (strange.length === 0) return falsePacks;
  const blobs = new BlobReader(repository, presence.index);
  const quarantine: QuarantinedBlob[] = [];
  let bytes = 0;
  for (const { id, location } of chooseSamples(repository, presence, choosePacks(repository, strange, count))) {
    if (bytes + location.storedLength > MAX_SAMPLE_BYTES) continue;
    bytes += location.storedLength;
    const why = await whatIsWrong(blobs, id, location, options.signal);
    if (why === undefined) known.add(location.pack);
    else {
      falsePacks.add(location.pack);
      quarantine.push({ pack: location.pack, id: bytesToHex(id) });
      const message = `pack ${location.pack} is not relied on: ${why}`;
      options.onWarning({ code: "PACK_FALSE", message, data: { pack: location.pack } });
    }
  }
  if (quarantine.length > 0) await storeQuarantine(repository, quarantine, options);
  await saveKnown(repository, known, presence);
  return falsePacks;
}

async function whatIsWrong(
  blobs: BlobReader,
  id: Uint8Array,
  location: BlobLocation,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    await blobs.readCopy(id, location, signal);
    return undefined;
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return error.message;
  }
}

/** Different ones, by chance that a thief cannot foresee. */
function choosePacks(repository: Repository, packs: readonly PackName[], count: number): Set<PackName> {
  const left = [...packs];
  const chosen = new Set<PackName>();
  while (chosen.size < count && left.length > 0) {
    const [pack] = left.splice(chance(repository, left.length), 1);
    if (pack !== undefined) chosen.add(pack);
  }
  return chosen;
}

/** One chunk of each pack. */
function chooseSamples(repository: Repository, { index }: Presence, packs: ReadonlySet<PackName>): Sample[] {
  const seen = new Map<PackName, number>();
  const samples = new Map<PackName, Sample>();
  index.forEachIn(packs, (id, location) => {
    const before = seen.get(location.pack) ?? 0;
    seen.set(location.pack, before + 1);
    if (chance(repository, before + 1) === 0) samples.set(location.pack, { id: id.slice(), location });
  });
  return [...samples.values()];
}

function chance(repository: Repository, below: number): number {
  const bytes = repository.environment.random(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) % below;
}

async function storeQuarantine(
  repository: Repository,
  blobs: readonly QuarantinedBlob[],
  options: SampleOptions,
): Promise<void> {
  const rid = repository.newId();
  const plain = encodeQuarantine({ rid, at: repository.nowIso(), by: repository.author, blobs });
  await repository.objects.writeNew(objectName.quarantine(rid), "quarantine", plain, options);
}

/** Losing this costs a few reads. */
async function loadKnown(repository: Repository): Promise<Set<PackName>> {
  const stored = await repository.cache.get(CACHE_NAME);
  if (stored === undefined) return new Set();
  try {
    const names = decodeText(repository.objects.open(CACHE_NAME, "cache", stored), CACHE_NAME).split("\n");
    return new Set(names.filter(isPackName));
  } catch {
    await repository.cache.delete(CACHE_NAME);
    return new Set();
  }
}

async function saveKnown(repository: Repository, known: ReadonlySet<PackName>, presence: Presence): Promise<void> {
  const names = [...known].filter((pack) => presence.packs.has(pack));
  const plain = encodeText(names.join("\n"));
  await repository.cache.put(CACHE_NAME, repository.objects.seal(CACHE_NAME, "cache", plain));
}
