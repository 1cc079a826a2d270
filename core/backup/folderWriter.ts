// Writes one folder of a tree: its entries in order, in pages when there are many. Where a page ends depends on a name, so that
// a new file in a large folder makes one new page.

import {
  encodeTreeFolder,
  encodeTreeIndex,
  refsOf,
  type TreeEntry,
  type TreeIndexPage,
  treeEntryBytes,
} from "../format/treeFolder.js";
import { treeNodeBytes } from "../format/treeNode.js";
import type { StoreBlob } from "../repository/imageMapWriter.js";

export interface StoredFolder {
  id: Uint8Array;
  contentBytes: number;
  /** At any depth. */
  entryCount: number;
}

/** 1152 entries a page on average, about 150 KB. */
const LEAST_ENTRIES = 128;
const PAGE_END_MASK = 0x3ff;
const MOST_PAGE_BYTES = 1024 * 1024;

export class FolderWriter {
  readonly #store: StoreBlob;
  readonly #pages: TreeIndexPage[] = [];
  #entries: TreeEntry[] = [];
  #pageBytes = 0;
  #entryCount = 0;

  constructor(store: StoreBlob) {
    this.#store = store;
  }

  async add(entry: TreeEntry): Promise<void> {
    this.#entries.push(entry);
    this.#pageBytes += treeNodeBytes(refsOf(entry).length, treeEntryBytes(entry));
    this.#entryCount += 1 + entry.entryCount;
    const count = this.#entries.length;
    const isFull = this.#pageBytes >= MOST_PAGE_BYTES;
    if (isFull || (count >= LEAST_ENTRIES && (hashOf(entry.name) & PAGE_END_MASK) === 0)) await this.#endPage();
  }

  async finish(): Promise<StoredFolder> {
    const entryCount = this.#entryCount;
    if (this.#entries.length > 0 || this.#pages.length === 0) await this.#endPage();
    const [only, second] = this.#pages;
    const contentBytes = this.#pages.reduce((sum, { ref }) => sum + ref.bytes, 0);
    if (only !== undefined && second === undefined) return { id: only.ref.id, contentBytes, entryCount };
    return { id: await this.#store("tree", encodeTreeIndex(this.#pages, entryCount)), contentBytes, entryCount };
  }

  async #endPage(): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    this.#pageBytes = 0;
    const bytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const id = await this.#store("tree", encodeTreeFolder(entries));
    this.#pages.push({ ref: { kind: "node", bytes, id }, firstName: entries[0]?.name.slice() ?? new Uint8Array(0) });
  }
}

/** FNV-1a of 32 bits: where pages end must depend on nothing but names. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
