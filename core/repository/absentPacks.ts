// Packs that an index object describes and that the storage does not have: only for saying which pack a lost chunk was in.
// The index may be older than a collection, so an absent pack alone is no damage.

import { bytesToHex, type PackName } from "../format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES } from "../format/pack.js";
import type { PackContents } from "../format/packIndex.js";

/** More are not remembered: a hint is not worth more memory than the index itself. */
const MAX_BLOBS = 500_000;

export class AbsentPacks {
  readonly #packs = new Map<PackName, PackContents>();
  #blobs = 0;
  #packOf: Map<string, PackName> | undefined;

  add(pack: PackContents): void {
    if (this.#packs.has(pack.name) || this.#blobs + pack.blobCount > MAX_BLOBS) return;
    this.#packs.set(pack.name, { ...pack, entries: pack.entries.slice() });
    this.#blobs += pack.blobCount;
    this.#packOf = undefined;
  }

  /** The absent pack that held the blob; undefined when none is known. */
  packOf(id: Uint8Array): PackName | undefined {
    if (this.#packs.size === 0) return undefined;
    this.#packOf ??= this.#allBlobs();
    return this.#packOf.get(bytesToHex(id));
  }

  #allBlobs(): Map<string, PackName> {
    const packOf = new Map<string, PackName>();
    for (const { name, entries, blobCount } of this.#packs.values()) {
      for (let at = 0; at < blobCount * BLOB_ENTRY_BYTES; at += BLOB_ENTRY_BYTES) {
        packOf.set(bytesToHex(entries.subarray(at, at + BLOB_ID_BYTES)), name);
      }
    }
    return packOf;
  }
}
