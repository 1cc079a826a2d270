// From logical addresses, in which everything of btrfs is named, to places on devices. A chunk is a range of them with one
// profile. Layout: btrfs-progs, On-disk-format.rst; the rotation of RAID5/6 is that of fs/btrfs/volumes.c.

import { damaged } from "../filesystemErrors.js";
import { uint64At, viewOf } from "./littleEndian.js";

export interface Stripe {
  deviceId: number;
  deviceUuid: Uint8Array;
  offset: number;
}

export type Profile = "single" | "copies" | "raid0" | "raid10" | "raid5" | "raid6";

export interface Chunk {
  logical: number;
  length: number;
  profile: Profile;
  /** Stripes that hold the same. */
  copies: number;
  stripes: Stripe[];
}

/** Bytes that lie together, in one or more copies. */
export interface Placement {
  length: number;
  copies: { stripe: Stripe; offset: number }[];
}

const CHUNK_HEADER_BYTES = 48;
const STRIPE_BYTES = 32;
/** BTRFS_STRIPE_LEN: nothing else was ever written. */
const STRIPE_LENGTH = 64 * 1024;

const RAID0 = 1 << 3;
const RAID10 = 1 << 6;
const RAID5 = 1 << 7;
const RAID6 = 1 << 8;
/** With the number of copies of each. */
const mirrored = new Map([
  [1 << 4, 2],
  [1 << 5, 2],
  [1 << 9, 3],
  [1 << 10, 4],
]);
const PROFILES = 0x7f8;
const MAX_STRIPES = 1024;

export class ChunkMap {
  /** Ascending, without overlaps. */
  readonly #chunks: Chunk[] = [];

  /** What is known already is not added again. Throws FILESYSTEM_DAMAGED when it overlaps others. */
  add(chunk: Chunk): void {
    const index = this.#indexBehind(chunk.logical);
    const before = this.#chunks[index - 1];
    if (before?.logical === chunk.logical && before.length === chunk.length) return;
    const after = this.#chunks[index];
    const overlaps =
      (before !== undefined && before.logical + before.length > chunk.logical) ||
      (after !== undefined && after.logical < chunk.logical + chunk.length);
    if (overlaps) throw damagedChunk(chunk.logical, "overlaps another");
    this.#chunks.splice(index, 0, chunk);
  }

  /** What lies together from `logical` on, at most `length` bytes; null when no chunk holds it. */
  place(logical: number, length: number): Placement | null {
    const chunk = this.#chunks[this.#indexBehind(logical) - 1];
    if (chunk === undefined || logical >= chunk.logical + chunk.length) return null;
    const inside = logical - chunk.logical;
    return placeInside(chunk, inside, Math.min(length, chunk.length - inside));
  }

  *[Symbol.iterator](): Generator<Chunk> {
    yield* this.#chunks;
  }

  /** Of the first chunk that starts behind `logical`. */
  #indexBehind(logical: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle] as Chunk).logical <= logical) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function placeInside({ profile, copies, stripes }: Chunk, inside: number, length: number): Placement {
  const at = (index: number, offset: number) => {
    const stripe = stripes[index] as Stripe;
    return { stripe, offset: stripe.offset + offset };
  };
  if (profile === "single" || profile === "copies") {
    return { length, copies: stripes.map((_, index) => at(index, inside)) };
  }
  const number = Math.floor(inside / STRIPE_LENGTH);
  const rest = inside - number * STRIPE_LENGTH;
  const together = Math.min(length, STRIPE_LENGTH - rest);
  const columns = dataColumns(profile, stripes.length, copies);
  const row = Math.floor(number / columns);
  const column = number - row * columns;
  const offset = row * STRIPE_LENGTH + rest;
  if (profile === "raid5" || profile === "raid6") {
    return { length: together, copies: [at((column + row) % stripes.length, offset)] };
  }
  return { length: together, copies: Array.from({ length: copies }, (_, copy) => at(column * copies + copy, offset)) };
}

function dataColumns(profile: Profile, stripeCount: number, copies: number): number {
  if (profile === "raid5") return stripeCount - 1;
  if (profile === "raid6") return stripeCount - 2;
  return stripeCount / copies;
}

/** `bytes`: the item behind the key whose offset is `logical`; may be followed by others. */
export function decodeChunk(bytes: Uint8Array, logical: number, sectorBytes: number): Chunk & { itemBytes: number } {
  const view = viewOf(bytes);
  if (bytes.length < CHUNK_HEADER_BYTES) throw damagedChunk(logical, "is cut off");
  const length = uint64At(view, 0);
  const stripeLength = uint64At(view, 16);
  const flags = view.getUint32(24, true);
  const count = view.getUint16(44, true);
  const itemBytes = CHUNK_HEADER_BYTES + count * STRIPE_BYTES;
  if (count === 0 || count > MAX_STRIPES || itemBytes > bytes.length) {
    throw damagedChunk(logical, `has ${count} stripes`);
  }
  const isAligned = logical % sectorBytes === 0 && length % sectorBytes === 0;
  if (!isAligned || length === 0 || !Number.isSafeInteger(logical + length)) {
    throw damagedChunk(logical, `is ${length} bytes long`);
  }
  if (stripeLength !== STRIPE_LENGTH) throw damagedChunk(logical, `has stripes of ${stripeLength} bytes`);
  const stripes = Array.from({ length: count }, (_, i) => decodeStripe(bytes, CHUNK_HEADER_BYTES + i * STRIPE_BYTES));
  return { logical, length, itemBytes, stripes, ...decodeProfile(flags, count, view.getUint16(46, true), logical) };
}

function decodeStripe(bytes: Uint8Array, at: number): Stripe {
  const view = viewOf(bytes);
  return {
    deviceId: uint64At(view, at),
    offset: uint64At(view, at + 8),
    deviceUuid: bytes.slice(at + 16, at + STRIPE_BYTES),
  };
}

function decodeProfile(
  flags: number,
  count: number,
  subStripes: number,
  logical: number,
): Pick<Chunk, "profile" | "copies"> {
  const bit = flags & PROFILES;
  const copies = mirrored.get(bit);
  if (copies !== undefined && count === copies) return { profile: "copies", copies };
  if (bit === 0 && count === 1) return { profile: "single", copies: 1 };
  if (bit === RAID0) return { profile: "raid0", copies: 1 };
  if (bit === RAID10 && subStripes === 2 && count % 2 === 0) return { profile: "raid10", copies: 2 };
  if (bit === RAID5 && count >= 2) return { profile: "raid5", copies: 1 };
  if (bit === RAID6 && count >= 3) return { profile: "raid6", copies: 1 };
  throw damagedChunk(logical, `has profile 0x${bit.toString(16)} with ${count} stripes`);
}

export function damagedChunk(logical: number, problem: string): Error {
  return damaged("btrfs", `chunk ${logical}`, problem, { logical });
}
