// The editor's end of the service: the one object that posts messages to the worker. Needs no editor, and does not import the
// core: whoever loads this file loads nothing large. The worker starts at the first call, and anew after it has died.

import { Worker } from "node:worker_threads";
import type {
  AnswerOf,
  ArgumentOf,
  ErrorData,
  FromService,
  Method,
  ProgressData,
  ToService,
  WarningData,
} from "./protocol.js";

/** An error that the service answered, or the end of the service itself (SERVICE_STOPPED). Branch on `code`. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: string;
  readonly family: string;
  readonly data: Record<string, unknown>;
  readonly hint: string | undefined;

  constructor({ message, code, family, data, hint, stack }: ErrorData) {
    super(message);
    if (stack !== undefined) this.stack = stack;
    this.code = code ?? "UNEXPECTED";
    this.family = family ?? "invariant";
    this.data = data ?? {};
    this.hint = hint;
  }
}

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (event: ProgressData) => void;
  /** Of calls that tell what happens: each event, in order. */
  onEvent?: (event: unknown) => void;
}

/** `onLate`: of calls that leave something behind. They were aborted, and had succeeded just before that was heard of. */
type OptionsOf<M extends Method> = CallOptions & { onLate?: (answer: AnswerOf<M>) => void };

export interface ServiceEvents {
  onWarning(warning: WarningData): void;
  /** The worker died; its repositories are closed with it. */
  onStopped(error: ServiceError): void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
  onProgress: ((event: ProgressData) => void) | undefined;
  onEvent: ((event: unknown) => void) | undefined;
  forget(): void;
}

/** The editor waits five seconds for an extension that ends. */
const FAREWELL_MS = 3000;

export class ServiceClient {
  readonly #script: string | URL;
  readonly #events: ServiceEvents;
  readonly #waiting = new Map<number, Waiting>();
  readonly #late = new Map<number, (answer: unknown) => void>();
  #worker: Worker | undefined;
  #nextCall = 1;
  #closed = false;

  constructor(script: string | URL, events: ServiceEvents) {
    this.#script = script;
    this.#events = events;
  }

  /** Rejects with ServiceError, or with the signal's reason. An aborted call is cancelled in the worker, too. */
  call<M extends Method>(method: M, argument: ArgumentOf<M>, options: OptionsOf<M> = {}): Promise<AnswerOf<M>> {
    const { signal, onProgress, onEvent, onLate } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(stopped("the extension is being ended"));
    const worker = this.#worker ?? this.#start();
    const call = this.#nextCall++;
    return new Promise<AnswerOf<M>>((resolve, reject) => {
      const onAbort = () => {
        this.#post(worker, { kind: "cancel", call });
        if (onLate !== undefined) this.#late.set(call, onLate as (answer: unknown) => void);
        this.#take(call)?.reject(signal?.reason);
      };
      const forget = () => signal?.removeEventListener("abort", onAbort);
      signal?.addEventListener("abort", onAbort, { once: true });
      worker.ref();
      this.#waiting.set(call, { resolve: resolve as (answer: unknown) => void, reject, onProgress, onEvent, forget });
      try {
        this.#post(worker, { kind: "call", call, method, argument });
      } catch (error) {
        // what cannot be copied to another thread
        this.#take(call)?.reject(error);
      }
    });
  }

  /** Ends the worker; calls that wait fail. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll(stopped("the extension is being ended"));
    if (worker === undefined) return;
    await farewell(worker);
    await worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { stdout: false, stderr: false });
    this.#worker = worker;
    worker.unref();
    worker.on("message", (message: FromService) => this.#receive(message));
    worker.on("error", (error) => this.#end(worker, stopped(error.message)));
    worker.on("exit", (code) => this.#end(worker, stopped(`it ended with code ${code}`)));
    return worker;
  }

  #post(worker: Worker, message: ToService): void {
    worker.postMessage(message);
  }

  #take(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    waiting?.forget();
    // an idle worker does not keep a process alive
    if (this.#waiting.size === 0) this.#worker?.unref();
    return waiting;
  }

  #receive(message: FromService): void {
    if (message.kind === "closed") return;
    if (message.kind === "answer" || message.kind === "failure") this.#receiveEnd(message);
    else if (message.kind === "progress") this.#waiting.get(message.call)?.onProgress?.(message.event);
    else if (message.kind === "event") this.#waiting.get(message.call)?.onEvent?.(message.event);
    else this.#events.onWarning(message.warning);
  }

  #receiveEnd(message: Extract<FromService, { kind: "answer" | "failure" }>): void {
    const late = this.#late.get(message.call);
    this.#late.delete(message.call);
    const waiting = this.#take(message.call);
    if (message.kind === "failure") waiting?.reject(errorOf(message.error));
    else if (waiting === undefined) late?.(message.answer);
    else waiting.resolve(message.answer);
  }

  #end(worker: Worker, error: ServiceError): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#late.clear();
    this.#failAll(error);
    this.#events.onStopped(error);
  }

  #failAll(error: ServiceError): void {
    for (const call of [...this.#waiting.keys()]) this.#take(call)?.reject(error);
  }
}

/** Lets the worker end what it has started; one that does not answer is ended all the same. */
async function farewell(worker: Worker): Promise<void> {
  worker.ref();
  const message: ToService = { kind: "close" };
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, FAREWELL_MS);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    worker.once("exit", end);
    worker.on("message", ({ kind }: FromService) => {
      if (kind === "closed") end();
    });
    worker.postMessage(message);
  });
}

function errorOf(data: ErrorData): Error {
  if (data.name !== "AbortError") return new ServiceError(data);
  const error = new Error(data.message);
  error.name = "AbortError";
  return error;
}

function stopped(reason: string): ServiceError {
  return new ServiceError({
    name: "ServiceError",
    family: "invariant",
    code: "SERVICE_STOPPED",
    message: `the background service stopped: ${reason}`,
    hint: "it starts again by itself; report it if it repeats",
  });
}
