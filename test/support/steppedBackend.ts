// Drives several asynchronous processes over one backend in any order a test chooses: each operation of a process waits
// until the scheduler grants it. Between two steps every live process waits for a grant or has finished, so a run is a
// list of choices and can be repeated. Code under test may use promises and synchronous work, no timers and no real I/O.

import assert from "node:assert/strict";
import { RepriseError } from "../../core/errors.js";
import type { Backend, GetOptions, ObjectInfo, OperationOptions } from "../../core/storage/backend.js";

export type SteppedOperation = "get" | "stat" | "put" | "putIfAbsent" | "list" | "delete";

export interface PendingOperation {
  readonly process: string;
  readonly operation: SteppedOperation;
  /** For list: the prefix. */
  readonly key: string;
}

interface Waiting extends PendingOperation {
  /** Carries the operation out. */
  readonly effect: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SchedulerOptions {
  /** Entries of a listing per grant, as with a paged storage: each page shows what is there then. Default: all in one. */
  pageEntries?: number;
}

/** Turns of the event loop without any activity after which nothing more can happen without a grant. */
const IDLE_TURNS = 3;
/** Turns after which a process that neither waits nor ends is reported. */
const MOST_TURNS = 20_000;

export class Scheduler {
  readonly #pageEntries: number;
  #waiting: Waiting[] = [];
  #zombies: Waiting[] = [];
  readonly #running = new Set<string>();
  readonly #crashed = new Set<string>();
  /** Changes with everything that a process does that the scheduler can see. */
  #activity = 0;

  constructor(options: SchedulerOptions = {}) {
    this.#pageEntries = options.pageEntries ?? Number.POSITIVE_INFINITY;
  }

