// Extent trees of ext4: a root in the inode, at most five levels of checked and checksummed blocks below it. Extents that
// were allocated but not written read as zeros.

import type { ReadOptions } from "../blockReader.js";
import { BLOCKS_END, type BlockRun, hole } from "./blockRun.js";
import type { Inode } from "./inode.js";
import { fromHalves, u16, u32 } from "./littleEndian.js";
import type { ExtVolume } from "./volume.js";

const MAGIC = 0xf30a;
const HEADER_BYTES = 12;
const ENTRY_BYTES = 12;
const MAX_DEPTH = 5;
/** Lengths above it mean: so much more, not written. */
const MAX_WRITTEN_LENGTH = 32768;
const MAX_KEPT_NODES = 256;

interface Node {
  depth: number;
  starts: number[];
  /** Leaves only. */
  counts: number[];
  /** Where the extent or the child lies; null: not written. */
  blocks: (number | null)[];
  /** The first block of the file after what this node is about. */
  end: number;
}

export class ExtentTrees {
  readonly #volume: ExtVolume;
  /** Decoded and verified, by inode, block and what the parent says. */
  readonly #kept = new Map<string, Node>();

  constructor(volume: ExtVolume) {
    this.#volume = volume;
  }

  /** The run that holds `block`, from `block` on. */
  async findRun(inode: Inode, block: number, options: ReadOptions): Promise<BlockRun> {
    let node = this.#decode(inode, inode.iBlock, null, 0, BLOCKS_END);
    while (node.depth > 0) {
      const at = lastNotAfter(node.starts, block);
      if (at < 0) return hole(block, (node.starts[0] ?? node.end) - block);
      node = await this.#child(inode, node, at, options);
    }
    const at = lastNotAfter(node.starts, block);
    const next = node.starts[at + 1] ?? node.end;
    if (at < 0) return hole(block, next - block);
    const inside = block - (node.starts[at] as number);
    const rest = (node.counts[at] as number) - inside;
    if (rest <= 0) return hole(block, next - block);
    const physical = node.blocks[at] as number | null;
    return { logical: block, count: rest, physical: physical === null ? null : physical + inside };
  }

  async #child(inode: Inode, parent: Node, at: number, options: ReadOptions): Promise<Node> {
    const start = parent.starts[at] as number;
    const end = parent.starts[at + 1] ?? parent.end;
    const block = parent.blocks[at] as number;
    const key = `${inode.number} ${block} ${parent.depth} ${start} ${end}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const bytes = await this.#volume.readBlock(block, whereOf(inode), options);
    this.#verifyChecksum(inode, bytes);
    const node = this.#decode(inode, bytes, parent.depth - 1, start, end);
    if (this.#kept.size >= MAX_KEPT_NODES) this.#kept.clear();
    this.#kept.set(key, node);
    return node;
  }

  #decode(inode: Inode, bytes: Uint8Array, wantedDepth: number | null, start: number, end: number): Node {
    const entries = u16(bytes, 2);
    const room = u16(bytes, 4);
    const depth = u16(bytes, 6);
    if (u16(bytes, 0) !== MAGIC) throw this.#broken(inode, "wrong magic");
    if (depth > MAX_DEPTH || (wantedDepth !== null && depth !== wantedDepth)) {
      throw this.#broken(inode, `a node of depth ${depth}`);
    }
    if (entries > room || HEADER_BYTES + room * ENTRY_BYTES > bytes.length) {
      throw this.#broken(inode, `${entries} entries where ${room} fit`);
    }
    const node: Node = { depth, starts: [], counts: [], blocks: [], end };
    let previousEnd = start;
    for (let i = 0; i < entries; i++) {
      previousEnd = this.#decodeEntry(inode, node, bytes.subarray(HEADER_BYTES + i * ENTRY_BYTES), previousEnd);
    }
    if (previousEnd > end) throw this.#broken(inode, "entries reach beyond their node");
    return node;
  }

  /** Answers the first block that the next entry may start with. */
  #decodeEntry(inode: Inode, node: Node, bytes: Uint8Array, earliest: number): number {
    const start = u32(bytes, 0);
    if (start < earliest) throw this.#broken(inode, `entries out of order at block ${start}`);
    node.starts.push(start);
    if (node.depth > 0) {
      node.blocks.push(fromHalves(u16(bytes, 8), u32(bytes, 4)));
      return start + 1;
    }
    const length = u16(bytes, 4);
    const count = length > MAX_WRITTEN_LENGTH ? length - MAX_WRITTEN_LENGTH : length;
    const physical = fromHalves(u16(bytes, 6), u32(bytes, 8));
    if (count === 0) throw this.#broken(inode, "an empty extent");
    if (!this.#volume.holds(physical, count)) {
      throw this.#broken(inode, `blocks ${physical} to ${physical + count - 1} do not exist`);
    }
    node.counts.push(count);
    node.blocks.push(length > MAX_WRITTEN_LENGTH ? null : physical);
    return start + count;
  }

  #verifyChecksum(inode: Inode, bytes: Uint8Array): void {
    if (!this.#volume.superblock.hasMetadataChecksums) return;
    const end = HEADER_BYTES + u16(bytes, 4) * ENTRY_BYTES;
    if (end + 4 > bytes.length) throw this.#broken(inode, "no room for a checksum");
    if (this.#volume.checksum([bytes.subarray(0, end)], inode.checksumSeed) !== u32(bytes, end)) {
      throw this.#broken(inode, "wrong checksum");
    }
  }

  #broken(inode: Inode, problem: string): Error {
    return this.#volume.damaged(whereOf(inode), problem);
  }
}

function whereOf(inode: Inode): string {
  return `inode ${inode.number}, extent tree`;
}

/** The index of the last start ≤ `block`, or -1. */
function lastNotAfter(starts: readonly number[], block: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= block) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
