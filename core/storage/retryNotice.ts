// Says that a storage is asked again, once for a trouble that lasts: many operations meet it at the same time.

import type { StorageRetry } from "./backend.js";

/** The same trouble is told again after so long. */
const TOLD_FOR_MS = 60_000;

export class RetryNotice {
  readonly #storage: string;
  readonly #onRetry: ((retry: StorageRetry) => void) | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(storage: string, onRetry: ((retry: StorageRetry) => void) | undefined) {
    this.#storage = storage;
    this.#onRetry = onRetry;
  }

  tell(reason: string, patienceMs: number): void {
    const now = performance.now();
    if (now - this.#toldAtMs < TOLD_FOR_MS) return;
    this.#toldAtMs = now;
    this.#onRetry?.({ storage: this.#storage, reason, patienceMs });
  }
}
