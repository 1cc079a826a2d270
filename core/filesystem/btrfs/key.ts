// Keys: (object id, type, offset), in which everything of btrfs is sorted. Constants: btrfs-progs, On-disk-format.rst.

import { uint64At } from "./littleEndian.js";

export interface Key {
  objectId: number;
  type: number;
  offset: number;
}

export const KEY_BYTES = 17;

/** Sorts behind every offset. */
export const LAST_OFFSET = 2 ** 64;

export const TREE = {
  root: 1,
  chunk: 3,
  topLevel: 5,
  rootDirectory: 6,
  checksums: 7,
  /** Subvolumes and their files are numbered from here. */
  firstFree: 256,
} as const;

/** Object ids below zero, as they come out of uint64At. */
export const CHECKSUM_OBJECT = 2 ** 64 - 10;
export const FIRST_CHUNK_TREE = 256;

export const TYPE = {
  inode: 1,
  inodeReference: 12,
  attribute: 24,
  directoryItem: 84,
  directoryIndex: 96,
  fileExtent: 108,
  checksums: 128,
  root: 132,
  rootBackReference: 144,
  rootReference: 156,
  chunk: 228,
} as const;

export function keyAt(view: DataView, at: number): Key {
  return { objectId: uint64At(view, at), type: view.getUint8(at + 8), offset: uint64At(view, at + 9) };
}

/** Below zero, zero or above, as the key at `at` sorts before, with or behind `key`. Not exact above 2^53, but in order. */
export function compareKeyAt(view: DataView, at: number, key: Key): number {
  return uint64At(view, at) - key.objectId || view.getUint8(at + 8) - key.type || uint64At(view, at + 9) - key.offset;
}

/** Exact for all keys. */
export function compareKeysAt(a: DataView, atA: number, b: DataView, atB: number): number {
  return (
    compareUint64(a, atA, b, atB) || a.getUint8(atA + 8) - b.getUint8(atB + 8) || compareUint64(a, atA + 9, b, atB + 9)
  );
}

function compareUint64(a: DataView, atA: number, b: DataView, atB: number): number {
  return a.getUint32(atA + 4, true) - b.getUint32(atB + 4, true) || a.getUint32(atA, true) - b.getUint32(atB, true);
}
