// When everything happened in one test, in whole milliseconds from its start, by a clock that never jumps.

import type { Phase } from "../../format/restoreTestRecord.js";

export class Timeline {
  /** By the wall clock, for the record. */
  readonly startedAtMs: number;
  readonly phases: Phase[] = [];
  readonly #monotonic: () => number;
  readonly #start: number;

  constructor(wallClockMs: number, monotonic: () => number = () => performance.now()) {
    this.startedAtMs = wallClockMs;
    this.#monotonic = monotonic;
    this.#start = monotonic();
  }

  /** Milliseconds since the start. */
  elapsed(): number {
    return Math.round(this.#monotonic() - this.#start);
  }

  /** Notes the phase also when it fails. */
  async phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.elapsed();
    try {
      return await work();
    } finally {
      this.phases.push({ name, startMs, durationMs: this.elapsed() - startMs });
    }
  }

  /** How long a phase took; 0 when it never began. */
  durationOf(name: string): number {
    return this.phases.find((phase) => phase.name === name)?.durationMs ?? 0;
  }

  iso(atMs: number): string {
    return new Date(this.startedAtMs + atMs).toISOString();
  }
}
