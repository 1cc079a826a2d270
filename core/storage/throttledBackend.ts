// Limits how many bytes a second go through a backend (`--bwlimit`), up and down together. Objects are not cut in pieces:
// an operation waits for its turn and then runs at full speed, so the limit holds on average, not within one object.

import { setTimeout as delay } from "node:timers/promises";
import { RepriseError } from "../errors.js";
import type { Backend, GetOptions, ObjectInfo, OperationOptions, WholeBackend } from "./backend.js";
import { deleteAll } from "./deleteAll.js";

/** Time not used in the past that may be caught up, so that slow single operations do not lower the average. */
const CREDIT_MS = 1000;

export interface ThrottleOptions {
  /** Object contents only; requests, listings and headers are not counted. Greater than 0. */
  bytesPerSecond: number;
  /** Monotonic milliseconds. Default: `performance.now`. */
  now?: () => number;
  /** Resolves after that many milliseconds; rejects with an AbortError. Default: a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * The same backend, slower. Closing it closes `backend`. An operation aborted while it waits has no effect. Throws
 * `BANDWIDTH_LIMIT_INVALID` (usage) for a limit that is not a positive number.
 */
export function throttleBackend(backend: Backend, options: ThrottleOptions): Backend {
  const { bytesPerSecond } = options;
  if (!(bytesPerSecond > 0 && Number.isFinite(bytesPerSecond))) {
    throw new RepriseError("usage", "BANDWIDTH_LIMIT_INVALID", `${bytesPerSecond} bytes per second is no limit`, {
      data: { bytesPerSecond },
    });
  }
  return new ThrottledBackend(backend, new Bucket(options));
}

/** A token bucket that may go into debt: `freeAtMs` is when the debt is paid. */
class Bucket {
  readonly #bytesPerMs: number;
  readonly #now: () => number;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  #freeAtMs: number;

  constructor(options: ThrottleOptions) {
    this.#bytesPerMs = options.bytesPerSecond / 1000;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? ((ms, signal) => delay(ms, undefined, { signal }));
    this.#freeAtMs = this.#now();
  }

  /** Takes the bytes now and returns when they may flow; callers are served in the order of their calls. */
  async take(sizeBytes: number, signal?: AbortSignal): Promise<void> {
    const waitMs = this.charge(sizeBytes) - this.#now();
    if (waitMs > 0) await this.#sleep(waitMs, signal);
  }

  /** Takes the bytes and returns the time at which they may flow. */
  charge(sizeBytes: number): number {
    const startMs = Math.max(this.#freeAtMs, this.#now() - CREDIT_MS);
    this.#freeAtMs = startMs + sizeBytes / this.#bytesPerMs;
    return startMs;
  }
}

class ThrottledBackend implements WholeBackend {
  readonly location: string;
  // present where the storage has them
  readonly parallelReads: WholeBackend["parallelReads"];
  readonly traffic: WholeBackend["traffic"];
  readonly protection: WholeBackend["protection"];
  readonly lockUntil: WholeBackend["lockUntil"];
  readonly versions: WholeBackend["versions"];
  readonly getVersion: WholeBackend["getVersion"];
  readonly #inner: Backend;
  readonly #bucket: Bucket;

  constructor(inner: Backend, bucket: Bucket) {
    this.location = inner.location;
    this.parallelReads = inner.parallelReads;
    this.traffic = inner.traffic?.bind(inner);
    this.protection = inner.protection?.bind(inner);
    this.lockUntil = inner.lockUntil?.bind(inner);
    this.versions = inner.versions?.bind(inner);
    const getVersion = inner.getVersion?.bind(inner);
    this.getVersion = getVersion && ((key, id, rules) => this.#charged(rules, () => getVersion(key, id, rules)));
    this.#inner = inner;
    this.#bucket = bucket;
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return await this.#charged(options, () => this.#inner.get(key, options));
  }

  async put(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#bucket.take(bytes.length, options.signal);
    await this.#inner.put(key, bytes, options);
  }

  async putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<"created" | "exists"> {
    options.signal?.throwIfAborted();
    await this.#bucket.take(bytes.length, options.signal);
    return await this.#inner.putIfAbsent(key, bytes, options);
  }

  stat(key: string, options?: OperationOptions): Promise<ObjectInfo> {
    return this.#inner.stat(key, options);
  }

  list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, options);
  }

  delete(key: string, options?: OperationOptions): Promise<void> {
    return this.#inner.delete(key, options);
  }

  deleteMany(keys: readonly string[], options?: OperationOptions): Promise<void> {
    return deleteAll(this.#inner, keys, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #charged(options: OperationOptions = {}, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    await this.#bucket.take(0, options.signal);
    const bytes = await read();
    this.#bucket.charge(bytes.length); // only now is the size known; later operations wait for it
    return bytes;
  }
}
