// What the local cache keeps for the catalog: opened payloads of immutable objects in a few files, because ten thousand small
// reads are slow. What is read is written now and then, so that a reading that was interrupted goes on where it was.

import { decodeText, encodeText } from "../format/bytes.js";
import type { EnvelopeKind } from "../format/envelope.js";
import type { Breather } from "../platform/breather.js";
import type { Repository } from "./repository.js";

/** Read and opened as one piece. */
const ENTRIES_PER_PART = 2000;
/** Parts are written in between when a reading takes longer than this. */
const SAVE_EVERY_MS = 3000;
/** Small parts that may pile up before all are written as few. */
const SPARE_PARTS = 16;

/** Name and opened payload of an object. */
type Entry = readonly [string, string];

export class CatalogCache {
  readonly #repository: Repository;
  readonly #known: ReadonlyMap<string, string>;
  readonly #used = new Map<string, string>();
  #unsaved: Entry[] = [];
  #added = 0;
  #saving: Promise<void> = Promise.resolve();
  #savedAtMs = performance.now();
  /** Undefined: nothing is written before the end. */
  #nextPart: number | undefined;

  private constructor(repository: Repository, known: Map<string, string>, nextPart: number | undefined) {
    this.#repository = repository;
    this.#known = known;
    this.#nextPart = nextPart;
  }

  /** Knows nothing; what is read replaces what the cache held. */
  static empty(repository: Repository): CatalogCache {
    return new CatalogCache(repository, new Map(), undefined);
  }

  static async load(repository: Repository, breather: Breather): Promise<CatalogCache> {
    const known = new Map<string, string>();
    for (let part = 0; ; part++) {
      const name = partName(part);
      const stored = await repository.cache.get(name);
      if (stored === undefined) return new CatalogCache(repository, known, part);
      try {
        const text = decodeText(repository.objects.open(name, "cache", stored), name);
        for (const [key, plain] of JSON.parse(text) as Entry[]) known.set(key, plain);
      } catch {
        await repository.cache.delete(name);
        return new CatalogCache(repository, known, part);
      }
      await breather.breathe();
    }
  }

  async read(key: string, kind: EnvelopeKind, options: { signal?: AbortSignal }): Promise<Uint8Array> {
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#used.set(key, known);
      return encodeText(known);
    }
    const plain = await this.#repository.objects.read(key, kind, options);
    const text = decodeText(plain, key);
    this.#used.set(key, text);
    this.#unsaved.push([key, text]);
    this.#added++;
    this.#saveInBetween();
    return plain;
  }

  /** Adds what was read; writes everything again when something is gone, or when there are many small parts. */
  async save(): Promise<void> {
    await this.#saving;
    const isAnyGone = this.#used.size < this.#known.size + this.#added;
    if (this.#added === 0 && !isAnyGone) return;
    const enough = 2 * partsFor(this.#used.size) + SPARE_PARTS;
    const canAdd = this.#nextPart !== undefined && this.#nextPart + partsFor(this.#unsaved.length) <= enough;
    if (canAdd && !isAnyGone) await this.#add(this.#unsaved);
    else await this.#writeAll([...this.#used]);
  }

  /** Should the end never come, the next reading begins from here. */
  #saveInBetween(): void {
    if (this.#nextPart === undefined || this.#unsaved.length === 0) return;
    const isDue = performance.now() - this.#savedAtMs >= SAVE_EVERY_MS || this.#unsaved.length >= ENTRIES_PER_PART;
    if (!isDue) return;
    const entries = this.#unsaved;
    this.#unsaved = [];
    this.#savedAtMs = performance.now();
    // a cache that cannot be written is one that misses
    this.#saving = this.#saving.then(() => this.#add(entries)).catch(() => {});
  }

  async #add(entries: readonly Entry[]): Promise<void> {
    for (let at = 0; at < entries.length; at += ENTRIES_PER_PART) {
      const part = this.#nextPart ?? 0;
      this.#nextPart = part + 1;
      await this.#write(part, entries.slice(at, at + ENTRIES_PER_PART));
    }
  }

  async #writeAll(entries: readonly Entry[]): Promise<void> {
    const before = this.#nextPart ?? 0;
    this.#nextPart = 0;
    await this.#add(entries);
    for (let part = this.#nextPart; part <= Math.max(before, this.#nextPart); part++)
      await this.#repository.cache.delete(partName(part));
  }

  async #write(part: number, entries: readonly Entry[]): Promise<void> {
    const name = partName(part);
    const text = JSON.stringify(entries);
    await this.#repository.cache.put(name, this.#repository.objects.seal(name, "cache", encodeText(text)));
  }
}

function partsFor(entries: number): number {
  return Math.ceil(entries / ENTRIES_PER_PART);
}

function partName(part: number): string {
  return `catalog-${part}`;
}
