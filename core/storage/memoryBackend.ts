// A backend in memory, for tests and for `memory:` locations: linearizable (each operation takes effect when it is
// called) and deterministic given its clock. Bytes are copied in and out.

import type { Backend, GetOptions, ObjectInfo, OperationOptions } from "./backend.js";
import { checkObjectSize, objectNotFound, resolveRange } from "./objectBytes.js";
import { checkKey, checkPrefix } from "./objectKey.js";

export interface MemoryBackendOptions {
  /** Milliseconds since 1970; gives objects their time. Default: the system clock. */
  now?: () => number;
  /** For messages. Default `memory:`. */
  location?: string;
}

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modifiedAtMs: number;
}

/** The whole contents at one instant; never changes afterwards. */
export type MemoryState = ReadonlyMap<string, StoredObject>;

export class MemoryBackend implements Backend {
  readonly location: string;
  readonly #now: () => number;
  // The arrays in this map are never written to, so states can share them.
  #objects = new Map<string, StoredObject>();

  constructor(options: MemoryBackendOptions = {}) {
    this.location = options.location ?? "memory:";
    this.#now = options.now ?? Date.now;
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { bytes } = this.#find(key, options);
    const { offset, length } = resolveRange(key, bytes.length, options.range);
    const { into } = options;
    if (into === undefined || into.length < length) return bytes.slice(offset, offset + length);
    into.set(bytes.subarray(offset, offset + length));
    return into.subarray(0, length);
  }

  async stat(key: string, options: OperationOptions = {}): Promise<ObjectInfo> {
    return describe(key, this.#find(key, options));
  }

  async put(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    checkObjectSize(key, bytes.length);
    options.signal?.throwIfAborted();
    this.#objects.set(key, { bytes: new Uint8Array(bytes), modifiedAtMs: this.#now() });
  }

  async putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<"created" | "exists"> {
    checkKey(key);
    options.signal?.throwIfAborted();
    if (this.#objects.has(key)) return "exists";
    await this.put(key, bytes);
    return "created";
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const found = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, stored] of found) {
      options.signal?.throwIfAborted();
      yield describe(key, stored);
    }
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    checkKey(key);
    options.signal?.throwIfAborted();
    this.#objects.delete(key);
  }

  async close(): Promise<void> {}

  /** What is stored now. Cheap: contents are shared, not copied. */
  snapshotState(): MemoryState {
    return new Map(this.#objects);
  }

  /** Replaces everything stored by an earlier state, of this or of another backend. */
  restoreState(state: MemoryState): void {
    this.#objects = new Map(state);
  }

  #find(key: string, options: OperationOptions): StoredObject {
    checkKey(key);
    options.signal?.throwIfAborted();
    const stored = this.#objects.get(key);
    if (stored === undefined) throw objectNotFound(key);
    return stored;
  }
}

function describe(key: string, stored: StoredObject): ObjectInfo {
  return { key, sizeBytes: stored.bytes.length, modifiedAtMs: stored.modifiedAtMs };
}
