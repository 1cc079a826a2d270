// Tries again what may succeed the next time, with pauses that grow and that differ between clients.

import { setTimeout as delay } from "node:timers/promises";

export interface RetryRules {
  /** Longest first pause; each following one may be twice as long. */
  baseMs: number;
  /** No pause is longer. */
  capMs: number;
  /** No try begins later than this after the first failure. Asked with each error. */
  patienceMs: (error: unknown) => number;
  /** Before each pause: what has failed, and for how long already. */
  onPause?: (error: unknown, failingMs: number) => void;
  /** Monotonic milliseconds. */
  now?: () => number;
  /** From 0 to 1. */
  random?: () => number;
  /** Resolves after that many milliseconds; rejects with an AbortError. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * Runs `attempt` until it succeeds, throws what `isWorthRetrying` denies, or the patience is over; then its last error. The
 * pauses are random between nothing and the limit ("full jitter"), so that many clients do not come back together.
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  isWorthRetrying: (error: unknown) => boolean,
  rules: RetryRules,
  signal?: AbortSignal,
): Promise<T> {
  const { now = () => performance.now(), random = Math.random } = rules;
  const sleep = rules.sleep ?? ((ms: number, abort?: AbortSignal) => delay(ms, undefined, { signal: abort }));
  let firstFailureMs: number | undefined;
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isWorthRetrying(error)) throw error;
      firstFailureMs ??= now();
      const pauseMs = random() * Math.min(rules.capMs, rules.baseMs * 2 ** Math.min(tries, 30));
      if (now() + pauseMs - firstFailureMs > rules.patienceMs(error)) throw error;
      rules.onPause?.(error, now() - firstFailureMs);
      await sleep(pauseMs, signal);
    }
  }
}
