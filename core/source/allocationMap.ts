// Which parts of a raw file hold data, as ascending ranges in typed arrays. The number of ranges is bounded: a file in
// more pieces gets a coarser map that calls small holes data, which costs reading zeros and is never wrong.

import type { Extent } from "./blockSource.js";

/** 16 bytes a range: 4 MiB. */
const maxRanges = 256 * 1024;
const firstCoarseBytes = 64 * 1024;

export class AllocationMap {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  constructor(starts: Float64Array, ends: Float64Array) {
    this.#starts = starts;
    this.#ends = ends;
  }

  /** Number of data ranges held. */
  get rangeCount(): number {
    return this.#starts.length;
  }

  /** Covers the range in order without gaps; neighbours differ in kind. */
  extents(offset: number, length: number): Extent[] {
    const extents: Extent[] = [];
    const end = offset + length;
    let at = offset;
    for (let index = this.#firstEndingAfter(offset); at < end; index++) {
      const start = Math.min(this.#starts[index] ?? end, end);
      if (start > at) extents.push({ offset: at, length: start - at, zero: true });
      const dataStart = Math.max(start, at);
      const dataEnd = Math.min(this.#ends[index] ?? end, end);
      if (dataEnd > dataStart && index < this.#starts.length) {
        extents.push({ offset: dataStart, length: dataEnd - dataStart, zero: false });
      }
      at = dataEnd;
    }
    return extents;
  }

  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function allDataMap(sizeBytes: number): AllocationMap {
  return new AllocationMap(Float64Array.of(0), Float64Array.of(sizeBytes));
}

export function allZeroMap(): AllocationMap {
  return new AllocationMap(new Float64Array(0), new Float64Array(0));
}

/** Collects data ranges in ascending order. */
export class AllocationMapBuilder {
  readonly #limit: number;
  #starts = new Float64Array(1024);
  #ends = new Float64Array(1024);
  #count = 0;
  /** Data ranges are rounded outwards to this; 1 as long as they are few. */
  #grainBytes = 1;

  constructor(limit: number = maxRanges) {
    this.#limit = limit;
  }

  addData(start: number, end: number): void {
    if (end <= start) return;
    // Coarsening ends at the latest when one grain holds the whole file and every range touches the last one.
    let joined = this.#merge(start, end);
    while (!joined && this.#count >= this.#limit) {
      this.#coarsen();
      joined = this.#merge(start, end);
    }
    if (!joined) this.#append(this.#down(start), this.#up(end));
  }

  /** `sizeBytes` cuts off what rounding added at the end. */
  finish(sizeBytes: number): AllocationMap {
    if (this.#count > 0) this.#ends[this.#count - 1] = Math.min(this.#ends[this.#count - 1]!, sizeBytes);
    return new AllocationMap(this.#starts.slice(0, this.#count), this.#ends.slice(0, this.#count));
  }

  /** True when the range touches the last one and was joined to it. */
  #merge(start: number, end: number): boolean {
    const last = this.#count - 1;
    if (last < 0 || this.#down(start) > this.#ends[last]!) return false;
    this.#ends[last] = Math.max(this.#ends[last]!, this.#up(end));
    return true;
  }

  #append(start: number, end: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#ends = grown(this.#ends);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count++;
  }

  /** Doubles the grain and joins the ranges that touch now. */
  #coarsen(): void {
    this.#grainBytes = Math.max(this.#grainBytes * 2, firstCoarseBytes);
    const count = this.#count;
    this.#count = 0;
    for (let index = 0; index < count; index++) {
      const start = this.#starts[index]!;
      const end = this.#ends[index]!;
      if (!this.#merge(start, end)) this.#append(this.#down(start), this.#up(end));
    }
  }

  #down(position: number): number {
    return position - (position % this.#grainBytes);
  }

  #up(position: number): number {
    return Math.ceil(position / this.#grainBytes) * this.#grainBytes;
  }
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}
