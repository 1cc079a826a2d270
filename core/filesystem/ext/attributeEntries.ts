// Extended attributes as they are laid out in an inode and in the block that an inode may have for more of them: a list of
// entries that name values elsewhere in the same area, or an inode that holds the value.

import { u16, u32 } from "./littleEndian.js";

const ENTRY_BYTES = 16;
/** Both areas together cannot hold more; the bound is for areas that overlap themselves. */
const MAX_ENTRIES = 4096;

export interface AttributeEntry {
  /** Which prefix the name has. */
  space: number;
  name: Uint8Array;
  /** In the area; meaningless when an inode holds the value. */
  valueOffset: number;
  valueBytes: number;
  /** 0: the value is in the area. */
  valueInode: number;
}

/** `fail` throws. Entries start at `start`; the area ends them with four zero bytes. */
export function decodeAttributeEntries(
  area: Uint8Array,
  start: number,
  fail: (problem: string) => Error,
): AttributeEntry[] {
  const entries: AttributeEntry[] = [];
  for (let at = start; u32(area, at) !== 0; ) {
    const nameBytes = area[at] as number;
    const end = at + ENTRY_BYTES + nameBytes;
    if (end + 4 > area.length) throw fail("an attribute reaches beyond its area");
    if (entries.length >= MAX_ENTRIES) throw fail("too many attributes");
    entries.push({
      space: area[at + 1] as number,
      name: area.subarray(at + ENTRY_BYTES, end),
      valueOffset: u16(area, at + 2),
      valueInode: u32(area, at + 4),
      valueBytes: u32(area, at + 8),
    });
    at = (end + 3) & ~3;
    if (at + 4 > area.length) throw fail("attributes without an end");
  }
  return entries;
}

/** A view of a value that lies in its area, whose offsets count from `base`. */
export function valueInArea(
  area: Uint8Array,
  base: number,
  entry: AttributeEntry,
  fail: (problem: string) => Error,
): Uint8Array {
  const from = base + entry.valueOffset;
  if (entry.valueBytes > area.length || from + entry.valueBytes > area.length) {
    throw fail("the value of an attribute reaches beyond its area");
  }
  return area.subarray(from, from + entry.valueBytes);
}
