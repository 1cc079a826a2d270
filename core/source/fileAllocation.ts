// Finds the holes of a regular file. Node has no SEEK_HOLE, so `qemu-img map` is asked; without it only a file that
// occupies nothing at all is known to be empty. Every doubt becomes "data", which is then read and found to be zero.

import { findTool, runTool } from "../platform/tool.js";
import { type AllocationMap, AllocationMapBuilder, allDataMap, allZeroMap } from "./allocationMap.js";

/** A map that takes longer saves no time any more. */
const mapTimeoutMs = 30_000;
/** Smaller files may live inside their inode and then occupy no blocks while holding data. */
const maxInlineBytes = 1024 * 1024;
/** One entry of the map is about 110 bytes of JSON. */
const maxEntryChars = 4096;

/** What is asked of an open file. */
export interface AllocatedFile {
  stat(): Promise<{ blocks: number }>;
  sync(): Promise<void>;
}

/** `path` must lead to the open file: the caller compares identities afterwards. */
export async function readAllocation(
  handle: AllocatedFile,
  path: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<AllocationMap> {
  if (await occupiesNothing(handle, sizeBytes)) return allZeroMap();
  if ((await findTool("qemu-img")) === undefined) return allDataMap(sizeBytes);
  const reader = new MapReader(sizeBytes);
  try {
    const args = ["map", "--output=json", "-U", "-f", "raw", path];
    const onOutput = (chunk: Uint8Array) => reader.push(chunk);
    const { exitCode } = await runTool("qemu-img", args, { signal, timeoutMs: mapTimeoutMs, onOutput });
    return exitCode === 0 ? reader.finish() : allDataMap(sizeBytes);
  } catch {
    signal?.throwIfAborted();
    return allDataMap(sizeBytes);
  }
}

/** Blocks may be counted late (delayed allocation), so the file is flushed before a zero is believed. */
async function occupiesNothing(handle: AllocatedFile, sizeBytes: number): Promise<boolean> {
  if (sizeBytes <= maxInlineBytes || (await handle.stat()).blocks !== 0) return false;
  try {
    await handle.sync();
    return (await handle.stat()).blocks === 0;
  } catch {
    return false;
  }
}

interface MapEntry {
  start: number;
  length: number;
  zero: boolean;
}

/** Reads the JSON array of `qemu-img map` as it arrives; holds one entry of text and the compact result. */
export class MapReader {
  readonly #sizeBytes: number;
  readonly #builder = new AllocationMapBuilder();
  readonly #decoder = new TextDecoder();
  #text = "";
  #end = 0;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** Throws when the text is not a map. */
  push(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    let from = 0;
    for (;;) {
      const close = this.#text.indexOf("}", from);
      if (close < 0) break;
      const open = this.#text.indexOf("{", from);
      this.#add(JSON.parse(this.#text.slice(open, close + 1)) as Partial<MapEntry>);
      from = close + 1;
    }
    this.#text = this.#text.slice(from);
    if (this.#text.length > maxEntryChars) throw new Error("an entry of the map is too long");
  }

  /** What the map does not mention counts as data. */
  finish(): AllocationMap {
    this.#addData(this.#end, this.#sizeBytes);
    return this.#builder.finish(this.#sizeBytes);
  }

  #add({ start, length, zero }: Partial<MapEntry>): void {
    const sound = Number.isSafeInteger(start) && Number.isSafeInteger(length) && start! >= this.#end && length! >= 0;
    if (!sound) throw new Error("the map is not in order");
    this.#addData(this.#end, start!);
    if (zero !== true) this.#addData(start!, start! + length!);
    this.#end = start! + length!;
  }

  #addData(start: number, end: number): void {
    this.#builder.addData(start, Math.min(end, this.#sizeBytes));
  }
}
