// Lets a bounded number of requests run at once, and where wanted only so many begin in a second. First come, first served.

import { setTimeout as delay } from "node:timers/promises";

export interface GateLimits {
  atOnce: number;
  /** Undefined: no limit. */
  perSecond?: number;
  /** Monotonic milliseconds. */
  now?: () => number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export class RequestGate {
  readonly #limits: GateLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #nextStartMs = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Runs `request` when it is its turn. Aborted while it waits, it does not run. */
  async run<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      await this.#pace(signal);
      return await request();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#running < this.#limits.atOnce) {
      this.#running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal?.reason);
      };
      // The place of the one that leaves goes to the one that has waited longest.
      const turn = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#waiting.push(turn);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  async #pace(signal: AbortSignal | undefined): Promise<void> {
    const { perSecond, now = () => performance.now() } = this.#limits;
    if (perSecond === undefined) return;
    const sleep = this.#limits.sleep ?? ((ms: number, abort?: AbortSignal) => delay(ms, undefined, { signal: abort }));
    const startMs = Math.max(now(), this.#nextStartMs);
    this.#nextStartMs = startMs + 1000 / perSecond;
    if (startMs > now()) await sleep(startMs - now(), signal);
  }
}
