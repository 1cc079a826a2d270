// A directory: a B-tree of names in upper-case order, its root inside the file record, its other nodes in blocks of the
// index allocation. Nodes are found through their parents; the allocation's own bitmap says nothing more.

import type { ReadOptions } from "../blockReader.js";
import type { UpcaseTable } from "../entryName.js";
import { damaged } from "../filesystemErrors.js";
import { ATTRIBUTE_TYPE, decodeReference, decodeUtf16 } from "./fileRecord.js";
import { applyFixups } from "./fixups.js";
import type { NtfsFile } from "./ntfsFile.js";
import type { NtfsStream } from "./runStream.js";

const INDEX_NAME = "$I30";
const MAX_ROOT_BYTES = 64 * 1024;
const MIN_BLOCK_BYTES = 512;
const MAX_BLOCK_BYTES = 64 * 1024;
const MAX_DEPTH = 32;
const NODE_HEADER = 16;
const BLOCK_NODE_HEADER = 24;
const ENTRY_HEADER = 16;
const KEY_NAME = 66;
const HAS_CHILD = 1;
const IS_LAST = 2;
const DOS_NAMESPACE = 2;

export interface IndexEntry {
  record: number;
  sequence: number;
  name: string;
  /** A short name for DOS beside the real one. */
  isDosName: boolean;
  /** File attributes, as of the last time Windows refreshed this copy. */
  attributes: number;
}

/** One slot of a node: an entry, and the node with the names before it. */
interface Slot {
  /** Null: the last slot, which has no name. */
  entry: IndexEntry | null;
  childVcn: number | null;
}

export class DirectoryIndex {
  readonly #where: string;
  readonly #root: Slot[];
  readonly #blocks: NtfsStream | null;
  readonly #blockBytes: number;
  /** What the numbers of blocks count. */
  readonly #vcnBytes: number;

  private constructor(where: string, root: Slot[], blocks: NtfsStream | null, blockBytes: number, vcnBytes: number) {
    this.#where = where;
    this.#root = root;
    this.#blocks = blocks;
    this.#blockBytes = blockBytes;
    this.#vcnBytes = vcnBytes;
  }

  /** Throws FILESYSTEM_DAMAGED. */
  static async open(directory: NtfsFile, clusterBytes: number, options: ReadOptions): Promise<DirectoryIndex> {
    const where = `directory, ${directory.where}`;
    const value = await directory.value(ATTRIBUTE_TYPE.indexRoot, INDEX_NAME, MAX_ROOT_BYTES, options);
    if (value === null || value.length < NODE_HEADER * 2) throw damaged("ntfs", where, "has no index");
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    const blockBytes = view.getUint32(8, true);
    const isPowerOfTwo = (blockBytes & (blockBytes - 1)) === 0;
    if (blockBytes < MIN_BLOCK_BYTES || blockBytes > MAX_BLOCK_BYTES || !isPowerOfTwo) {
      throw damaged("ntfs", where, `index blocks of ${blockBytes} bytes`);
    }
    if (view.getUint32(0, true) !== ATTRIBUTE_TYPE.fileName) throw damaged("ntfs", where, "its index is not of names");
    const blocks = await directory.stream(ATTRIBUTE_TYPE.indexAllocation, INDEX_NAME, options);
    const root = decodeNode(value, NODE_HEADER, where);
    return new DirectoryIndex(where, root, blocks, blockBytes, clusterBytes <= blockBytes ? clusterBytes : 512);
  }

  /** Every entry in order, DOS names too. */
  entries(options: ReadOptions): AsyncIterable<IndexEntry> {
    return this.#walk(() => 0, options);
  }

  /** Those entries whose name is the given one in upper case: mostly one or none. */
  async *matching(name: string, table: UpcaseTable, options: ReadOptions): AsyncIterable<IndexEntry> {
    const wanted = upcase(name, table);
    const compare = (entry: IndexEntry) => {
      const key = upcase(entry.name, table);
      return key === wanted ? 0 : key < wanted ? -1 : 1;
    };
    yield* this.#walk(compare, options);
  }

