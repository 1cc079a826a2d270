// A wrapper that fails on order. Faults are queued per method; one that is never reached fails the test, because such a
// test proves nothing.

import assert from "node:assert/strict";
import { RepriseError } from "../../core/errors.js";
import type { Backend, GetOptions, ObjectInfo, OperationOptions } from "../../core/storage/backend.js";

export type FaultyMethod = "get" | "stat" | "put" | "putIfAbsent" | "list" | "delete";

export type FaultKind =
  | "before" // the error comes instead of the effect
  | "after" // the effect takes place, the reply is lost; a list fails after its last entry
  | "short" // get only: the answer lacks its last byte
  | "flip"; // get only: one bit of the answer is wrong

export interface Fault {
  kind: FaultKind;
  /** Which keys (for list: prefixes) it is for. Default: all. */
  key?: string | RegExp;
  /** Matching calls that pass before it strikes. Default: 0. */
  skip?: number;
  /** Calls it strikes. Default: 1. */
  times?: number;
  /** What to throw. Default: STORAGE_FAILED. */
  error?: unknown;
  /** For "flip": which byte of the answer; negative counts from its end. Default: 0. */
  offset?: number;
}

interface QueuedFault extends Fault {
  method: FaultyMethod;
  skip: number;
  left: number;
  reached: boolean;
}

export class FaultyBackend implements Backend {
  readonly location: string;
  readonly #inner: Backend;
  readonly #faults: QueuedFault[] = [];
  #putsUntilFull = Number.POSITIVE_INFINITY;
  #fullWanted = false;
  #fullReached = false;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.location = inner.location;
  }

  /** Queues a fault; of several that fit a call the earliest strikes. */
  fail(method: FaultyMethod, fault: Fault): this {
    assert.ok(method === "get" || fault.kind === "before" || fault.kind === "after", "only get can be damaged");
    this.#faults.push({ ...fault, method, skip: fault.skip ?? 0, left: fault.times ?? 1, reached: false });
    return this;
  }

  /** STORAGE_FULL from the nth put or putIfAbsent on (1: the next one), until freeSpace. */
  fullFromPut(nth: number): this {
    this.#putsUntilFull = nth - 1;
    this.#fullWanted = true;
    return this;
  }

  freeSpace(): void {
    this.#putsUntilFull = Number.POSITIVE_INFINITY;
  }

  /** Fails when a queued fault was never reached (or not as often as asked). */
  assertAllReached(): void {
    const missed = this.#faults.filter((fault) => !fault.reached || fault.left > 0);
    assert.deepEqual(
      missed.map(({ method, kind, key, left }) => ({ method, kind, key: key?.toString(), left })),
      [],
      "faults that were never reached",
    );
    assert.ok(!this.#fullWanted || this.#fullReached, "the storage never became full");
  }

  async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    const fault = this.#take("get", key);
    if (fault?.kind === "before") throw errorOf(fault, "get", key);
    const bytes = await this.#inner.get(key, options);
    if (fault?.kind === "after") throw errorOf(fault, "get", key);
    return fault === undefined ? bytes : damaged(bytes, fault);
  }

  stat(key: string, options?: OperationOptions): Promise<ObjectInfo> {
    return this.#run("stat", key, () => this.#inner.stat(key, options));
  }

  put(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<void> {
    return this.#run("put", key, () => this.#inner.put(key, bytes, options));
  }

  putIfAbsent(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<"created" | "exists"> {
    return this.#run("putIfAbsent", key, () => this.#inner.putIfAbsent(key, bytes, options));
  }

  async *list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    const fault = this.#take("list", prefix);
    if (fault?.kind === "before") throw errorOf(fault, "list", prefix);
    yield* this.#inner.list(prefix, options);
    if (fault?.kind === "after") throw errorOf(fault, "list", prefix);
  }

  delete(key: string, options?: OperationOptions): Promise<void> {
    return this.#run("delete", key, () => this.#inner.delete(key, options));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #run<T>(method: FaultyMethod, key: string, effect: () => Promise<T>): Promise<T> {
    if (method === "put" || method === "putIfAbsent") this.#countPut(key);
    const fault = this.#take(method, key);
    if (fault?.kind === "before") throw errorOf(fault, method, key);
    const result = await effect();
    if (fault?.kind === "after") throw errorOf(fault, method, key);
    return result;
  }

  #countPut(key: string): void {
    if (this.#putsUntilFull-- > 0) return;
    this.#putsUntilFull = 0;
    this.#fullReached = true;
    throw new RepriseError("backend", "STORAGE_FULL", `no space for ${key}`, { data: { key }, retry: "later" });
  }

  #take(method: FaultyMethod, key: string): QueuedFault | undefined {
    let struck: QueuedFault | undefined;
    for (const fault of this.#faults) {
      if (fault.method !== method || fault.left === 0 || !fits(fault.key, key)) continue;
      if (fault.skip > 0) fault.skip--;
      else struck ??= fault;
    }
    if (struck === undefined) return undefined;
    struck.left--;
    struck.reached = true;
    return struck;
  }
}

function fits(wanted: string | RegExp | undefined, key: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? wanted === key : wanted.test(key);
}

function errorOf(fault: Fault, operation: FaultyMethod, key: string): unknown {
  return (
    fault.error ??
    new RepriseError("backend", "STORAGE_FAILED", `${operation} of ${key} failed on order (${fault.kind} its effect)`, {
      data: { key, operation },
      retry: "later",
    })
  );
}

function damaged(bytes: Uint8Array, fault: Fault): Uint8Array {
  assert.ok(bytes.length > 0, "an empty answer cannot be damaged");
  if (fault.kind === "short") return bytes.slice(0, -1);
  const copy = bytes.slice();
  const offset = fault.offset ?? 0;
  const index = offset < 0 ? copy.length + offset : offset;
  assert.ok(index >= 0 && index < copy.length, "the byte to flip is inside the answer");
  copy[index]! ^= 1;
  return copy;
}
