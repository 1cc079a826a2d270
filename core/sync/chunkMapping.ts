// What a chunk of one repository is called in another one. With the same key ids are equal. Else the names are learned from
// snapshots that both have, and from what is copied: 80 bytes a chunk, in typed arrays, in two generations, so that memory
// stays bounded and what is used lately is known.

import { BLOB_ID_BYTES } from "../format/pack.js";
import { IdTable } from "../repository/idTable.js";

export interface ChunkMapping {
  /** The id in the other repository; a view that is valid until the next `learn`. It may not be present there. */
  find(id: Uint8Array): Uint8Array | undefined;
  learn(from: Uint8Array, to: Uint8Array): void;
}

/** Between repositories whose chunk ids are made with the same key. */
export const SAME_IDS: ChunkMapping = {
  find: (id) => id,
  learn: () => {},
};

/** Chunks of one generation: about 160 MB, and 250 GB of distinct data at the usual chunk size. */
const GENERATION_CHUNKS = 2_000_000;

export class LearnedIds implements ChunkMapping {
  readonly #generationChunks: number;
  #young = new Generation();
  #old = new Generation();

  constructor(generationChunks: number = GENERATION_CHUNKS) {
    this.#generationChunks = generationChunks;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  find(id: Uint8Array): Uint8Array | undefined {
    return this.#young.find(id) ?? this.#old.find(id);
  }

  learn(from: Uint8Array, to: Uint8Array): void {
    if (this.#young.size >= this.#generationChunks) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.insert(from, to);
  }
}

class Generation {
  /** Id → row of #names, in the table's first value. */
  readonly #rows = new IdTable();
  #names = new Uint8Array(1024 * BLOB_ID_BYTES);

  get size(): number {
    return this.#rows.size;
  }

  find(id: Uint8Array): Uint8Array | undefined {
    const row = this.#rows.find(id, 0);
    return row < 0 ? undefined : this.#names.subarray(row * BLOB_ID_BYTES, (row + 1) * BLOB_ID_BYTES);
  }

  insert(from: Uint8Array, to: Uint8Array): void {
    const known = this.#rows.find(from, 0);
    const row = known < 0 ? this.#rows.size : known;
    if (known < 0) this.#rows.insert(from, 0, 0, 0, 0);
    if ((row + 1) * BLOB_ID_BYTES > this.#names.length) this.#grow();
    this.#names.set(to, row * BLOB_ID_BYTES);
  }

  #grow(): void {
    const names = new Uint8Array(this.#names.length * 2);
    names.set(this.#names);
    this.#names = names;
  }
}
