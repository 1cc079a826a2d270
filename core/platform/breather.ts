// Long work on a thread that others need, too: lets them have their turn every few milliseconds.

import { setImmediate } from "node:timers/promises";

export class Breather {
  readonly #sliceMs: number;
  #sinceMs = performance.now();
  #pause: Promise<void> | undefined;

  constructor(sliceMs = 10) {
    this.#sliceMs = sliceMs;
  }

  /** To be awaited between pieces of the work; costs nothing while the slice lasts. Several may wait for one pause. */
  breathe(): Promise<void> | undefined {
    if (this.#pause === undefined && performance.now() - this.#sinceMs >= this.#sliceMs) {
      this.#pause = setImmediate().then(() => {
        this.#sinceMs = performance.now();
        this.#pause = undefined;
      });
    }
    return this.#pause;
  }
}
