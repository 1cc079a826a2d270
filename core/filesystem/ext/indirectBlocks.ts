// Block maps of ext2 and ext3: twelve pointers, then one, two and three levels of blocks full of pointers. They carry no
// checksums; every pointer is checked.

import type { ReadOptions } from "../blockReader.js";
import { BLOCKS_END, type BlockRun, hole } from "./blockRun.js";
import type { Inode } from "./inode.js";
import { u32 } from "./littleEndian.js";
import type { ExtVolume } from "./volume.js";

const DIRECT = 12;

/** The run that `block` starts; never longer than the block of pointers it is named in. */
export async function findMappedRun(
  volume: ExtVolume,
  inode: Inode,
  block: number,
  options: ReadOptions,
): Promise<BlockRun> {
  if (block < DIRECT) return runFrom(volume, inode, inode.iBlock.subarray(0, DIRECT * 4), block, block);
  const perBlock = volume.superblock.blockBytes / 4;
  let inside = block - DIRECT;
  for (let level = 1; level <= 3; level++) {
    const covered = perBlock ** level;
    if (inside < covered) return await descend(volume, inode, block, inside, level, options);
    inside -= covered;
  }
  return hole(block, BLOCKS_END);
}

async function descend(
  volume: ExtVolume,
  inode: Inode,
  block: number,
  inside: number,
  levels: number,
  options: ReadOptions,
): Promise<BlockRun> {
  const perBlock = volume.superblock.blockBytes / 4;
  let pointer = u32(inode.iBlock, (DIRECT - 1 + levels) * 4);
  let rest = inside;
  for (let level = levels; ; level--) {
    const covered = perBlock ** level;
    if (pointer === 0) return hole(block, covered - rest);
    const pointers = await volume.readBlock(pointer, `inode ${inode.number}, block map`, options);
    const step = covered / perBlock;
    if (level === 1) return runFrom(volume, inode, pointers, rest, block);
    pointer = u32(pointers, Math.floor(rest / step) * 4);
    rest %= step;
  }
}

/** As many pointers from `index` on as go on by one each, or are all zero. */
function runFrom(volume: ExtVolume, inode: Inode, pointers: Uint8Array, index: number, logical: number): BlockRun {
  const first = u32(pointers, index * 4);
  const step = first === 0 ? 0 : 1;
  let count = 1;
  for (let at = (index + 1) * 4; at < pointers.length; at += 4, count++) {
    if (u32(pointers, at) !== first + step * count) break;
  }
  if (first === 0) return hole(logical, count);
  if (!volume.holds(first, count)) {
    throw volume.damaged(`inode ${inode.number}, block map`, `blocks ${first} to ${first + count - 1} do not exist`);
  }
  return { logical, count, physical: first };
}
