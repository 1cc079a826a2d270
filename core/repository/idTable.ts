// A growing hash table from 32-byte ids to three numbers, in typed arrays. Open addressing; ids are digests, so their own
// bytes are the hash. Entries are never removed.

import { BLOB_ID_BYTES } from "../format/pack.js";

const EMPTY = 0;
const INITIAL_ROWS = 1024;
const ROWS_PER_SLOT = 0.75;

export class IdTable {
  #slots = new Uint32Array(2048);
  #ids = new Uint8Array(INITIAL_ROWS * BLOB_ID_BYTES);
  /** pack, offset, length: three numbers a row. */
  #values = new Uint32Array(INITIAL_ROWS * 3);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    return this.#slots.byteLength + this.#ids.byteLength + this.#values.byteLength;
  }

  /** Row number, or −1. */
  find(bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] as number) - 1;
      if (row === EMPTY - 1) return -1;
      if (this.#equals(row, bytes, at)) return row;
    }
  }

  /** Adds the id or overwrites its values; returns whether it is new. */
  insert(bytes: Uint8Array, at: number, pack: number, offset: number, length: number): boolean {
    let row = this.find(bytes, at);
    const isNew = row < 0;
    if (isNew) {
      if (this.#size >= this.#slots.length * ROWS_PER_SLOT) this.#growSlots();
      if (this.#size * 3 >= this.#values.length) this.#growRows();
      row = this.#size++;
      this.#ids.set(bytes.subarray(at, at + BLOB_ID_BYTES), row * BLOB_ID_BYTES);
      this.#place(row);
    }
    this.#values[row * 3] = pack;
    this.#values[row * 3 + 1] = offset;
    this.#values[row * 3 + 2] = length;
    return isNew;
  }

  pack(row: number): number {
    return this.#values[row * 3] as number;
  }

  offset(row: number): number {
    return this.#values[row * 3 + 1] as number;
  }

  length(row: number): number {
    return this.#values[row * 3 + 2] as number;
  }

  /** The id is valid during the call only. */
  forEach(visit: (id: Uint8Array, row: number) => void): void {
    for (let row = 0; row < this.#size; row++) {
      visit(this.#ids.subarray(row * BLOB_ID_BYTES, (row + 1) * BLOB_ID_BYTES), row);
    }
  }

  #place(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashOf(this.#ids, row * BLOB_ID_BYTES) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let row = 0; row < this.#size; row++) this.#place(row);
  }

  #growRows(): void {
    const rows = Math.ceil((this.#values.length / 3) * 1.5);
    const ids = new Uint8Array(rows * BLOB_ID_BYTES);
    ids.set(this.#ids);
    this.#ids = ids;
    const values = new Uint32Array(rows * 3);
    values.set(this.#values);
    this.#values = values;
  }

  #equals(row: number, bytes: Uint8Array, at: number): boolean {
    const start = row * BLOB_ID_BYTES;
    for (let i = 0; i < BLOB_ID_BYTES; i++) if (this.#ids[start + i] !== bytes[at + i]) return false;
    return true;
  }
}

/** Bytes 4–7: the chunk index's buckets use 0–3. */
function hashOf(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at + 4] as number) |
    ((bytes[at + 5] as number) << 8) |
    ((bytes[at + 6] as number) << 16) |
    ((bytes[at + 7] as number) << 24)
  );
}
