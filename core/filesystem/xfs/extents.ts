// Extent records: 128 bits that say where a run of file blocks lies. Follows "XFS Algorithms & Data Structures", chapter
// Data Extents.

import { damaged } from "../filesystemErrors.js";
import type { XfsVolume } from "./volume.js";

export const EXTENT_BYTES = 16;

export interface Extent {
  /** First block inside the fork. */
  start: number;
  count: number;
  /** Block address: allocation group and block in it. */
  address: number;
  /** Allocated, never written: zeros. */
  unwritten: boolean;
}

export interface ExtentBounds {
  /** No record may start before, or end after. */
  from: number;
  to: number;
  where: string;
}

/** Ascending, without overlaps, all inside the file system; else FILESYSTEM_DAMAGED. */
export function decodeExtents(view: DataView, count: number, volume: XfsVolume, bounds: ExtentBounds): Extent[] {
  const largest = Math.min(bounds.to, Math.floor(Number.MAX_SAFE_INTEGER / volume.superblock.blockBytes));
  const extents: Extent[] = [];
  let next = bounds.from;
  for (let i = 0; i < count; i++) {
    const extent = decodeExtent(view, i * EXTENT_BYTES);
    const { start, count: blocks, address } = extent;
    if (blocks === 0 || start < next || start + blocks > largest) {
      throw damaged("xfs", bounds.where, `extent ${i} is out of order`, { start, blocks, after: next });
    }
    if (!volume.holdsBlocks(address, blocks)) {
      throw damaged("xfs", bounds.where, `extent ${i} lies outside the file system`, { start, blocks, address });
    }
    extents.push(extent);
    next = start + blocks;
  }
  return extents;
}

/** 1 bit unwritten, 54 bits start, 52 bits address, 21 bits count. */
function decodeExtent(view: DataView, at: number): Extent {
  const first = view.getUint32(at);
  const second = view.getUint32(at + 4);
  const third = view.getUint32(at + 8);
  const fourth = view.getUint32(at + 12);
  return {
    start: (first & 0x7fff_ffff) * 2 ** 23 + (second >>> 9),
    count: fourth & 0x1f_ffff,
    address: (second & 0x1ff) * 2 ** 43 + third * 2 ** 11 + (fourth >>> 21),
    unwritten: first >>> 31 === 1,
  };
}

/** The first of `extents` that ends after `block`. */
export function extentAfter(extents: readonly Extent[], block: number): Extent | null {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { start, count } = extents[middle] as Extent;
    if (start + count > block) high = middle;
    else low = middle + 1;
  }
  return extents[low] ?? null;
}
