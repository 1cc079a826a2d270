// A logical volume: segments one behind the other, each of stripes side by side.

import { RepriseError } from "../../../errors.js";
import { type BlockReader, type DiskPlace, placesOf, type ReadOptions } from "../../blockReader.js";

export interface Stripe {
  reader: BlockReader;
  /** Where the stripe starts on it. */
  offset: number;
}

export interface VolumeSegment {
  sizeBytes: number;
  /** Bytes on one stripe before the next one has its turn. */
  stripeBytes: number;
  stripes: readonly Stripe[];
}

export class StripedReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #segments: readonly VolumeSegment[];
  /** Where each segment starts. */
  readonly #starts: number[] = [];

  constructor(segments: readonly VolumeSegment[]) {
    this.#segments = segments;
    let at = 0;
    for (const { sizeBytes } of segments) {
      this.#starts.push(at);
      at += sizeBytes;
    }
    this.sizeBytes = at;
  }

  async read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void> {
    if (offset < 0 || offset + buffer.length > this.sizeBytes) {
      throw new RepriseError("invariant", "PART_OUTSIDE", `${buffer.length} bytes at ${offset} are not in the volume`);
    }
    for (let done = 0; done < buffer.length; ) {
      const { stripe, at, length } = this.#place(offset + done, buffer.length - done);
      await stripe.reader.read(buffer.subarray(done, done + length), stripe.offset + at, options);
      done += length;
    }
  }

  *places(offset: number, length: number): Iterable<DiskPlace> {
    for (let done = 0; done < length; ) {
      const place = this.#place(offset + done, length - done);
      yield* placesOf(place.stripe.reader, place.stripe.offset + place.at, place.length);
      done += place.length;
    }
  }

  /** The stripe that holds `position`, where on it, and how many of `wanted` bytes lie together there. */
  #place(position: number, wanted: number): { stripe: Stripe; at: number; length: number } {
    const number = lastAtOrBefore(this.#starts, position);
    const { sizeBytes, stripeBytes, stripes } = this.#segments[number] as VolumeSegment;
    const inside = position - (this.#starts[number] as number);
    const turn = Math.floor(inside / stripeBytes);
    const within = inside % stripeBytes;
    const stripe = stripes[turn % stripes.length] as Stripe;
    const at = Math.floor(turn / stripes.length) * stripeBytes + within;
    return { stripe, at, length: Math.min(wanted, stripeBytes - within, sizeBytes - inside) };
  }
}

function lastAtOrBefore(starts: readonly number[], position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
