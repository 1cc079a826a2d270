// From a page of a map in one repository to the ids of its chunks in another one, without reading a chunk: what the mapping
// knows, or learns from the same page of an earlier snapshot that both repositories have. Present is what the destination's
// index says (W4 of docs/protocol.md); everything else has to be copied.

import { isAbort, isOurError } from "../errors.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { ChunkIndex } from "../repository/chunkIndex.js";
import { type ImageEntry, ImageReader } from "../repository/imageReader.js";
import type { ChunkMapping } from "./chunkMapping.js";

/** A chunk that must be copied, and where its id belongs among the page's ids. */
export interface MissingChunk {
  entry: ImageEntry;
  places: number[];
}

export interface TranslatedPage {
  /** 32 bytes a chunk of the page, in order; zeros where a missing chunk goes. */
  ids: Uint8Array;
  missing: MissingChunk[];
}

/** The maps of one disk in both repositories, from an earlier snapshot. */
export interface BaseImages {
  from: ImageReader;
  to: ImageReader;
}

export interface TranslatorOptions {
  mapping: ChunkMapping;
  /** What the destination has. */
  index: ChunkIndex;
  fromBlobs: BlobReader;
  toBlobs: BlobReader;
  signal: AbortSignal | undefined;
}

export class PageTranslator {
  readonly #options: TranslatorOptions;

  constructor(options: TranslatorOptions) {
    this.#options = options;
  }

  /** Null when the two cannot be read or do not fit: they only save work. */
  async openBase(base: { from: Archive; to: Archive } | null): Promise<BaseImages | null> {
    if (base === null) return null;
    const { fromBlobs, toBlobs, signal } = this.#options;
    const opened = await readable(async () => ({
      from: await ImageReader.open(base.from, fromBlobs, signal),
      to: await ImageReader.open(base.to, toBlobs, signal),
    }));
    if (!opened || opened.from.root.pageSpanBytes !== opened.to.root.pageSpanBytes) return null;
    return opened;
  }

  async translate(entries: readonly ImageEntry[], page: number, base: BaseImages | null): Promise<TranslatedPage> {
    const first = this.#look(entries);
    if (first.missing.length === 0 || base === null) return first;
    await this.#learn(page, base);
    return this.#look(entries);
  }

  #look(entries: readonly ImageEntry[]): TranslatedPage {
    const { mapping, index } = this.#options;
    const chunks = entries.filter(({ id }) => id !== null);
    const ids = new Uint8Array(chunks.length * BLOB_ID_BYTES);
    const missing = new Map<string, MissingChunk>();
    for (const [place, entry] of chunks.entries()) {
      const id = entry.id as Uint8Array;
      const name = mapping.find(id);
      if (name !== undefined && index.has(name)) {
        ids.set(name, place * BLOB_ID_BYTES);
        continue;
      }
      const key = binaryKey(id);
      const known = missing.get(key);
      if (known) known.places.push(place);
      else missing.set(key, { entry, places: [place] });
    }
    return { ids, missing: [...missing.values()] };
  }

  /** Chunks at the same places of both maps are the same bytes. */
  async #learn(page: number, base: BaseImages): Promise<void> {
    if (page >= base.from.pageCount || page >= base.to.pageCount) return;
    const { signal } = this.#options;
    const pages = await readable(() => Promise.all([base.from.readPage(page, signal), base.to.readPage(page, signal)]));
    if (pages === null || !haveEqualBoundaries(...pages)) return;
    const [from, to] = pages;
    for (const [i, { id }] of from.entries()) {
      if (id !== null) this.#options.mapping.learn(id, to[i]?.id as Uint8Array);
    }
  }
}

function haveEqualBoundaries(a: readonly ImageEntry[], b: readonly ImageEntry[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ length, id }, i) => b[i]?.length === length && (b[i]?.id === null) === (id === null))
  );
}

/** Null for what is damaged or gone; errors of the storage are passed on. */
export async function readable<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return null;
  }
}

function binaryKey(id: Uint8Array): string {
  return String.fromCharCode(...id);
}
