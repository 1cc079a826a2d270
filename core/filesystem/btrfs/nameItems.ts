// Items made of names: directory entries, by hash and by number, and extended attributes. An item found by hash holds every
// name with that hash. Layout: btrfs-progs, On-disk-format.rst.

import { crc32c } from "../../hash/crc32c.js";
import type { FileKind } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { type Key, keyAt } from "./key.js";
import { viewOf } from "./littleEndian.js";

const HEADER_BYTES = 30;
const MAX_NAME_BYTES = 255;
const HASH_SEED = 0xffff_fffe;

export interface NameItem {
  /** Where an entry leads: an inode of the same tree, or the root of another one. */
  location: Key;
  type: number;
  name: Uint8Array;
  value: Uint8Array;
}

const kinds: readonly (FileKind | undefined)[] = [
  undefined,
  "file",
  "directory",
  "character-device",
  "block-device",
  "fifo",
  "socket",
  "symlink",
];

/** Null when the entry does not say. */
export function kindOfEntry({ type }: NameItem): FileKind | null {
  return kinds[type] ?? null;
}

/** The offset of the key under which a name is found. */
export function nameHash(name: Uint8Array): number {
  return crc32c(name, HASH_SEED);
}

/** Copies of what is in an item. Throws FILESYSTEM_DAMAGED when it does not fill the item. */
export function decodeNameItems(data: Uint8Array, where: string): NameItem[] {
  const view = viewOf(data);
  const items: NameItem[] = [];
  for (let at = 0; at < data.length; ) {
    if (at + HEADER_BYTES > data.length) throw damaged("btrfs", where, "has an entry that is cut off");
    const valueBytes = view.getUint16(at + 25, true);
    const nameBytes = view.getUint16(at + 27, true);
    const start = at + HEADER_BYTES;
    const end = start + nameBytes + valueBytes;
    if (end > data.length || nameBytes > MAX_NAME_BYTES) {
      throw damaged("btrfs", where, "has an entry that is too long");
    }
    items.push({
      location: keyAt(view, at),
      type: view.getUint8(at + 29),
      name: data.slice(start, start + nameBytes),
      value: data.slice(start + nameBytes, end),
    });
    at = end;
  }
  return items;
}