  /** In order; only entries for which `compare` answers 0, and only nodes that can hold such. */
  async *#walk(compare: (entry: IndexEntry) => number, options: ReadOptions): AsyncIterable<IndexEntry> {
    const visited = new Set<number>();
    const stack: { slots: Slot[]; next: number; childDone: boolean }[] = [];
    stack.push({ slots: this.#root, next: 0, childDone: false });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const slot = top.slots[top.next];
      if (slot === undefined) {
        stack.pop();
        continue;
      }
      const order = slot.entry === null ? 1 : compare(slot.entry);
      if (slot.childVcn !== null && !top.childDone && order >= 0) {
        top.childDone = true;
        const slots = await this.#child(slot.childVcn, visited, stack.length, options);
        stack.push({ slots, next: 0, childDone: false });
        continue;
      }
      if (slot.entry !== null && order === 0) yield slot.entry;
      if (slot.entry !== null && order > 0) return;
      top.next++;
      top.childDone = false;
    }
  }

  async #child(vcn: number, visited: Set<number>, depth: number, options: ReadOptions): Promise<Slot[]> {
    options.signal?.throwIfAborted();
    const offset = vcn * this.#vcnBytes;
    if (depth > MAX_DEPTH) throw damaged("ntfs", this.#where, "its index is too deep");
    if (visited.has(vcn)) throw damaged("ntfs", this.#where, "its index leads back to itself", { vcn });
    if (this.#blocks === null || offset + this.#blockBytes > this.#blocks.sizeBytes) {
      throw damaged("ntfs", this.#where, "its index leads to a block that does not exist", { vcn });
    }
    visited.add(vcn);
    const block = new Uint8Array(this.#blockBytes);
    await this.#blocks.read(block, offset, options);
    const where = `${this.#where}, index block ${vcn}`;
    applyFixups(block, "INDX", where);
    const own = Number(new DataView(block.buffer).getBigUint64(16, true));
    if (own !== vcn) throw damaged("ntfs", where, `says it is block ${own}`);
    return decodeNode(block, BLOCK_NODE_HEADER, where);
  }
}

function upcase(name: string, table: UpcaseTable): string {
  let folded = "";
  for (let i = 0; i < name.length; i++) folded += String.fromCharCode(table[name.charCodeAt(i)] as number);
  return folded;
}

/** `start`: of the node's header, which its offsets count from. */
function decodeNode(bytes: Uint8Array, start: number, where: string): Slot[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = start + view.getUint32(start, true);
  const end = start + view.getUint32(start + 4, true);
  if (first < start + NODE_HEADER || end > bytes.length) throw damaged("ntfs", where, "its entries do not fit");
  const slots: Slot[] = [];
  for (let at = first; at + ENTRY_HEADER <= end; ) {
    const length = view.getUint16(at + 8, true);
    const keyLength = view.getUint16(at + 10, true);
    const flags = view.getUint16(at + 12, true);
    const childBytes = (flags & HAS_CHILD) !== 0 ? 8 : 0;
    const isLast = (flags & IS_LAST) !== 0;
    const needed = ENTRY_HEADER + (isLast ? 0 : keyLength) + childBytes;
    if (length < needed || at + length > end) throw damaged("ntfs", where, "an entry does not fit", { offset: at });
    const childVcn = childBytes === 0 ? null : Number(view.getBigUint64(at + length - 8, true));
    const key = bytes.subarray(at + ENTRY_HEADER, at + ENTRY_HEADER + keyLength);
    slots.push({ entry: isLast ? null : decodeEntry(view, at, key, where), childVcn });
    if (isLast) return slots;
    at += length;
  }
  throw damaged("ntfs", where, "its entries have no end");
}

function decodeEntry(view: DataView, at: number, key: Uint8Array, where: string): IndexEntry {
  const nameBytes = (key[64] ?? 0) * 2;
  if (key.length < KEY_NAME + nameBytes) throw damaged("ntfs", where, "a name does not fit", { offset: at });
  return {
    ...decodeReference(view, at),
    name: decodeUtf16(key.subarray(KEY_NAME, KEY_NAME + nameBytes)),
    isDosName: key[65] === DOS_NAMESPACE,
    attributes: new DataView(key.buffer, key.byteOffset).getUint32(56, true),
  };
}

/** Whether a value of $FILE_NAME is a short name for DOS beside the real one. */
export function isDosFileName(value: Uint8Array): boolean {
  return value[65] === DOS_NAMESPACE;
}
