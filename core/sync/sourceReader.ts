// The repository that is read from: maps, files and chunks, every digest checked. Damage there is one error with one code, so
// that a replication can leave a snapshot out and go on with the others.

import type { Lane } from "../engine/lane.js";
import { isAbort, isOurError, RepriseError } from "../errors.js";
import { hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { decodeTreeNode } from "../format/treeNode.js";
import { BlobReader } from "../repository/blobReader.js";
import type { Snapshot } from "../repository/catalog.js";
import { FreshPresence } from "../repository/freshPresence.js";
import { type ImageEntry, ImageReader } from "../repository/imageReader.js";
import { loadPresenceForReading } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { decodeEntries } from "../restore/decodeEntries.js";
import type { RestoreLaneApi } from "../restore/restoreLane.js";
import { startRestoreLanes } from "../restore/restoreLanes.js";
import type { SyncOptions } from "./syncReport.js";

export class SourceReader {
  readonly repository: Repository;
  readonly #fresh: FreshPresence;
  readonly #blobs: BlobReader;
  readonly #options: SyncOptions;
  readonly #laneCount: number | undefined;
  #lanes: Promise<Lane<RestoreLaneApi>[]> | undefined;
  #turn = 0;

  private constructor(
    repository: Repository,
    fresh: FreshPresence,
    laneCount: number | undefined,
    options: SyncOptions,
  ) {
    this.repository = repository;
    this.#fresh = fresh;
    this.#blobs = new BlobReader(repository, fresh.current.index, fresh.indexAfter);
    this.#laneCount = laneCount;
    this.#options = options;
  }

  /** Lanes start with the first chunk that is read. */
  static async open(
    repository: Repository,
    laneCount: number | undefined,
    options: SyncOptions,
  ): Promise<SourceReader> {
    const presence = await loadPresenceForReading(repository, options);
    return new SourceReader(repository, new FreshPresence(repository, presence, options), laneCount, options);
  }

  /** For maps that need not be readable; `image` is for those that must. */
  get blobs(): BlobReader {
    return this.#blobs;
  }

  /** SYNC_SOURCE_DAMAGED, like all that follows. */
  image(archive: Archive): Promise<ImageReader> {
    return sourceDamage(`the map of ${archive.name}`, () =>
      ImageReader.open(archive, this.#blobs, this.#options.signal),
    );
  }

  page(image: ImageReader, page: number, name: string): Promise<ImageEntry[]> {
    const at = image.pageSpan(page).offset;
    return sourceDamage(`${name} at byte ${at}`, () => image.readPage(page, this.#options.signal));
  }

  /** The plain bytes of a node of a file tree. */
  treeNode(id: Uint8Array, name: string): Promise<Uint8Array> {
    return sourceDamage(name, async () => {
      const bytes = await this.#blobs.read(id, { signal: this.#options.signal, cached: true });
      decodeTreeNode(bytes, name);
      return bytes;
    });
  }

  /** The one blob of a file. */
  file(archive: Archive): Promise<Uint8Array> {
    return sourceDamage(archive.name, async () => {
      const id = hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
      const plain = await this.#blobs.read(id, { signal: this.#options.signal });
      if (plain.length === archive.sizeBytes) return plain;
      throw new RepriseError("corrupt", "ENTRY_DAMAGED", `it has ${plain.length} bytes, not ${archive.sizeBytes}`);
    });
  }

  /** Plain bytes of chunks, in the order given. */
  chunks(entries: readonly ImageEntry[], name: string): Promise<Uint8Array[]> {
    return sourceDamage(name, async () => {
      this.#options.signal?.throwIfAborted();
      this.#lanes ??= startRestoreLanes(this.repository, null, this.#laneCount);
      const lanes = await this.#lanes;
      const lane = lanes[this.#turn++ % lanes.length] as Lane<RestoreLaneApi>;
      return (await decodeEntries(entries, this.#fresh, lane)) as Uint8Array[];
    });
  }

  async close(): Promise<void> {
    for (const lane of (await this.#lanes) ?? []) await lane.close();
  }
}

/** The snapshot's own fault, not the storage's. */
export function isDamage(error: unknown): error is RepriseError {
  if (isAbort(error) || !isOurError(error)) return false;
  return ["corrupt", "format", "unsupported", "not-found"].includes(error.family);
}

async function sourceDamage<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    throw new RepriseError("corrupt", "SYNC_SOURCE_DAMAGED", `${what}: ${cause.message}`, {
      data: { ...cause.data, code: cause.code },
      hint: "run verify --read-data where it was read from; repair --from can heal it from another copy",
      cause,
    });
  }
}

/** How people know a snapshot. */
export function snapshotLabel({ manifest }: Pick<Snapshot, "manifest">): string {
  const { namespace, group, time } = manifest;
  return `${namespace === "" ? "" : `${namespace}:`}${group}@${time}`;
}