  /** The backend as the named process sees it: every operation, and every page of a listing, waits for step. */
  wrap(name: string, backend: Backend): Backend {
    const perform: Perform = (operation, key, effect) => this.#request(name, operation, key, effect);
    return new SteppedBackend(backend, perform, this.#pageEntries);
  }

  /**
   * Starts a process, so that settle knows when it has finished. Resolves or rejects as `run` does, and never after
   * a crash: do not await it before the process can have finished.
   */
  spawn<T>(name: string, backend: Backend, run: (backend: Backend) => Promise<T>): Promise<T> {
    assert.ok(!this.#running.has(name) && !this.#crashed.has(name), `there is a process ${name} already`);
    this.#running.add(name);
    const finished = run(this.wrap(name, backend)).finally(() => {
      this.#running.delete(name);
      this.#activity++;
    });
    const result = finished.finally(() => (this.#crashed.has(name) ? never<T>() : undefined));
    result.catch(() => undefined); // the test looks at it later
    return result;
  }

  /** Operations that wait for a grant, oldest request first. */
  pending(): PendingOperation[] {
    return this.#waiting.map(describe);
  }

  /** Operations that were under way when their process crashed and that may still take effect. Reads are dropped. */
  zombies(): PendingOperation[] {
    return this.#zombies.map(describe);
  }

  /** Names of spawned processes that have neither finished nor crashed. */
  running(): string[] {
    return [...this.#running];
  }

  /**
   * Carries out `pending()[index]`, gives its process the result, and waits until every process waits again.
   * `lost`: it takes effect, but the process gets STORAGE_FAILED.
   */
  async step(index: number, reply: "given" | "lost" = "given"): Promise<void> {
    const chosen = this.#waiting[index];
    assert.ok(chosen !== undefined, `there is no pending operation ${index}`);
    this.#waiting.splice(index, 1);
    try {
      const result = await chosen.effect();
      if (reply === "given") chosen.resolve(result);
      else chosen.reject(replyLost(chosen));
    } catch (error) {
      chosen.reject(error);
    }
    await this.settle();
  }

  /** Carries out `zombies()[index]`; nobody learns the result. */
  async stepZombie(index: number): Promise<void> {
    const chosen = this.#zombies[index];
    assert.ok(chosen !== undefined, `there is no zombie operation ${index}`);
    this.#zombies.splice(index, 1);
    await chosen.effect().catch(() => undefined);
    await this.settle();
  }

  /** Ends a process where it stands: none of its operations, waiting or future, ever settles. */
  crash(process: string): void {
    this.#crashed.add(process);
    this.#running.delete(process);
    const left = this.#waiting.filter((waiting) => waiting.process === process);
    this.#waiting = this.#waiting.filter((waiting) => waiting.process !== process);
    this.#zombies.push(...left.filter(({ operation }) => changesStorage(operation)));
    this.#activity++;
  }

  /** Steps until nothing is pending; `choose` returns an index of the list it is given. Returns the number of steps. */
  async run(choose: (pending: PendingOperation[]) => number | Promise<number>): Promise<number> {
    await this.settle();
    let steps = 0;
    for (; this.#waiting.length > 0; steps++) await this.step(await choose(this.pending()));
    return steps;
  }

  /** Waits until every process waits for a grant or has finished. Call it once after starting the processes. */
  async settle(): Promise<void> {
    let idle = 0;
    let seen = this.#activity;
    for (let turn = 0; idle < IDLE_TURNS || this.#busy().length > 0; turn++) {
      if (turn > MOST_TURNS) {
        assert.fail(
          `neither waiting for storage nor finished: ${this.#busy().join(", ")} (timers or real I/O inside?)`,
        );
      }
      await new Promise<void>((resolve) => setImmediate(resolve)); // every microtask runs before this one goes on
      idle = seen === this.#activity ? idle + 1 : 0;
      seen = this.#activity;
    }
  }

  #busy(): string[] {
    return [...this.#running].filter((name) => !this.#waiting.some(({ process }) => process === name));
  }

  #request<T>(process: string, operation: SteppedOperation, key: string, effect: () => Promise<T>): Promise<T> {
    this.#activity++;
    if (this.#crashed.has(process)) return never<T>();
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ process, operation, key, effect, resolve, reject });
    }) as Promise<T>;
  }
}

type Perform = <T>(operation: SteppedOperation, key: string, effect: () => Promise<T>) => Promise<T>;

class SteppedBackend implements Backend {
  readonly location: string;
  readonly #inner: Backend;
  readonly #perform: Perform;
  readonly #pageEntries: number;

  constructor(inner: Backend, perform: Perform, pageEntries: number) {
    this.location = inner.location;
    this.#inner = inner;
    this.#perform = perform;
    this.#pageEntries = pageEntries;
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#perform("get", key, () => this.#inner.get(key, options));
  }

  stat(key: string, options?: OperationOptions): Promise<ObjectInfo> {
    return this.#perform("stat", key, () => this.#inner.stat(key, options));
  }

  put(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<void> {
    const copy = new Uint8Array(bytes); // a zombie may write after its process went on
    return this.#perform("put", key, () => this.#inner.put(key, copy, options));
  }

  putIfAbsent(key: string, bytes: Uint8Array, options?: OperationOptions): Promise<"created" | "exists"> {
    const copy = new Uint8Array(bytes);
    return this.#perform("putIfAbsent", key, () => this.#inner.putIfAbsent(key, copy, options));
  }

  async *list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    let last = "";
    for (;;) {
      const page = await this.#perform("list", prefix, () => this.#page(prefix, last, options));
      for (const info of page) {
        options?.signal?.throwIfAborted();
        yield info;
      }
      if (page.length < this.#pageEntries) return;
      last = page.at(-1)!.key;
    }
  }

  delete(key: string, options?: OperationOptions): Promise<void> {
    return this.#perform("delete", key, () => this.#inner.delete(key, options));
  }

  /** Not an operation of the storage: no step. */
  async close(): Promise<void> {}

  async #page(prefix: string, last: string, options?: OperationOptions): Promise<ObjectInfo[]> {
    const page: ObjectInfo[] = [];
    for await (const info of this.#inner.list(prefix, options)) {
      if (info.key > last) page.push(info);
      if (page.length >= this.#pageEntries) break;
    }
    return page;
  }
}

function describe({ process, operation, key }: Waiting): PendingOperation {
  return { process, operation, key };
}

function changesStorage(operation: SteppedOperation): boolean {
  return operation === "put" || operation === "putIfAbsent" || operation === "delete";
}

function replyLost({ operation, key }: Waiting): RepriseError {
  return new RepriseError("backend", "STORAGE_FAILED", `the reply to ${operation} of ${key} was lost`, {
    data: { operation, key },
    retry: "later",
  });
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
