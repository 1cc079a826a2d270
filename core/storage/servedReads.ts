// Reads of worker threads, done by the thread that holds the backend: one set of connections, one client library, one count
// of requests for all of them, and the network goes on while they compute. Memory travels with each read and back again,
// without copies.

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { type ErrorAsData, errorFromData, errorToData, RepriseError } from "../errors.js";
import type { Backend, ByteRange, GetOptions, ObjectInfo, ObjectReader } from "./backend.js";

interface GetCall {
  call: number;
  get: { key: string; range: ByteRange | undefined; into: Uint8Array | undefined };
}

interface StatCall {
  call: number;
  stat: { key: string };
}

type Reply = { call: number; result: Uint8Array | ObjectInfo } | { call: number; error: ErrorAsData };

/** What one thread needs to read from another one's backend: `openServedReads` turns it into a reader. To be transferred. */
export interface ServedReads {
  port: MessagePort;
  parallelReads: number | undefined;
}

/** Answers one thread's reads until that thread closes its end or is gone; what is under way then is given up. */
export function serveReads(backend: Backend): ServedReads {
  const { port1: ours, port2: theirs } = new MessageChannel();
  const ended = new AbortController();
  const { signal } = ended;
  ours.on("message", (call: GetCall | StatCall) => void answer(backend, call, signal, ours));
  ours.on("close", () => ended.abort());
  // Whoever waits for the thread keeps the process alive.
  ours.unref();
  return { port: theirs, parallelReads: backend.parallelReads };
}

async function answer(
  backend: Backend,
  call: GetCall | StatCall,
  signal: AbortSignal,
  port: MessagePort,
): Promise<void> {
  try {
    if ("stat" in call) {
      const result = await backend.stat(call.stat.key, { signal });
      return port.postMessage({ call: call.call, result } satisfies Reply);
    }
    const { key, range, into } = call.get;
    const result = await backend.get(key, { range, into, signal });
    port.postMessage({ call: call.call, result } satisfies Reply, transferable(result, into));
  } catch (error) {
    if (!signal.aborted) port.postMessage({ call: call.call, error: errorToData(error) } satisfies Reply);
  }
}

/** A view of some larger memory of the backend's own is copied instead. */
function transferable(bytes: Uint8Array, into: Uint8Array | undefined): ArrayBuffer[] {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer)) return [];
  return buffer === into?.buffer || buffer.byteLength === bytes.byteLength ? [buffer] : [];
}

/** The reader at the other end. Closing it does not close the backend. */
export function openServedReads({ port, parallelReads }: ServedReads): ObjectReader {
  return new PortReader(port, parallelReads);
}

interface Waiting {
  resolve(result: never): void;
  reject(error: unknown): void;
}

class PortReader implements ObjectReader {
  readonly parallelReads: number | undefined;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #isClosed = false;

  constructor(port: MessagePort, parallelReads: number | undefined) {
    this.parallelReads = parallelReads;
    this.#port = port;
    port.on("message", (reply: Reply) => this.#settle(reply));
    port.on("close", () => this.#end());
  }

  async get(key: string, { range, into, signal }: GetOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const call = this.#calls++;
    const transfer = into?.buffer instanceof ArrayBuffer ? [into.buffer] : [];
    return await this.#ask<Uint8Array>({ call, get: { key, range, into } }, transfer);
  }

  async stat(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectInfo> {
    signal?.throwIfAborted();
    return await this.#ask<ObjectInfo>({ call: this.#calls++, stat: { key } }, []);
  }

  async close(): Promise<void> {
    this.#port.close();
    this.#end();
  }

  #ask<Result>(message: GetCall | StatCall, transfer: ArrayBuffer[]): Promise<Result> {
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.call, { resolve, reject });
      this.#port.postMessage(message, transfer);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if ("error" in reply) waiting?.reject(errorFromData(reply.error));
    else waiting?.resolve(reply.result as never);
  }

  #end(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(closed());
    this.#waiting.clear();
  }
}

function closed(): RepriseError {
  return new RepriseError("invariant", "LANE_CLOSED", "the lane's storage was closed");
}
