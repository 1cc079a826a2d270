// The file allocation table of FAT12/16/32 and exFAT: for each cluster the next one of its file. Read in windows, so that a
// chain is followed without waiting at every step.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { readRange } from "../readRange.js";

export type TableKind = "fat12" | "fat16" | "fat32" | "exfat";

export interface TableLayout {
  kind: TableKind;
  offset: number;
  sizeBytes: number;
  /** Clusters are numbered 2 to clusterCount + 1. */
  clusterCount: number;
}

export const FIRST_CLUSTER = 2;
export const END_OF_CHAIN = -1;

/** 3 bytes hold 2 entries of FAT12: windows are a multiple of both. */
const WINDOW_ENTRIES = 8192;
const ENTRY_BITS: Record<TableKind, number> = { fat12: 12, fat16: 16, fat32: 32, exfat: 32 };
/** The value of a bad cluster; anything above ends a chain. */
const BAD_CLUSTER: Record<TableKind, number> = { fat12: 0xff7, fat16: 0xfff7, fat32: 0x0ffffff7, exfat: 0xfffffff7 };

export function tableBytesFor(kind: TableKind, entries: number): number {
  return Math.ceil((entries * ENTRY_BITS[kind]) / 8);
}

/** How many entries fit into so many bytes. */
export function entriesIn(kind: TableKind, bytes: number): number {
  return Math.floor((bytes * 8) / ENTRY_BITS[kind]);
}

/** Entries `first` to `end` of the table, in memory. */
export class TableWindow {
  readonly first: number;
  readonly end: number;
  readonly #kind: TableKind;
  readonly #clusterCount: number;
  readonly #view: DataView;

  constructor(layout: TableLayout, first: number, end: number, bytes: Uint8Array) {
    this.first = first;
    this.end = end;
    this.#kind = layout.kind;
    this.#clusterCount = layout.clusterCount;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  holds(cluster: number): boolean {
    return cluster >= this.first && cluster < this.end;
  }

  /** As stored; of FAT32 the low 28 bits. */
  value(cluster: number): number {
    const index = cluster - this.first;
    if (this.#kind === "exfat") return this.#view.getUint32(index * 4, true);
    if (this.#kind === "fat32") return this.#view.getUint32(index * 4, true) & 0x0fffffff;
    if (this.#kind === "fat16") return this.#view.getUint16(index * 2, true);
    const start = Math.floor(index / 2) * 3;
    const middle = this.#view.getUint8(start + 1);
    return index % 2 === 0
      ? this.#view.getUint8(start) | ((middle & 0x0f) << 8)
      : (middle >> 4) | (this.#view.getUint8(start + 2) << 4);
  }

  /** The cluster after this one in its chain, or END_OF_CHAIN. Throws FILESYSTEM_DAMAGED for free and bad clusters. */
  next(cluster: number): number {
    const value = this.value(cluster);
    const bad = BAD_CLUSTER[this.#kind];
    if (value > bad) return END_OF_CHAIN;
    if (value < FIRST_CLUSTER || value >= this.#clusterCount + FIRST_CLUSTER) {
      const problem = value === 0 ? "a free cluster" : value === bad ? "a bad cluster" : `cluster ${value}`;
      throw damaged(this.#kind, "allocation table", `cluster ${cluster} leads to ${problem}`, { cluster, value });
    }
    return value;
  }
}

export class AllocationTable {
  readonly layout: TableLayout;
  readonly #reader: BlockReader;
  #latest: TableWindow | undefined;

  constructor(reader: BlockReader, layout: TableLayout) {
    this.#reader = reader;
    this.layout = layout;
  }

  /** A window that holds the entry of a cluster, which must be one of the volume. */
  async window(cluster: number, options: ReadOptions = {}): Promise<TableWindow> {
    if (this.#latest?.holds(cluster)) return this.#latest;
    const { kind, offset, clusterCount } = this.layout;
    const first = cluster - (cluster % WINDOW_ENTRIES);
    const end = Math.min(first + WINDOW_ENTRIES, clusterCount + FIRST_CLUSTER);
    const length = Math.ceil(tableBytesFor(kind, end - first) / 3) * 3; // a whole pair of FAT12
    const place = offset + tableBytesFor(kind, first);
    const inTable = Math.min(length, this.layout.offset + this.layout.sizeBytes - place);
    const bytes = new Uint8Array(length);
    bytes.set(await readRange(this.#reader, place, inTable, { type: kind, where: "allocation table" }, options));
    this.#latest = new TableWindow(this.layout, first, end, bytes);
    return this.#latest;
  }

  /** Reads the whole table. */
  async countFree(options: ReadOptions = {}): Promise<number> {
    let free = 0;
    for (let cluster = FIRST_CLUSTER; cluster < this.layout.clusterCount + FIRST_CLUSTER; ) {
      options.signal?.throwIfAborted();
      const window = await this.window(cluster, options);
      for (; cluster < window.end; cluster++) if (window.value(cluster) === 0) free++;
    }
    return free;
  }
}
