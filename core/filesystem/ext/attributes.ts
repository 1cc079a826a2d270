// The extended attributes of an inode, from all three places they may be in: behind the inode's fields, in a block of
// their own, and (large values) in inodes of their own. Also where inline data goes on.

import { attributeNameIn } from "../attributeName.js";
import type { ReadOptions } from "../blockReader.js";
import type { NamedBytes } from "../fileSystem.js";
import { type AttributeEntry, decodeAttributeEntries, valueInArea } from "./attributeEntries.js";
import { FLAG, hasFlag, type Inode } from "./inode.js";
import { le32Bytes, u32 } from "./littleEndian.js";
import { expandPosixAcl } from "./posixAcl.js";
import type { ExtVolume } from "./volume.js";

const MAGIC = 0xea02_0000;
const BLOCK_HEADER_BYTES = 32;
const MAX_VALUE_BYTES = 64 * 1024;
const MAX_ALL_BYTES = 16 * 1024 * 1024;

const SPACE_ACL_ACCESS = 2;
const SPACE_ACL_DEFAULT = 3;
const SPACE_SYSTEM = 7;
const prefixes = new Map<number, string>([
  [1, "user."],
  [SPACE_ACL_ACCESS, "system.posix_acl_access"],
  [SPACE_ACL_DEFAULT, "system.posix_acl_default"],
  [4, "trusted."],
  [6, "security."],
  [SPACE_SYSTEM, "system."],
  [8, "system.richacl"],
  [10, "gnu."],
]);

/** What attributes need to read values in inodes of their own. */
export interface ValueInodes {
  readInode(number: number, options: ReadOptions): Promise<Inode>;
  /** All of its contents, which have exactly `length` bytes. */
  readWhole(inode: Inode, length: number, options: ReadOptions): Promise<Uint8Array>;
}

export async function readAttributes(
  volume: ExtVolume,
  inode: Inode,
  values: ValueInodes,
  options: ReadOptions,
): Promise<NamedBytes[]> {
  const all: NamedBytes[] = [];
  let total = 0;
  for (const { area, base, entries } of await attributeAreas(volume, inode, options)) {
    for (const entry of entries) {
      const named = nameOf(entry);
      if (named === null) continue;
      const fail = failing(volume, inode);
      if (entry.valueBytes > MAX_VALUE_BYTES) throw fail(`the value of ${named.name} has ${entry.valueBytes} bytes`);
      total += entry.valueBytes;
      if (total > MAX_ALL_BYTES) throw fail("more than 16 MiB of attributes");
      const stored =
        entry.valueInode === 0
          ? valueInArea(area, base, entry, fail).slice()
          : await readValueInode(volume, inode, entry, values, options);
      all.push({ ...named, value: seenValue(entry, stored) });
    }
  }
  return all;
}

/** What follows the first 60 bytes of inline data; empty when nothing does. */
export function inlineContinuation(volume: ExtVolume, inode: Inode): Uint8Array {
  const fail = failing(volume, inode);
  for (const { area, base, entries } of areaInInode(volume, inode)) {
    const entry = entries.find(isInlineData);
    if (entry === undefined) continue;
    if (entry.valueInode !== 0) throw fail("inline data in another inode");
    return entry.valueBytes === 0 ? new Uint8Array(0) : valueInArea(area, base, entry, fail);
  }
  return new Uint8Array(0);
}

interface AttributeArea {
  area: Uint8Array;
  base: number;
  entries: AttributeEntry[];
}

async function attributeAreas(volume: ExtVolume, inode: Inode, options: ReadOptions): Promise<AttributeArea[]> {
  const areas = areaInInode(volume, inode);
  if (inode.attributeBlock !== 0) areas.push(await areaInBlock(volume, inode, options));
  return areas;
}

function areaInInode(volume: ExtVolume, inode: Inode): AttributeArea[] {
  const area = inode.attributeArea;
  if (area.length < 8 || u32(area, 0) !== MAGIC) return [];
  return [{ area, base: 4, entries: decodeAttributeEntries(area, 4, failing(volume, inode)) }];
}

async function areaInBlock(volume: ExtVolume, inode: Inode, options: ReadOptions): Promise<AttributeArea> {
  const fail = failing(volume, inode);
  const block = inode.attributeBlock;
  const area = await volume.readBlock(block, whereOf(inode), options);
  if (u32(area, 0) !== MAGIC || u32(area, 8) !== 1) throw fail("wrong magic of the attribute block");
  if (volume.superblock.hasMetadataChecksums) {
    const number = [le32Bytes(block % 2 ** 32), le32Bytes(Math.floor(block / 2 ** 32))];
    const parts = [...number, area.subarray(0, 16), new Uint8Array(4), area.subarray(20)];
    if (volume.checksum(parts) !== u32(area, 16)) throw fail("wrong checksum of the attribute block");
  }
  return { area, base: 0, entries: decodeAttributeEntries(area, BLOCK_HEADER_BYTES, fail) };
}

async function readValueInode(
  volume: ExtVolume,
  inode: Inode,
  entry: AttributeEntry,
  values: ValueInodes,
  options: ReadOptions,
): Promise<Uint8Array> {
  const fail = failing(volume, inode);
  const holder = await values.readInode(entry.valueInode, options);
  if (!hasFlag(holder, FLAG.eaInode)) throw fail(`inode ${holder.number} holds no attribute`);
  if (holder.sizeBytes !== entry.valueBytes) throw fail(`inode ${holder.number} holds another size`);
  const value = await values.readWhole(holder, entry.valueBytes, options);
  const isOldForm = holder.rawTimes.modified === inode.number && holder.generation === inode.generation;
  if (volume.checksum([value]) !== holder.rawTimes.accessed && !isOldForm) {
    throw fail(`inode ${holder.number} holds a value with a wrong checksum`);
  }
  return value;
}

/** Null: not for programs (inline data, encryption contexts). */
function nameOf(entry: AttributeEntry): Pick<NamedBytes, "name" | "nameBytes"> | null {
  const prefix = prefixes.get(entry.space);
  if (prefix === undefined || isInlineData(entry)) return null;
  return attributeNameIn(prefix, entry.name);
}

function isInlineData({ space, name }: AttributeEntry): boolean {
  return space === SPACE_SYSTEM && new TextDecoder().decode(name) === "data";
}

function seenValue({ space }: AttributeEntry, stored: Uint8Array): Uint8Array {
  if (space !== SPACE_ACL_ACCESS && space !== SPACE_ACL_DEFAULT) return stored;
  return expandPosixAcl(stored) ?? stored;
}

function failing(volume: ExtVolume, inode: Inode): (problem: string) => Error {
  return (problem) => volume.damaged(whereOf(inode), problem);
}

function whereOf(inode: Inode): string {
  return `inode ${inode.number}, attributes`;
}
