// Reads single blobs by id, from whichever copy is good. For map pages, roots and files; disks are read in bulk by the
// restore and verify lanes.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import { bytesToHex, objectName, type PackName } from "../format/ids.js";
import { BLOB_HEADER_BYTES } from "../format/pack.js";
import { openByContents } from "./blobSalvage.js";
import type { BlobLocation, ChunkIndex } from "./chunkIndex.js";
import { BlobOpener, fetchPackHeader } from "./packReader.js";
import type { Repository } from "./repository.js";

export class BlobReader {
  readonly #repository: Repository;
  readonly #indexAfter: ((seen: ChunkIndex) => Promise<ChunkIndex>) | undefined;
  readonly #opener: BlobOpener;
  readonly #introductions = new Map<PackName, Promise<void>>();
  #index: ChunkIndex;

  /** `indexAfter`: asked for a newer index when a blob is not where the present one says; see FreshPresence. */
  constructor(repository: Repository, index: ChunkIndex, indexAfter?: (seen: ChunkIndex) => Promise<ChunkIndex>) {
    this.#repository = repository;
    this.#index = index;
    this.#indexAfter = indexAfter;
    this.#opener = new BlobOpener(repository.keyring, repository.hash);
  }

  /**
   * The plain bytes of a blob. CHUNK_MISSING when no pack has it; the last copy's error when all copies are damaged.
   * With `cached`, the local cache is asked first and filled (for map pages and roots).
   */
  async read(id: Uint8Array, options: { signal?: AbortSignal; cached?: boolean } = {}): Promise<Uint8Array> {
    const hex = bytesToHex(id);
    const cacheName = `pages/${hex.slice(0, 2)}/${hex}`;
    if (options.cached) {
      const stored = await this.#repository.cache.get(cacheName);
      const plain = stored && this.#openCached(cacheName, stored, id);
      if (plain) return plain;
    }
    const plain = await this.#readWhereItIs(id, hex, options.signal);
    if (options.cached)
      await this.#repository.cache.put(cacheName, this.#repository.objects.seal(cacheName, "cache", plain));
    return plain;
  }

  async #readWhereItIs(id: Uint8Array, hex: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    for (;;) {
      const index = this.#index;
      try {
        return await this.#readAnyCopy(index, id, hex, signal);
      } catch (error) {
        if (!isOurError(error, "CHUNK_MISSING") && !isOurError(error, "OBJECT_NOT_FOUND")) throw error;
        const newer = (await this.#indexAfter?.(index)) ?? index;
        if (newer === index) throw error;
        this.#index = newer;
      }
    }
  }

  async #readAnyCopy(
    index: ChunkIndex,
    id: Uint8Array,
    hex: string,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    let lastError: unknown;
    for (const location of index.copies(id)) {
      try {
        return await this.readCopy(id, location, signal);
      } catch (error) {
        if (isAbort(error) || !isOurError(error)) throw error;
        lastError = error;
      }
    }
    if (lastError !== undefined) throw lastError;
    throw new RepriseError("corrupt", "CHUNK_MISSING", index.missingText(id), {
      data: { id: hex, pack: index.absent.packOf(id) ?? null },
      hint: "run repair index; if it stays missing, use repair --from with a replica or back up the disk again",
    });
  }

  /** One copy and no other; the errors of BlobOpener.open, and OBJECT_NOT_FOUND. */
  async readCopy(id: Uint8Array, location: BlobLocation, signal: AbortSignal | undefined): Promise<Uint8Array> {
    await this.#introduce(location.pack, signal);
    const range = { offset: location.offset, length: BLOB_HEADER_BYTES + location.storedLength };
    const bytes = await this.#repository.backend.get(objectName.pack(location.pack), { signal, range });
    try {
      return this.#opener.open(location.pack, bytes, 0, id).plain;
    } catch (error) {
      const { backend } = this.#repository;
      return await openByContents(backend, this.#opener, location.pack, bytes, 0, { id, ...location }, error, {
        signal,
      });
    }
  }

  async #introduce(pack: PackName, signal: AbortSignal | undefined): Promise<void> {
    if (this.#opener.knows(pack)) return;
    let introduction = this.#introductions.get(pack);
    if (introduction === undefined) {
      introduction = this.#readPackHeader(pack, signal).finally(() => this.#introductions.delete(pack));
      this.#introductions.set(pack, introduction);
    }
    await introduction;
  }

  async #readPackHeader(pack: PackName, signal: AbortSignal | undefined): Promise<void> {
    this.#opener.introduce(pack, await fetchPackHeader(this.#repository.backend, pack, { signal }));
  }

  #openCached(name: string, stored: Uint8Array, id: Uint8Array): Uint8Array | undefined {
    try {
      const plain = this.#repository.objects.open(name, "cache", stored);
      return bytesToHex(this.#repository.hash(plain)) === bytesToHex(id) ? plain : undefined;
    } catch {
      return undefined;
    }
  }
}
