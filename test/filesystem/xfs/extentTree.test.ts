// Trees of extents made by hand: of version 4, which no image here has, and hostile ones.

import assert from "node:assert/strict";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import type { Extent } from "../../../core/filesystem/xfs/extents.js";
import { ExtentTree } from "../../../core/filesystem/xfs/extentTree.js";
import { decodeSuperblock } from "../../../core/filesystem/xfs/superblock.js";
import { XfsVolume } from "../../../core/filesystem/xfs/volume.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { assertCode } from "../../support/assertCode.js";
import { xfsImage } from "./xfsImages.js";

const BLOCK_BYTES = 512;
const BLOCK_ROOM = Math.floor((BLOCK_BYTES - 24) / 16);
const ROOT_BYTES = 156;
const ROOT_ROOM = Math.floor((ROOT_BYTES - 4) / 16);

type Pair = readonly [key: number, address: number];

function encodeExtent(view: DataView, at: number, { start, count, address, unwritten }: Extent): void {
  const high = (BigInt(unwritten ? 1 : 0) << 63n) | (BigInt(start) << 9n) | (BigInt(address) >> 43n);
  view.setBigUint64(at, high);
  view.setBigUint64(at + 8, ((BigInt(address) & ((1n << 43n) - 1n)) << 21n) | BigInt(count));
}

function putPairs(view: DataView, at: number, room: number, pairs: readonly Pair[]): void {
  pairs.forEach(([key, address], i) => {
    view.setBigUint64(at + i * 8, BigInt(key));
    view.setBigUint64(at + (room + i) * 8, BigInt(address));
  });
}

function rootOf(level: number, pairs: readonly Pair[]): Uint8Array {
  const root = new Uint8Array(ROOT_BYTES);
  const view = new DataView(root.buffer);
  view.setUint16(0, level);
  view.setUint16(2, pairs.length);
  putPairs(view, 4, ROOT_ROOM, pairs);
  return root;
}

/** A device of which only some blocks are not zeros. */
class Blocks implements BlockReader {
  readonly sizeBytes = 64 << 20;
  readonly #blocks = new Map<number, Uint8Array>();

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    buffer.set(this.#blocks.get(offset / BLOCK_BYTES) ?? new Uint8Array(buffer.length));
  }

  node(address: number, level: number, pairs: readonly Pair[]): void {
    putPairs(this.#block(address, level, pairs.length), 24, BLOCK_ROOM, pairs);
  }

  leaf(address: number, extents: readonly Extent[]): void {
    const view = this.#block(address, 0, extents.length);
    for (const [i, extent] of extents.entries()) encodeExtent(view, 24 + i * 16, extent);
  }

  #block(address: number, level: number, count: number): DataView {
    const block = new Uint8Array(BLOCK_BYTES);
    this.#blocks.set(address, block);
    const view = new DataView(block.buffer);
    view.setUint32(0, 0x424d4150);
    view.setUint16(4, level);
    view.setUint16(6, count);
    return view;
  }
}

const extent = (start: number, count = 1, unwritten = false): Extent => ({
  start,
  count,
  address: 1000 + start,
  unwritten,
});

describe("xfs: trees of extents", () => {
  let volumeOf: (reader: BlockReader) => XfsVolume;

  before(async function () {
    this.timeout(60_000);
    const source = await openRawSource((await xfsImage("v4")).path);
    const sector = new Uint8Array(512);
    await source.read(sector, 0);
    await source.close();
    const superblock = decodeSuperblock(sector);
    assert.equal(superblock.blockBytes, BLOCK_BYTES);
    volumeOf = (reader) => new XfsVolume(reader, superblock);
  });

  const treeOf = (blocks: Blocks, root: Uint8Array) => new ExtentTree(volumeOf(blocks), 131, root);

  it("finds extents through two levels, and what follows a hole", async () => {
    const blocks = new Blocks();
    const [a, b, c, d] = [extent(2, 3), extent(9, 1, true), extent(20, 2), extent(40)] as const;
    blocks.leaf(10, [a, b]);
    blocks.leaf(11, [c]);
    blocks.leaf(12, [d]);
    blocks.node(20, 1, [
      [2, 10],
      [20, 11],
    ]);
    blocks.node(21, 1, [[40, 12]]);
    const tree = treeOf(
      blocks,
      rootOf(2, [
        [2, 20],
        [40, 21],
      ]),
    );
    const expected: [number, Extent | null][] = [
      [0, a],
      [4, a],
      [5, b],
      [10, c],
      [21, c],
      [22, d],
      [40, d],
      [41, null],
      [3, a],
    ];
    for (const [block, found] of expected) assert.deepEqual(await tree.find(block), found, `block ${block}`);
  });

  const hostile: Record<string, (blocks: Blocks) => Uint8Array> = {
    "no record": () => rootOf(1, []),
    "more records than room": () => {
      const root = rootOf(1, []);
      new DataView(root.buffer).setUint16(2, ROOT_ROOM + 1);
      return root;
    },
    "too many levels": () => rootOf(200, [[0, 10]]),
    "a leaf at the root's level": () => rootOf(0, [[0, 10]]),
    "a block outside": () => rootOf(1, [[0, 2 ** 40]]),
    "keys out of order": () =>
      rootOf(1, [
        [0, 10],
        [50, 11],
        [20, 12],
      ]),
    "a node that is its own child": (blocks) => {
      blocks.node(10, 1, [[0, 10]]);
      return rootOf(2, [[0, 10]]);
    },
    "an empty leaf": (blocks) => {
      blocks.leaf(10, []);
      return rootOf(1, [[0, 10]]);
    },
    "one leaf for two ranges": (blocks) => {
      blocks.leaf(10, [extent(0)]);
      return rootOf(1, [
        [0, 10],
        [50, 10],
      ]);
    },
    "extents that overlap": (blocks) => {
      blocks.leaf(10, [extent(0, 10), extent(5)]);
      return rootOf(1, [[0, 10]]);
    },
    "an extent of no blocks": (blocks) => {
      blocks.leaf(10, [extent(0, 0)]);
      return rootOf(1, [[0, 10]]);
    },
    "an extent outside": (blocks) => {
      blocks.leaf(10, [{ ...extent(0), address: 2 ** 50 }]);
      return rootOf(1, [[0, 10]]);
    },
  };
  for (const [what, make] of Object.entries(hostile)) {
    it(`is damaged: ${what}`, async () => {
      const blocks = new Blocks();
      await assertCode(treeOf(blocks, make(blocks)).find(60), "FILESYSTEM_DAMAGED");
    });
  }
});
