// Marks what snapshots need, as bits over the chunk index, and counts it per pack.

import { isOurError, RepriseError } from "../errors.js";
import { bytesToHex, type PackName } from "../format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_HEADER_BYTES, PACK_HEADER_BYTES, PACK_TAIL_BYTES } from "../format/pack.js";
import type { OnProgress } from "../platform/progress.js";
import { BlobReader } from "../repository/blobReader.js";
import { type Catalog, loadCatalog } from "../repository/catalog.js";
import type { BlobLocation, ChunkIndex } from "../repository/chunkIndex.js";
import { loadPresenceForReading, type Presence, type PresenceOptions } from "../repository/presence.js";
import { visitReachable } from "../repository/reachability.js";
import type { Repository } from "../repository/repository.js";

export interface MarkOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

export interface Needs {
  catalog: Catalog;
  presence: Presence;
  marks: Marks;
}

/** A snapshot that is forgotten and collected by somebody else meanwhile looks like a damaged one, once. */
const NEEDS_TRIES = 3;

/**
 * What is needed, by everything that was committed before the call: snapshots first, then packs, so that all that a listed
 * snapshot refers to is listed, too. GC_SNAPSHOT_UNREADABLE as in Marks.make.
 */
export async function loadNeeds(repository: Repository, options: MarkOptions & PresenceOptions): Promise<Needs> {
  for (let attempt = 1; ; attempt++) {
    const catalog = await loadCatalog(repository, { ...options, fresh: true });
    const presence = await loadPresenceForReading(repository, options);
    try {
      return { catalog, presence, marks: await Marks.make(repository, presence, catalog, options) };
    } catch (error) {
      if (attempt === NEEDS_TRIES || !isOurError(error, "GC_SNAPSHOT_UNREADABLE")) throw error;
    }
  }
}

export class Marks {
  readonly index: ChunkIndex;
  readonly #bits: Uint8Array;

  private constructor(index: ChunkIndex) {
    this.index = index;
    this.#bits = new Uint8Array(Math.ceil(index.loadedCount / 8));
  }

  /**
   * Everything that the catalog's snapshots refer to. GC_SNAPSHOT_UNREADABLE when a manifest or a part of an image map
   * cannot be read: what it needs is unknown, so nothing may be deleted.
   */
  static async make(
    repository: Repository,
    presence: Presence,
    catalog: Catalog,
    options: MarkOptions,
  ): Promise<Marks> {
    const [unreadable] = catalog.unreadable;
    if (unreadable) throw unknownNeeds(unreadable.object, unreadable.message);
    const marks = new Marks(presence.index);
    const visitor = {
      onBlob: (id: Uint8Array) => marks.#mark(id),
      onUnreadable({ sid, archive, message }: { sid: string; archive: string; message: string }) {
        throw unknownNeeds(`snapshot ${sid}, ${archive}`, message);
      },
      onSnapshot(done: number, total: number) {
        options.onProgress?.({ operation: "gc", phase: "mark", done, total, unit: "snapshots" });
      },
    };
    await visitReachable(catalog.snapshots, new BlobReader(repository, presence.index), visitor, options.signal);
    return marks;
  }

  isLive(id: Uint8Array): boolean {
    const position = this.index.positionOf(id);
    return position >= 0 && ((this.#bits[position >>> 3] as number) & (1 << (position & 7))) !== 0;
  }

  /** A chunk that is in no pack is not marked: verify reports it, and deleting other packs cannot harm it. */
  #mark(id: Uint8Array): void {
    const position = this.index.positionOf(id);
    if (position >= 0) this.#bits[position >>> 3] = (this.#bits[position >>> 3] as number) | (1 << (position & 7));
  }
}

export interface Usage {
  usedBytes: number;
  hasQuarantined: boolean;
}

/**
 * Stored bytes that are needed from each pack, headers and table of contents included: a pack without garbage is wholly
 * used. Of several copies one counts: one in a pack that is not `leaving`, an undamaged one, in the pack with the most live
 * bytes, so that duplicates gather where they are.
 */
export function countUsage(
  marks: Marks,
  packs: Iterable<PackName>,
  quarantined: ReadonlySet<string>,
  leaving: ReadonlySet<PackName> = new Set(),
): Map<PackName, Usage> {
  const usage = new Map<PackName, Usage>();
  const liveBytes = new Map<PackName, number>();
  const isBad = (pack: PackName, id: Uint8Array) =>
    quarantined.size > 0 && quarantined.has(`${pack}/${bytesToHex(id)}`);
  for (const pack of packs) usage.set(pack, { usedBytes: 0, hasQuarantined: false });
  marks.index.forEach((id, { pack, storedLength }) => {
    if (marks.isLive(id)) liveBytes.set(pack, (liveBytes.get(pack) ?? 0) + storedLength);
  });
  marks.index.forEach((id, location) => {
    if (!marks.isLive(id)) return;
    const ofPack = usage.get(location.pack);
    if (ofPack === undefined) return;
    const keeper = chooseKeeper(marks.index.copies(id), ({ pack }) => {
      return (leaving.has(pack) ? 0 : 2 ** 41) + (isBad(pack, id) ? 0 : 2 ** 40) + (liveBytes.get(pack) ?? 0);
    });
    if (keeper.pack === location.pack && keeper.offset === location.offset) {
      if (ofPack.usedBytes === 0) ofPack.usedBytes = PACK_HEADER_BYTES + PACK_TAIL_BYTES;
      ofPack.usedBytes += BLOB_HEADER_BYTES + location.storedLength + BLOB_ENTRY_BYTES;
    } else if (isBad(location.pack, id)) ofPack.hasQuarantined = true;
  });
  return usage;
}

/** The copy of the highest rank; of equal ones that in the first pack by name. */
function chooseKeeper(copies: readonly BlobLocation[], rank: (copy: BlobLocation) => number): BlobLocation {
  return copies.reduce((best, copy) => {
    const better = rank(copy) - rank(best) || (copy.pack < best.pack ? 1 : -1);
    return better > 0 ? copy : best;
  });
}

function unknownNeeds(what: string, why: string): RepriseError {
  return new RepriseError(
    "corrupt",
    "GC_SNAPSHOT_UNREADABLE",
    `${what}: cannot be read, so what it needs is unknown (${why})`,
    {
      data: { object: what },
      hint: "restore the object from a copy of the storage, or give the snapshot up with forget; gc deletes nothing until then",
    },
  );
}
