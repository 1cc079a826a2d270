// What a filter has left in the repositories that are open, added up for the line above the tree.

import { type Event, EventEmitter } from "vscode";

export interface FilterCount {
  machines: number;
  snapshots: number;
  /** Some are still being read. */
  isReading: boolean;
}

export class FilterCounts {
  readonly #filtered = new EventEmitter<FilterCount | undefined>();
  /** There is another filter, or it is known what it leaves. */
  readonly onDidFilter: Event<FilterCount | undefined> = this.#filtered.event;
  readonly #counts = new Map<string, FilterCount>();

  dispose(): void {
    this.#filtered.dispose();
  }

  /** Another filter: nothing is known of it. */
  clear(): void {
    this.#counts.clear();
    this.#filtered.fire(undefined);
  }

  /** Undefined: it could not be read. */
  set(location: string, count: FilterCount | undefined): void {
    if (count === undefined) this.#counts.delete(location);
    else this.#counts.set(location, count);
  }

  /** Of the repositories that are there now. */
  tell(locations: readonly string[]): void {
    const sum: FilterCount = { machines: 0, snapshots: 0, isReading: false };
    for (const location of locations) {
      const count = this.#counts.get(location);
      sum.machines += count?.machines ?? 0;
      sum.snapshots += count?.snapshots ?? 0;
      sum.isReading ||= count?.isReading ?? false;
    }
    this.#filtered.fire(sum);
  }
}
