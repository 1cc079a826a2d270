// A disk inside a snapshot as bytes that can be read anywhere: only the chunks that a read touches are fetched, each once
// as long as the cache holds it.

import type { Lane } from "../engine/lane.js";
import { RepriseError } from "../errors.js";
import type { BlockReader, ReadOptions } from "../filesystem/blockReader.js";
import { bytesToHex } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BlobReader } from "../repository/blobReader.js";
import { FreshPresence } from "../repository/freshPresence.js";
import { type ImageEntry, ImageReader } from "../repository/imageReader.js";
import { loadPresenceForReading } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { decodeEntries } from "../restore/decodeEntries.js";
import type { RestoreLaneApi } from "../restore/restoreLane.js";
import { startRestoreLanes } from "../restore/restoreLanes.js";
import { ByteCache } from "./byteCache.js";

/** Plain chunks kept for all disks that are open together. */
const CHUNK_CACHE_BYTES = 64 * 1024 * 1024;
/** Decoded pages of image maps: some 40 bytes an entry, counted as their chunks' number. */
const PAGE_CACHE_ENTRIES = 200_000;
/** One call of the decoder; larger reads are made of several. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** What the disks of one or several snapshots share: where chunks are, the decoder, the cache. */
export class ChunkFetcher {
  readonly #fresh: FreshPresence;
  readonly #lane: Lane<RestoreLaneApi>;
  readonly #cache = new ByteCache<Uint8Array>(CHUNK_CACHE_BYTES);
  readonly #loading = new Map<string, Promise<Uint8Array>>();
  readonly blobs: BlobReader;

  private constructor(repository: Repository, fresh: FreshPresence, lane: Lane<RestoreLaneApi>) {
    this.#fresh = fresh;
    this.#lane = lane;
    this.blobs = new BlobReader(repository, fresh.current.index, fresh.indexAfter);
  }

  static async open(
    repository: Repository,
    options: { signal?: AbortSignal; onWarning: OnWarning },
  ): Promise<ChunkFetcher> {
    const presence = await loadPresenceForReading(repository, options);
    // On this thread: starting others takes longer than what most reads of files need.
    const [lane] = await startRestoreLanes(repository, null, 0);
    return new ChunkFetcher(repository, new FreshPresence(repository, presence, options), lane as Lane<RestoreLaneApi>);
  }

  /** The plain bytes of chunks, in the order of `entries`; all of them have an id. */
  async chunks(entries: readonly ImageEntry[]): Promise<Uint8Array[]> {
    const hexes = entries.map(({ id }) => bytesToHex(id as Uint8Array));
    const wanted = new Map<string, ImageEntry>();
    entries.forEach((entry, i) => {
      const hex = hexes[i] as string;
      if (!this.#cache.has(hex) && !this.#loading.has(hex)) wanted.set(hex, entry);
    });
    if (wanted.size > 0) this.#load([...wanted.keys()], [...wanted.values()]);
    return await Promise.all(
      hexes.map(async (hex) => this.#cache.get(hex) ?? ((await this.#loading.get(hex)) as Uint8Array)),
    );
  }

  async close(): Promise<void> {
    await this.#lane.close();
  }

  #load(hexes: readonly string[], entries: readonly ImageEntry[]): void {
    const parts = decodeEntries(entries, this.#fresh, this.#lane);
    hexes.forEach((hex, i) => {
      const part = parts.then((all) => all[i] as Uint8Array);
      this.#loading.set(hex, part);
      part.then(
        (bytes) => this.#cache.set(hex, bytes, bytes.length),
        () => {},
      );
      part.finally(() => this.#loading.delete(hex)).catch(() => {});
    });
  }
}

export class SnapshotDisk implements BlockReader {
  readonly sizeBytes: number;
  readonly image: ImageReader;
  readonly #fetcher: ChunkFetcher;
  readonly #pages = new ByteCache<Promise<ImageEntry[]>>(PAGE_CACHE_ENTRIES);

  private constructor(image: ImageReader, fetcher: ChunkFetcher) {
    this.image = image;
    this.sizeBytes = image.root.imageBytes;
    this.#fetcher = fetcher;
  }

  static async open(archive: Archive, fetcher: ChunkFetcher, signal?: AbortSignal): Promise<SnapshotDisk> {
    return new SnapshotDisk(await ImageReader.open(archive, fetcher.blobs, signal), fetcher);
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    if (offset < 0 || offset + buffer.length > this.sizeBytes) {
      throw new RepriseError("invariant", "PART_OUTSIDE", `${buffer.length} bytes at ${offset} are not on the disk`);
    }
    for (let done = 0; done < buffer.length; ) {
      options.signal?.throwIfAborted();
      const part = buffer.subarray(done, done + MAX_BATCH_BYTES);
      await this.#readPart(part, offset + done);
      done += part.length;
    }
  }

  /** The map's entries that touch the range, in order of the disk. */
  async entries(offset: number, length: number): Promise<ImageEntry[]> {
    const found: ImageEntry[] = [];
    const end = offset + length;
    for (let page = Math.floor(offset / this.image.root.pageSpanBytes); page < this.image.pageCount; page++) {
      if (this.image.pageSpan(page).offset >= end) break;
      const entries = await this.#page(page);
      for (let i = firstEndingAfter(entries, offset); i < entries.length; i++) {
        const entry = entries[i] as ImageEntry;
        if (entry.offset >= end) break;
        found.push(entry);
      }
    }
    return found;
  }

  async #readPart(buffer: Uint8Array, offset: number): Promise<void> {
    const entries = await this.entries(offset, buffer.length);
    const stored = entries.filter(({ id }) => id !== null);
    const chunks = await this.#fetcher.chunks(stored);
    for (const entry of entries) if (entry.id === null) overlap(buffer, offset, entry).fill(0);
    stored.forEach((entry, i) => {
      const chunk = chunks[i] as Uint8Array;
      const from = Math.max(0, offset - entry.offset);
      const target = overlap(buffer, offset, entry);
      target.set(chunk.subarray(from, from + target.length));
    });
  }

  #page(page: number): Promise<ImageEntry[]> {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    // Without a caller's signal: others may wait for the same page.
    const reading = this.image.readPage(page);
    this.#pages.set(page, reading, 1);
    reading.then(
      (entries) => this.#pages.set(page, reading, entries.length),
      () => this.#pages.delete(page),
    );
    return reading;
  }
}

/** The part of `buffer`, which stands at `offset` of the disk, that the entry fills. */
function overlap(buffer: Uint8Array, offset: number, entry: ImageEntry): Uint8Array {
  return buffer.subarray(Math.max(0, entry.offset - offset), Math.max(0, entry.offset + entry.length - offset));
}

function firstEndingAfter(entries: readonly ImageEntry[], offset: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle] as ImageEntry;
    if (entry.offset + entry.length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
