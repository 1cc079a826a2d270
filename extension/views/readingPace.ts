// When a row of a repository is drawn again while its snapshots are being read: soon at first, then less and less often, because
// everything that is open below it is asked for again.

import type { Handle, ReadingData } from "../service/protocol.js";
import type { RepositoryNode } from "./nodes.js";

/** A reading that takes less than this is shown when it is complete. */
const FIRST_WAIT_MS = 120;
const FIRST_REDRAW_MS = 300;
const LAST_REDRAW_MS = 3000;

export class ReadingPace {
  readonly #redraw: (node: RepositoryNode) => void;
  /** Which open repositories have been shown as a whole. */
  readonly #whole = new Map<string, Handle>();
  readonly #delays = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(redraw: (node: RepositoryNode) => void) {
    this.#redraw = redraw;
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** How long to wait for a list before a part of it will do. */
  patience(location: string, handle: Handle): { waitMs?: number } {
    if (this.#whole.get(location) === handle) return {};
    return { waitMs: this.#delays.has(location) ? 0 : FIRST_WAIT_MS };
  }

  isWhole(location: string, handle: Handle): void {
    this.#whole.set(location, handle);
  }

  /** After a part was shown: when it will be drawn again, at the latest when it has been read. Null: it was all. */
  next(node: RepositoryNode, reading: ReadingData | null, untilRead: () => Promise<void>): void {
    const { location } = node.configured;
    if (reading === null) {
      this.stop(node);
      return;
    }
    const delayMs = this.#delays.get(location) ?? FIRST_REDRAW_MS;
    if (!this.#delays.has(location)) void untilRead().then(() => this.#redraw(node));
    this.#delays.set(location, Math.min(LAST_REDRAW_MS, delayMs * 1.5));
    clearTimeout(this.#timers.get(location));
    this.#timers.set(
      location,
      setTimeout(() => this.#redraw(node), delayMs),
    );
  }

  /** Nothing is being read any more. */
  stop({ configured }: RepositoryNode): void {
    clearTimeout(this.#timers.get(configured.location));
    this.#timers.delete(configured.location);
    this.#delays.delete(configured.location);
  }
}
