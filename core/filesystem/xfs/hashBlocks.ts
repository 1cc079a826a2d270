// The blocks by which names are found through their hash: inner nodes and leaves of directories and of attributes share a
// header. Follows "XFS Algorithms & Data Structures", chapters Directories and Extended Attributes.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./bigEndian.js";
import type { Fork } from "./fork.js";
import type { HeaderPlaces } from "./volume.js";

export type HashBlockKind = "node" | "directory-leaf" | "attribute-leaf";

export interface HashBlock {
  kind: HashBlockKind;
  view: DataView;
  bytes: Uint8Array;
  /** Next block of the same level; 0 for none. */
  next: number;
  count: number;
  /** Height above the leaves; of nodes. */
  level: number;
  /** Of the first of `count` entries of 8 bytes. */
  entriesAt: number;
}

const PLACES: HeaderPlaces = { crc: 12, address: 16, uuid: 32, owner: 48 };
const COUNT_AT = 12;
const COUNT_AT_VERSION_5 = 56;
export const HASH_ENTRY_BYTES = 8;
/** XFS_DA_NODE_MAXDEPTH: more than any tree of names needs. */
const MAX_LEVEL = 5;

const kindsByMagic = new Map<number, { kind: HashBlockKind; version5: boolean; headerBytes: number }>([
  [0xfebe, { kind: "node", version5: false, headerBytes: 16 }],
  [0x3ebe, { kind: "node", version5: true, headerBytes: 64 }],
  [0xd2f1, { kind: "directory-leaf", version5: false, headerBytes: 16 }],
  [0x3df1, { kind: "directory-leaf", version5: true, headerBytes: 64 }],
  [0xd2ff, { kind: "directory-leaf", version5: false, headerBytes: 16 }],
  [0x3dff, { kind: "directory-leaf", version5: true, headerBytes: 64 }],
  [0xfbee, { kind: "attribute-leaf", version5: false, headerBytes: 32 }],
  [0x3bee, { kind: "attribute-leaf", version5: true, headerBytes: 80 }],
]);

/** `blocks`: how many file system blocks a block of this tree has. */
export async function readHashBlock(
  fork: Fork,
  block: number,
  blocks: number,
  options?: ReadOptions,
): Promise<HashBlock> {
  const where = `${fork.where}, index block ${block}`;
  const { bytes, byteOffset } = await fork.readMetadata(block, blocks, options);
  const view = viewOf(bytes);
  const { version5 } = fork.volume.superblock.features;
  const form = kindsByMagic.get(view.getUint16(8));
  if (form === undefined || form.version5 !== version5) throw damaged("xfs", where, "has no magic number");
  if (version5) fork.volume.checkHeader(bytes, { places: PLACES, byteOffset, owner: fork.owner, where });
  const countAt = version5 ? COUNT_AT_VERSION_5 : COUNT_AT;
  const count = view.getUint16(countAt);
  if (form.headerBytes + count * HASH_ENTRY_BYTES > bytes.length) throw damaged("xfs", where, `has ${count} entries`);
  const level = form.kind === "node" ? view.getUint16(countAt + 2) : 0;
  return { kind: form.kind, view, bytes, next: view.getUint32(0), count, level, entriesAt: form.headerBytes };
}

export function hashAt(block: HashBlock, index: number): number {
  return block.view.getUint32(block.entriesAt + index * HASH_ENTRY_BYTES);
}

/** The first entry whose hash is not below `hash`; `count` when there is none. */
export function firstAtLeast(block: HashBlock, hash: number): number {
  let low = 0;
  let high = block.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hashAt(block, middle) >= hash) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The leaf where entries with `hash` begin, going down from `root`; null when all hashes are below. */
export async function leafOfHash(
  fork: Fork,
  root: number,
  blocks: number,
  hash: number,
  options?: ReadOptions,
): Promise<{ leaf: HashBlock; block: number } | null> {
  let number = root;
  let expectedLevel: number | null = null;
  for (;;) {
    const block = await readHashBlock(fork, number, blocks, options);
    if (expectedLevel === null && block.level > MAX_LEVEL) {
      throw damaged("xfs", fork.where, `has an index of ${block.level} levels`);
    }
    if ((expectedLevel !== null && block.level !== expectedLevel) || (block.kind === "node" && block.level === 0)) {
      throw damaged("xfs", fork.where, "has an index block of another level", { block: number });
    }
    if (block.kind !== "node") return { leaf: block, block: number };
    const index = firstAtLeast(block, hash);
    if (index === block.count) return null;
    number = block.view.getUint32(block.entriesAt + index * HASH_ENTRY_BYTES + 4);
    expectedLevel = block.level - 1;
  }
}

/** `leaf` and those after it; ends with damage when they go in circles. */
export async function* leavesFrom(
  fork: Fork,
  start: { leaf: HashBlock; block: number },
  blocks: number,
  options?: ReadOptions,
): AsyncGenerator<HashBlock> {
  const seen = new Set([start.block]);
  yield start.leaf;
  for (let next = start.leaf.next; next !== 0; ) {
    if (seen.has(next)) throw damaged("xfs", fork.where, "has index blocks in a circle", { block: next });
    seen.add(next);
    const leaf = await readHashBlock(fork, next, blocks, options);
    if (leaf.kind !== start.leaf.kind) {
      throw damaged("xfs", fork.where, "has an index block of another kind", { block: next });
    }
    yield leaf;
    next = leaf.next;
  }
}
