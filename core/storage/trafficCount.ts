// What has gone over the network, counted by request as it is sent: tries that failed count, too.

import type { Traffic } from "./backend.js";

export class TrafficCount {
  readonly #requests = new Map<string, number>();
  #bytesUp = 0;
  #bytesDown = 0;
  #retries = 0;

  request(kind: string, bytesUp = 0): void {
    this.#requests.set(kind, (this.#requests.get(kind) ?? 0) + 1);
    this.#bytesUp += bytesUp;
  }

  received(bytes: number): void {
    this.#bytesDown += bytes;
  }

  retry(): void {
    this.#retries++;
  }

  /** A copy. */
  get now(): Traffic {
    return {
      requests: Object.fromEntries([...this.#requests].sort(([a], [b]) => (a < b ? -1 : 1))),
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      retries: this.#retries,
    };
  }
}
