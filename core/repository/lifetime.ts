// How long a process has worked on what it once saw. Tombstones are kept for 90 days, so nobody may act on anything older
// than a third of that: docs/protocol.md, "Time". The one place where time touches safety, and it is a rate, not a date.

import { RepriseError } from "../errors.js";

/** Writers and collectors stop themselves after this. */
export const MAX_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

export interface LifetimeClocks {
  /** Milliseconds since 1970; goes on while the machine sleeps, and may be set. */
  now(): number;
  /** Milliseconds; is never set, and may stand still while the machine sleeps. */
  monotonicMs?(): number;
}

/** Begins when it is made. The clock that says more counts: a wrong one ends a process early, which costs a repetition. */
export class Lifetime {
  readonly #clocks: Required<LifetimeClocks>;
  readonly #startedAtMs: number;
  readonly #startedMonotonicMs: number;

  constructor(clocks: LifetimeClocks) {
    const { monotonicMs = () => performance.now() } = clocks;
    this.#clocks = { now: () => clocks.now(), monotonicMs };
    this.#startedAtMs = this.#clocks.now();
    this.#startedMonotonicMs = monotonicMs();
  }

  get isOver(): boolean {
    const { now, monotonicMs } = this.#clocks;
    return Math.max(now() - this.#startedAtMs, monotonicMs() - this.#startedMonotonicMs) > MAX_LIFETIME_MS;
  }

  /** SESSION_TOO_OLD when it is over; `what` begins the sentence. */
  check(what: string): void {
    if (!this.isOver) return;
    throw new RepriseError("conflict", "SESSION_TOO_OLD", `${what} has taken more than 30 days and must not go on`, {
      retry: "later",
      hint: "run it again; what was stored is not stored twice. Check this machine's clock, and whether it was asleep",
    });
  }
}
