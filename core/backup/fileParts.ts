// Parts of open files inside one segment of a lane: many small files share one, a large file has many. Each part is cut for
// itself, so that equal files have equal chunks wherever they lie.

import { readSync } from "node:fs";
import type { SegmentCut, SegmentCutter } from "../chunking/segmentCutter.js";
import type { Extent } from "../source/blockSource.js";

export interface FilePart {
  /** Open in this process; file descriptors belong to all of its threads. */
  fd: number;
  /** In the file. */
  position: number;
  length: number;
  /** What of it is data and what holes, by position in the file; null: all data. */
  extents: Extent[] | null;
}

export interface ScannedPart {
  /** How many of the segment's lengths belong to it. */
  entries: number;
  /** Less than its data: the file has become shorter. */
  bytesRead: number;
  /** Of the system, as in EIO; null: it was read. */
  errno: string | null;
}

/** Parts begin at multiples of this, as the kernel likes it. */
const ALIGNMENT = 64;

export function roomOf({ length }: Pick<FilePart, "length">): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** Reads all parts into the slot and cuts each. What cannot be read is zeros. */
export function scanParts(
  cutter: SegmentCutter,
  slot: number,
  parts: readonly FilePart[],
): { cuts: (SegmentCut & { start: number })[]; parts: ScannedPart[]; bytesRead: number } {
  const bytes = cutter.slotBytes(slot);
  const cuts: (SegmentCut & { start: number })[] = [];
  const scanned: ScannedPart[] = [];
  let start = 0;
  for (const part of parts) {
    const read = readPart(part, bytes.subarray(start, start + part.length));
    let at = start;
    const ofPart = cutter.cut(slot, part.length, start);
    for (const cut of ofPart) {
      cuts.push({ ...cut, start: at });
      at += cut.length;
    }
    scanned.push({ entries: ofPart.length, ...read });
    start += roomOf(part);
  }
  return { cuts, parts: scanned, bytesRead: scanned.reduce((sum, { bytesRead }) => sum + bytesRead, 0) };
}

function readPart(part: FilePart, target: Uint8Array): Omit<ScannedPart, "entries"> {
  const { position, length } = part;
  let bytesRead = 0;
  try {
    for (const extent of part.extents ?? [{ offset: position, length, zero: false }]) {
      const from = extent.offset - position;
      const bytes = target.subarray(from, from + extent.length);
      const count = extent.zero ? 0 : readFully(part.fd, bytes, extent.offset);
      bytes.fill(0, count);
      bytesRead += count;
    }
    return { bytesRead, errno: null };
  } catch (error) {
    target.fill(0);
    return { bytesRead, errno: (error as NodeJS.ErrnoException).code ?? "EIO" };
  }
}

/** Stops at the end of the file. */
function readFully(fd: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const count = readSync(fd, target, done, target.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
