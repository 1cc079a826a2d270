// A wrapper that records every operation, and can rebuild what the storage held after any number of them: for crash
// tests ("stop after each prefix, reopen"). Put it directly on the storage, below wrappers that lose replies.

import assert from "node:assert/strict";
import type { Backend, GetOptions, ObjectInfo, OperationOptions } from "../../core/storage/backend.js";
import { MemoryBackend, type MemoryState } from "../../core/storage/memoryBackend.js";

export interface RecordedOperation {
  readonly operation: "get" | "stat" | "put" | "putIfAbsent" | "list" | "delete";
  /** For list: the prefix. */
  readonly key: string;
  /** For put and putIfAbsent: what was to be stored. */
  readonly bytes?: Uint8Array;
  readonly atMs: number;
  /** Set when it has settled. A putIfAbsent that found the name taken is "exists". */
  outcome?: "done" | "exists" | "failed";
}

export interface RecordingOptions {
  /** What `inner` held before. Default: nothing, or the state of a MemoryBackend. */
  initial?: MemoryState;
  /** For the times of replayed objects. Default: the system clock. */
  now?: () => number;
}

export class RecordingBackend implements Backend {
  readonly location: string;
  /** In the order of the calls, which over a MemoryBackend is the order of their effects. */
  readonly operations: RecordedOperation[] = [];
  readonly #inner: Backend;
  readonly #initial: MemoryState;
  readonly #now: () => number;

  constructor(inner: Backend, options: RecordingOptions = {}) {
    this.#inner = inner;
    this.location = inner.location;
    this.#initial = options.initial ?? (inner instanceof MemoryBackend ? inner.snapshotState() : new Map());
    this.#now = options.now ?? Date.now;
  }

  /** The operations that changed the storage (a delete of nothing included), in order. */
  get mutations(): RecordedOperation[] {
    return this.operations.filter(
      ({ operation, outcome }) =>
        outcome === "done" && (operation === "put" || operation === "putIfAbsent" || operation === "delete"),
    );
  }

  /** A new storage that holds what `inner` held after its first `count` mutations; 0: before any. */
  async replayPrefix(count: number): Promise<MemoryBackend> {
    const mutations = this.mutations;
    assert.ok(count >= 0 && count <= mutations.length, `only ${mutations.length} mutations were recorded`);
    let replayedAtMs: number | undefined;
    const backend = new MemoryBackend({ now: () => replayedAtMs ?? this.#now() });
    backend.restoreState(this.#initial);
    for (const { operation, key, bytes, atMs } of mutations.slice(0, count)) {
      replayedAtMs = atMs;
      if (operation === "delete") await backend.delete(key);
      else await backend.put(key, bytes!);
    }
    replayedAtMs = undefined;
    return backend;
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#record({ operation: "get", key, atMs: this.#now() }, () => this.#inner.get(key, options));
  }

  stat(key: string, options?: OperationOptions): Promise<ObjectInfo> {
    return this.#record({ operation: "stat", key, atMs: this.#now() }, () => this.#inner.stat(key, options));
  }

  put(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<void> {
    const recorded: RecordedOperation = { operation: "put", key, bytes: new Uint8Array(bytes), atMs: this.#now() };
    return this.#record(recorded, () => this.#inner.put(key, bytes, options));
  }

  putIfAbsent(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<"created" | "exists"> {
    const copy = new Uint8Array(bytes);
    const recorded: RecordedOperation = { operation: "putIfAbsent", key, bytes: copy, atMs: this.#now() };
    return this.#record(recorded, () => this.#inner.putIfAbsent(key, bytes, options));
  }

  async *list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    const recorded: RecordedOperation = { operation: "list", key: prefix, atMs: this.#now() };
    this.operations.push(recorded);
    try {
      yield* this.#inner.list(prefix, options);
      recorded.outcome = "done";
    } catch (error) {
      recorded.outcome = "failed";
      throw error;
    }
  }

  delete(key: string, options?: OperationOptions): Promise<void> {
    return this.#record({ operation: "delete", key, atMs: this.#now() }, () => this.#inner.delete(key, options));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #record<T>(recorded: RecordedOperation, run: () => Promise<T>): Promise<T> {
    this.operations.push(recorded);
    try {
      const result = await run();
      recorded.outcome = result === "exists" ? "exists" : "done";
      return result;
    } catch (error) {
      recorded.outcome = "failed";
      throw error;
    }
  }
}
