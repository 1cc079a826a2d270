// A lane does heavy work (read, cut, hash, compress, encrypt, decode) away from the main thread. Its methods take and
// return plain data; the same code runs in a worker thread or, where the storage lives in one thread, inline.

import { RepriseError } from "../errors.js";

/** Methods with one argument each; arguments and results must survive structured cloning. */
// biome-ignore lint/suspicious/noExplicitAny: the constraint only says "functions of one argument"
export type LaneApi<Api> = { [Method in keyof Api]: (argument: any) => Promise<unknown> };

export interface Lane<Api extends LaneApi<Api>> {
  /** `transfer`: buffers that move to the lane instead of being copied. */
  call<Method extends keyof Api & string>(
    method: Method,
    argument: Parameters<Api[Method]>[0],
    transfer?: ArrayBuffer[],
  ): Promise<Awaited<ReturnType<Api[Method]>>>;
  /** Ends the lane; calls under way are rejected with LANE_CLOSED. May be called twice. */
  close(): Promise<void>;
}

const TRANSFER = Symbol("transfer");

/** Marks buffers inside a result that should move out of the lane instead of being copied. */
export function withTransfer<T extends object>(result: T, buffers: ArrayBuffer[]): T {
  Object.defineProperty(result, TRANSFER, { value: buffers, enumerable: false });
  return result;
}

export function transferOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== "object" || result === null) return [];
  return (result as { [TRANSFER]?: ArrayBuffer[] })[TRANSFER] ?? [];
}

/** The lane's code on this thread. `end` gives back what the code holds, if anything. */
export function inlineLane<Api extends LaneApi<Api>>(api: Api, end?: () => Promise<void>): Lane<Api> {
  let isClosed = false;
  return {
    async call(method, argument) {
      if (isClosed) throw new RepriseError("invariant", "LANE_CLOSED", "the lane was closed");
      return (await api[method](argument)) as never;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await end?.();
    },
  };
}
