// Which clusters hold a file, in order: a chain of the allocation table followed only as far as somebody reads, or one
// contiguous run. A chain that comes back to itself is found out (Brent's algorithm), whatever its length.

import type { ReadOptions } from "../blockReader.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { type AllocationTable, END_OF_CHAIN, FIRST_CLUSTER } from "./allocationTable.js";

/** Neighbouring clusters. */
export interface ClusterRun {
  cluster: number;
  count: number;
}

export interface ClusterMap {
  /** The clusters from number `index` of the file on, as far as they are neighbours and known; null past the end. */
  run(index: number, options?: ReadOptions): Promise<ClusterRun | null>;
  /** How many runs it keeps in memory. */
  readonly runCount: number;
}

export class ContiguousClusters implements ClusterMap {
  readonly runCount = 1;
  readonly #first: number;
  readonly #count: number;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  async run(index: number): Promise<ClusterRun | null> {
    return index < this.#count ? { cluster: this.#first + index, count: this.#count - index } : null;
  }
}

/** 64 MiB of memory; a file of 16 GiB with no two neighbouring clusters of 4 KiB. */
const MAX_RUNS = 4 * 1024 * 1024;

export class ClusterChain implements ClusterMap {
  readonly #table: AllocationTable;
  /** Of each run: its first cluster, and that cluster's place in the file. */
  readonly #clusters: number[];
  readonly #indexes: number[] = [0];
  #last: number;
  #known = 1;
  #ended = false;
  #landmark: number;
  #nextLandmark = 2;
  #turn: Promise<void> = Promise.resolve();

  /** Throws FILESYSTEM_DAMAGED when the volume has no such cluster. */
  constructor(table: AllocationTable, first: number) {
    const { kind, clusterCount } = table.layout;
    if (first < FIRST_CLUSTER || first >= clusterCount + FIRST_CLUSTER) {
      throw damaged(kind, "directory entry", `starts at cluster ${first}, which does not exist`, { cluster: first });
    }
    this.#table = table;
    this.#clusters = [first];
    this.#last = first;
    this.#landmark = first;
  }

  get runCount(): number {
    return this.#clusters.length;
  }

  async run(index: number, options: ReadOptions = {}): Promise<ClusterRun | null> {
    if (index >= this.#known && !this.#ended) {
      const turn = this.#turn.then(() => this.#follow(index, options));
      this.#turn = turn.catch(() => {});
      await turn;
    }
    if (index >= this.#known) return null;
    const at = this.#runHolding(index);
    const start = this.#indexes[at] as number;
    const end = this.#indexes[at + 1] ?? this.#known;
    return { cluster: (this.#clusters[at] as number) + index - start, count: end - index };
  }

  async #follow(index: number, options: ReadOptions): Promise<void> {
    while (!this.#ended && this.#known <= index) {
      options.signal?.throwIfAborted();
      const window = await this.#table.window(this.#last, options);
      while (!this.#ended && this.#known <= index && window.holds(this.#last)) this.#step(window.next(this.#last));
    }
  }

  #step(next: number): void {
    if (next === END_OF_CHAIN) {
      this.#ended = true;
      return;
    }
    const { kind } = this.#table.layout;
    if (next === this.#landmark) {
      throw damaged(kind, "allocation table", `the chain of cluster ${this.#clusters[0]} never ends`, {
        cluster: next,
      });
    }
    if (next !== this.#last + 1) {
      if (this.#clusters.length >= MAX_RUNS) throw unsupported(kind, `a file in more than ${MAX_RUNS} pieces`);
      this.#clusters.push(next);
      this.#indexes.push(this.#known);
    }
    this.#last = next;
    this.#known++;
    if (this.#known === this.#nextLandmark) {
      this.#landmark = next;
      this.#nextLandmark *= 2;
    }
  }

  #runHolding(index: number): number {
    let low = 0;
    let high = this.#indexes.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#indexes[middle] as number) <= index) low = middle;
      else high = middle;
    }
    return low;
  }
}
