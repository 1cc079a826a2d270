// Whether two volumes have the same bytes, told by the image maps alone: then everything on them is the same.

import { type DiskPlace, placesOf } from "../filesystem/blockReader.js";
import { equalBytes } from "../format/bytes.js";
import type { Volume } from "./machineVolumes.js";
import { SnapshotDisk } from "./snapshotDisk.js";

/** True only when it is proven. */
export async function haveSameBytes(a: Volume, b: Volume): Promise<boolean> {
  if (a.sizeBytes !== b.sizeBytes) return false;
  // btrfs may spread over other volumes, too
  if (a.content.kind !== "filesystem" || a.content.type === "btrfs") return false;
  const first = placesOf(a.reader, 0, a.sizeBytes)[Symbol.iterator]();
  for (const place of placesOf(b.reader, 0, b.sizeBytes)) {
    const other = first.next();
    if (other.done || !(await isSamePlace(other.value, place))) return false;
  }
  return first.next().done === true;
}

async function isSamePlace(a: DiskPlace, b: DiskPlace): Promise<boolean> {
  if (!(a.disk instanceof SnapshotDisk && b.disk instanceof SnapshotDisk)) return false;
  if (a.offset !== b.offset || a.length !== b.length) return false;
  const [first, second] = [a.disk.image, b.disk.image];
  const { pageSpanBytes } = first.root;
  if (second.root.pageSpanBytes !== pageSpanBytes) return false;
  const end = a.offset + a.length;
  for (let page = Math.floor(a.offset / pageSpanBytes); page * pageSpanBytes < end; page++) {
    if (isSameId(first.pageId(page), second.pageId(page))) continue;
    const from = Math.max(a.offset, page * pageSpanBytes);
    const length = Math.min(end, (page + 1) * pageSpanBytes) - from;
    if (!(await haveSameEntries(a.disk, b.disk, from, length))) return false;
  }
  return true;
}

async function haveSameEntries(a: SnapshotDisk, b: SnapshotDisk, offset: number, length: number): Promise<boolean> {
  const [first, second] = [await a.entries(offset, length), await b.entries(offset, length)];
  if (first.length !== second.length) return false;
  return first.every((entry, i) => {
    const other = second[i];
    return other?.offset === entry.offset && other.length === entry.length && isSameId(entry.id, other.id);
  });
}

function isSameId(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b);
}
