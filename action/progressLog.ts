// Progress as lines of a log: seldom enough to be read, often enough to see that something goes on.

import type { ProgressEvent } from "../core/index.js";

/** A line for the same work at most this often. */
const EVERY_MS = 15_000;
const MIB = 1024 * 1024;

export class ProgressLog {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #lastAt = new Map<string, number>();

  constructor(write: (line: string) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  readonly onProgress = (event: ProgressEvent): void => {
    const key = `${event.operation}/${event.phase}/${event.subject ?? ""}`;
    const last = this.#lastAt.get(key);
    const now = this.#now();
    // what is done within the time for one line needs none
    if (last === undefined) this.#lastAt.set(key, now);
    else if (now - last >= EVERY_MS) {
      this.#lastAt.set(key, now);
      this.#write(lineOf(event));
    }
  };
}

function lineOf({ operation, phase, subject, done, total, unit }: ProgressEvent): string {
  const about = subject === undefined ? phase : `${phase} ${subject}`;
  const share = total === undefined || total === 0 ? "" : ` (${Math.floor((100 * done) / total)} %)`;
  const amount = unit === "bytes" ? `${Math.round(done / MIB)} MiB` : `${done} ${unit}`;
  return `${operation}: ${about}: ${amount}${share}`;
}
