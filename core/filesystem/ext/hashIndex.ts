// Finds the block of an indexed directory that should hold a name. A hint only: what it does not find is looked for in all
// blocks, so that a damaged or strange index hides nothing.

import type { ReadOptions } from "../blockReader.js";
import { decodeDirectoryBlock, type RawEntry } from "./directoryBlock.js";
import type { FileContents } from "./fileContents.js";
import type { Inode } from "./inode.js";
import { u16, u32 } from "./littleEndian.js";
import { hashName, UNSIGNED } from "./nameHash.js";
import type { ExtVolume } from "./volume.js";

const ROOT_INFO_OFFSET = 24;
const ROOT_ENTRIES_OFFSET = 32;
const NODE_ENTRIES_OFFSET = 8;
const ENTRY_BYTES = 8;
const MAX_LEVELS = 3;
const BLOCK_MASK = 0x0fff_ffff;

/** The entries of the block where `name` belongs; null when the index does not lead there. */
export async function findByIndex(
  volume: ExtVolume,
  contents: FileContents,
  directory: Inode,
  name: Uint8Array,
  options: ReadOptions,
): Promise<RawEntry[] | null> {
  const { blockBytes, hashSeed, hasUnsignedHashes } = volume.superblock;
  const read = async (logical: number) => {
    const bytes = new Uint8Array(blockBytes);
    await contents.read(directory, bytes, logical * blockBytes, options);
    return { bytes, entries: decodeDirectoryBlock(volume, directory, bytes, logical) };
  };
  let { bytes } = await read(0);
  const version = (bytes[ROOT_INFO_OFFSET + 4] as number) + (hasUnsignedHashes ? UNSIGNED : 0);
  const levels = bytes[ROOT_INFO_OFFSET + 6] as number;
  const hash = hashName(name, version, hashSeed);
  if (hash === null || levels >= MAX_LEVELS) return null;
  for (let level = 0, start = ROOT_ENTRIES_OFFSET; ; level++, start = NODE_ENTRIES_OFFSET) {
    const next = childFor(bytes, start, hash);
    if (next === null || next * blockBytes >= directory.sizeBytes) return null;
    const block = await read(next);
    if (level === levels) return block.entries;
    bytes = block.bytes;
  }
}

/** The first child has no hash: it takes all names below that of the second. */
function childFor(bytes: Uint8Array, start: number, hash: number): number | null {
  const count = u16(bytes, start + 2);
  if (count < 1 || start + count * ENTRY_BYTES > bytes.length) return null;
  let low = 1;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (u32(bytes, start + middle * ENTRY_BYTES) <= hash) low = middle + 1;
    else high = middle;
  }
  return u32(bytes, start + (low - 1) * ENTRY_BYTES + 4) & BLOCK_MASK;
}
