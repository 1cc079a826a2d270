// The main thread's end of a lane in a worker thread. The other end is worker.ts.

import { availableParallelism } from "node:os";
import { type MessagePort, Worker } from "node:worker_threads";
import { type ErrorAsData, errorFromData, RepriseError } from "../errors.js";
import type { Lane, LaneApi } from "./lane.js";

export interface LaneRequest {
  call: number;
  method: string;
  argument: unknown;
}

export type LaneReply = { call: number; result: unknown } | { call: number; error: ErrorAsData };

/** A worker thread's first message: what it is to be. */
export interface LaneStart {
  kind: string;
  init: unknown;
}

/** More lanes than this gain nothing: the storage or the reader is the limit by then. */
const MAX_LANES = 8;

export function defaultLaneCount(): number {
  return Math.min(MAX_LANES, Math.max(1, availableParallelism()));
}

/** The compiled tree has worker.js beside this file; a bundle has worker.mjs (or .cjs) beside itself. */
function workerUrl(): URL {
  const extension = /\.[cm]?js$/.exec(new URL(import.meta.url).pathname)?.[0] ?? ".js";
  return new URL(`./worker${extension}`, import.meta.url);
}

/** Threads that have loaded their code and wait for their first message. */
const warm: Worker[] = [];

/**
 * Starts the threads that the next lanes will need, so that they load their code while the repository is opened. Close the
 * result to end those that nobody has used. Threads that wait do not keep the process alive.
 */
export function warmUpLanes(count: number = defaultLaneCount()): { close(): Promise<void> } {
  const started = Array.from({ length: count }, () => new Worker(workerUrl()));
  for (const worker of started) {
    worker.unref();
    warm.push(worker);
  }
  return {
    async close() {
      const unused = started.filter((worker) => takeWarm(worker) !== undefined);
      await Promise.all(unused.map((worker) => worker.terminate()));
    },
  };
}

/** One that still waits, and is the caller's from now on. */
function takeWarm(wanted: Worker | undefined = warm[0]): Worker | undefined {
  const at = wanted === undefined ? -1 : warm.indexOf(wanted);
  return at < 0 ? undefined : warm.splice(at, 1)[0];
}

/** `transfer`: what moves to the thread with `init`. */
export function threadLane<Api extends LaneApi<Api>>(
  kind: string,
  init: unknown,
  transfer: MessagePort[] = [],
): Lane<Api> {
  const worker = takeWarm() ?? new Worker(workerUrl());
  worker.ref();
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let nextCall = 0;
  let ended: Error | undefined;

  function end(error: Error): void {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  }
  worker.on("message", (reply: LaneReply) => {
    const call = waiting.get(reply.call);
    waiting.delete(reply.call);
    if ("error" in reply) call?.reject(errorFromData(reply.error));
    else call?.resolve(reply.result);
  });
  worker.on("error", (error) => end(laneFailed(kind, error)));
  worker.on("exit", (code) => end(laneFailed(kind, new Error(`worker thread ended with code ${code}`))));
  worker.postMessage({ kind, init } satisfies LaneStart, transfer);

  return {
    call(method, argument, transfer = []) {
      if (ended) return Promise.reject(ended);
      const call = nextCall++;
      return new Promise((resolve, reject) => {
        waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
        worker.postMessage({ call, method, argument } satisfies LaneRequest, transfer);
      });
    },
    async close() {
      end(new RepriseError("invariant", "LANE_CLOSED", `${kind} lane was closed`));
      await worker.terminate();
    },
  };
}

function laneFailed(kind: string, cause: Error): RepriseError {
  return new RepriseError("invariant", "LANE_FAILED", `${kind} worker stopped: ${cause.message}`, {
    hint: "this is a bug, or memory ran out; run again, and report it if it repeats",
    cause,
  });
}
