// The bytes of a file, a directory or a long symbolic link, however they are stored: inline, by extents, by a block map.

import type { ReadOptions } from "../blockReader.js";
import type { DataRange, FileExtent } from "../fileSystem.js";
import { inlineContinuation } from "./attributes.js";
import type { BlockRun } from "./blockRun.js";
import { ExtentTrees } from "./extentTree.js";
import { findMappedRun } from "./indirectBlocks.js";
import { FLAG, hasFlag, type Inode } from "./inode.js";
import type { ExtVolume } from "./volume.js";

export class FileContents {
  readonly #volume: ExtVolume;
  readonly #trees: ExtentTrees;

  constructor(volume: ExtVolume) {
    this.#volume = volume;
    this.#trees = new ExtentTrees(volume);
  }

  /** The run from `block` on. */
  async findRun(inode: Inode, block: number, options: ReadOptions): Promise<BlockRun> {
    if (hasFlag(inode, FLAG.extents)) return await this.#trees.findRun(inode, block, options);
    return await findMappedRun(this.#volume, inode, block, options);
  }

  /** Fills `buffer` from `offset`, which may be anything; answers how many bytes there were before the end of the file. */
  async read(inode: Inode, buffer: Uint8Array, offset: number, options: ReadOptions): Promise<number> {
    const wanted = Math.max(0, Math.min(buffer.length, inode.sizeBytes - offset));
    const target = buffer.subarray(0, wanted);
    if (hasFlag(inode, FLAG.inlineData)) {
      target.fill(0);
      target.set(this.inlineBytes(inode).subarray(offset, offset + wanted));
      return wanted;
    }
    const { blockBytes } = this.#volume.superblock;
    for (let done = 0; done < wanted; ) {
      options.signal?.throwIfAborted();
      const position = offset + done;
      const block = Math.floor(position / blockBytes);
      const run = await this.findRun(inode, block, options);
      const inside = position - block * blockBytes;
      const part = target.subarray(done, done + Math.min(wanted - done, run.count * blockBytes - inside));
      if (run.physical === null) part.fill(0);
      else await this.#volume.readInto(part, run.physical * blockBytes + inside, whereOf(inode), options);
      done += part.length;
    }
    return wanted;
  }

  async *dataRanges(inode: Inode, options: ReadOptions): AsyncGenerator<DataRange> {
    if (hasFlag(inode, FLAG.inlineData)) {
      if (inode.sizeBytes > 0) yield { offset: 0, length: inode.sizeBytes };
      return;
    }
    const { blockBytes } = this.#volume.superblock;
    const blocks = Math.ceil(inode.sizeBytes / blockBytes);
    let pending: DataRange | null = null;
    let steps = 2 * this.#volume.superblock.blockCount;
    for (let block = 0; block < blocks; steps--) {
      options.signal?.throwIfAborted();
      if (steps < 0) throw this.#volume.damaged(whereOf(inode), "more pieces than the file system has blocks");
      const run = await this.findRun(inode, block, options);
      const offset = block * blockBytes;
      const length = Math.min(run.count * blockBytes, inode.sizeBytes - offset);
      block += run.count;
      if (run.physical === null) continue;
      if (pending !== null && pending.offset + pending.length === offset) {
        pending.length += length;
        continue;
      }
      if (pending !== null) yield pending;
      pending = { offset, length };
    }
    if (pending !== null) yield pending;
  }

  /** Runs that lie in place; blocks that the journal has newer, and inline data, are left out. */
  async *extents(inode: Inode, options: ReadOptions): AsyncGenerator<FileExtent> {
    if (hasFlag(inode, FLAG.inlineData)) return;
    const { blockBytes, blockCount } = this.#volume.superblock;
    const blocks = Math.ceil(inode.sizeBytes / blockBytes);
    let steps = 2 * blockCount;
    for (let block = 0; block < blocks; steps--) {
      options.signal?.throwIfAborted();
      if (steps < 0) throw this.#volume.damaged(whereOf(inode), "more pieces than the file system has blocks");
      const run = await this.findRun(inode, block, options);
      const next = Math.min(block + run.count, blocks);
      if (run.physical !== null) {
        for (const { first, count } of this.#inPlace(run.physical, next - block)) {
          const offset = (block + first - run.physical) * blockBytes;
          const length = Math.min(count * blockBytes, inode.sizeBytes - offset);
          yield { offset, length, deviceOffset: first * blockBytes };
        }
      }
      block = next;
    }
  }

  *#inPlace(first: number, count: number): Generator<{ first: number; count: number }> {
    let start = first;
    for (let block = first; block < first + count; block++) {
      if (!this.#volume.isReplaced(block)) continue;
      if (block > start) yield { first: start, count: block - start };
      start = block + 1;
    }
    if (first + count > start) yield { first: start, count: first + count - start };
  }

  /** What an inode with inline data holds: 60 bytes in place of block pointers, the rest among its attributes. */
  inlineBytes(inode: Inode): Uint8Array {
    const rest = inlineContinuation(this.#volume, inode);
    const bytes = new Uint8Array(inode.iBlock.length + rest.length);
    bytes.set(inode.iBlock);
    bytes.set(rest, inode.iBlock.length);
    return bytes;
  }
}

function whereOf(inode: Inode): string {
  return `inode ${inode.number}, contents`;
}
