// Extended attributes: inside the inode, in leaves, and large values in blocks of their own. Follows "XFS Algorithms & Data
// Structures", chapter Extended Attributes.

import { attributeNameIn } from "../attributeName.js";
import type { ReadOptions } from "../blockReader.js";
import type { NamedBytes } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { convertAccessList } from "./accessLists.js";
import { viewOf } from "./bigEndian.js";
import { Fork } from "./fork.js";
import { HASH_ENTRY_BYTES, type HashBlock, leafOfHash, leavesFrom } from "./hashBlocks.js";
import type { XfsInode } from "./inode.js";
import type { HeaderPlaces, XfsVolume } from "./volume.js";

const FLAG_LOCAL = 0x01;
const FLAG_ROOT = 0x02;
const FLAG_SECURE = 0x04;
const FLAG_PARENT = 0x08;
const FLAG_INCOMPLETE = 0x80;

const MAX_VALUE_BYTES = 1 << 16;
const MAX_TOTAL_BYTES = 1 << 24;
/** What one costs besides its name and value. */
const OVERHEAD_BYTES = 32;

/** "XARM" */
const VALUE_MAGIC = 0x5841524d;
const VALUE_HEADER_BYTES = 56;
const VALUE_PLACES: HeaderPlaces = { crc: 12, address: 40, uuid: 16, owner: 32 };

/** In the order of the medium; nothing for half-written ones and for parent pointers. */
export async function readAttributes(volume: XfsVolume, inode: XfsInode, options?: ReadOptions): Promise<NamedBytes[]> {
  const place = inode.attributes;
  const where = `inode ${inode.number}, attributes`;
  const list = new AttributeList(where);
  if (place === null) return [];
  if (place.format === "local") {
    decodeShortForm(place.bytes, list);
    return list.attributes;
  }
  if (place.format === "extents" && place.extentCount === 0) return [];
  const fork = new Fork(volume, inode.number, "attributes", place);
  const start = await leafOfHash(fork, 0, 1, 0, options);
  if (start === null) return [];
  for await (const leaf of leavesFrom(fork, start, 1, options)) {
    if (leaf.kind !== "attribute-leaf") throw damaged("xfs", where, "has an index of names");
    for (let i = 0; i < leaf.count; i++) await readLeafEntry(fork, leaf, i, list, options);
  }
  return list.attributes;
}

/** Collects within the limits of the interface. */
class AttributeList {
  readonly attributes: NamedBytes[] = [];
  readonly where: string;
  #totalBytes = 0;

  constructor(where: string) {
    this.where = where;
  }

  add(name: Uint8Array, value: Uint8Array, flags: number): void {
    if (name.length === 0) throw damaged("xfs", this.where, "has one without a name");
    this.#totalBytes += name.length + value.length + OVERHEAD_BYTES;
    if (this.#totalBytes > MAX_TOTAL_BYTES) throw damaged("xfs", this.where, "has more than 16 MiB");
    const space = (flags & FLAG_ROOT) !== 0 ? "trusted." : (flags & FLAG_SECURE) !== 0 ? "security." : "user.";
    const attribute = { ...attributeNameIn(space, name), value };
    this.attributes.push(convertAccessList(attribute, this.where));
  }
}

function isListed(flags: number): boolean {
  return (flags & (FLAG_PARENT | FLAG_INCOMPLETE)) === 0;
}

/** Total length 2, count 1, filling 1; then name length, value length, flags, name, value. */
function decodeShortForm(fork: Uint8Array, list: AttributeList): void {
  if (fork.length < 4) throw damaged("xfs", list.where, "do not fit");
  const total = viewOf(fork).getUint16(0);
  if (total > fork.length) throw damaged("xfs", list.where, `have ${total} bytes in the inode`);
  let at = 4;
  for (let i = 0; i < (fork[2] as number); i++) {
    const nameAt = at + 3;
    const valueAt = nameAt + (at < total ? (fork[at] as number) : 0);
    const end = valueAt + (at + 1 < total ? (fork[at + 1] as number) : 0);
    if (nameAt > total || end > total) throw damaged("xfs", list.where, `entry ${i} does not fit`);
    const flags = fork[at + 2] as number;
    if (isListed(flags)) list.add(fork.subarray(nameAt, valueAt), fork.slice(valueAt, end), flags);
    at = end;
  }
}

async function readLeafEntry(
  fork: Fork,
  leaf: HashBlock,
  index: number,
  list: AttributeList,
  options?: ReadOptions,
): Promise<void> {
  const { view, bytes } = leaf;
  const entryAt = leaf.entriesAt + index * HASH_ENTRY_BYTES;
  const at = view.getUint16(entryAt + 4);
  const flags = view.getUint8(entryAt + 6);
  if (!isListed(flags)) return;
  const isLocal = (flags & FLAG_LOCAL) !== 0;
  // local: value length 2, name length 1; else value block 4, value length 4, name length 1
  const nameAt = at + (isLocal ? 3 : 9);
  const entriesEnd = leaf.entriesAt + leaf.count * HASH_ENTRY_BYTES;
  const nameEnd = nameAt <= bytes.length ? nameAt + (bytes[nameAt - 1] as number) : nameAt;
  const end = isLocal && nameAt <= bytes.length ? nameEnd + view.getUint16(at) : nameEnd;
  if (at < entriesEnd || end > bytes.length) throw damaged("xfs", list.where, `entry ${index} does not fit`);
  const name = bytes.subarray(nameAt, nameEnd);
  if (isLocal) {
    list.add(name, bytes.slice(nameEnd, end), flags);
  } else {
    list.add(name, await readValue(fork, view.getUint32(at), view.getUint32(at + 4), options), flags);
  }
}

/** `length` bytes from block `start` of the fork; every block of version 5 has its own header. */
async function readValue(fork: Fork, start: number, length: number, options?: ReadOptions): Promise<Uint8Array> {
  if (length > MAX_VALUE_BYTES) throw damaged("xfs", fork.where, `has a value of ${length} bytes`);
  const { blockBytes, features } = fork.volume.superblock;
  const headerBytes = features.version5 ? VALUE_HEADER_BYTES : 0;
  const value = new Uint8Array(length);
  for (let done = 0, block = start; done < length; block++) {
    const { bytes, byteOffset } = await fork.readMetadata(block, 1, options);
    const part = Math.min(length - done, blockBytes - headerBytes);
    if (features.version5) checkValueBlock(fork, bytes, byteOffset, { done, part });
    value.set(bytes.subarray(headerBytes, headerBytes + part), done);
    done += part;
  }
  return value;
}

function checkValueBlock(
  fork: Fork,
  bytes: Uint8Array,
  byteOffset: number,
  { done, part }: { done: number; part: number },
): void {
  const where = `${fork.where}, value`;
  const view = viewOf(bytes);
  if (view.getUint32(0) !== VALUE_MAGIC) throw damaged("xfs", where, "has no magic number", { byteOffset });
  fork.volume.checkHeader(bytes, { places: VALUE_PLACES, byteOffset, owner: fork.owner, where });
  if (view.getUint32(4) !== done || view.getUint32(8) !== part) {
    throw damaged("xfs", where, "is another part of it", { byteOffset });
  }
}
