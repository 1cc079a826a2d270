// Opening ext images in tests: from files, and from memory where a test wants to change bytes.

import { readFile } from "node:fs/promises";
import { CachedReader } from "../../../core/filesystem/blockCache.js";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import { openExt } from "../../../core/filesystem/ext/openExt.js";
import type { DirectoryEntry, FileSystem } from "../../../core/filesystem/fileSystem.js";
import { openRawSource } from "../../../core/source/rawSource.js";

export async function withExt<T>(path: string, use: (fileSystem: FileSystem) => Promise<T>): Promise<T> {
  const source = await openRawSource(path);
  try {
    return await use(await openExt(new CachedReader(source)));
  } finally {
    await source.close();
  }
}

export class BytesReader implements BlockReader {
  readonly bytes: Uint8Array;
  readCount = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    this.readCount++;
    if (offset < 0 || offset + buffer.length > this.bytes.length) throw new Error(`read outside the image: ${offset}`);
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
  }
}

/** A copy of the image in memory, which `change` may spoil before it is opened. */
export async function openChanged(path: string, change: (bytes: Uint8Array) => void): Promise<FileSystem> {
  const bytes = new Uint8Array(await readFile(path));
  change(bytes);
  return await openExt(new BytesReader(bytes));
}

/** The entry at a path of plain names; it must be there. */
export async function at(fileSystem: FileSystem, path: string): Promise<DirectoryEntry> {
  let entry: DirectoryEntry | null = { name: new Uint8Array(0), id: fileSystem.root, kind: "directory" };
  for (const name of path.split("/").filter((part) => part !== "")) {
    entry = await fileSystem.lookup(entry.id, Buffer.from(name));
    if (entry === null) throw new Error(`no ${name} in ${path}`);
  }
  return entry;
}
