// Listing and searching a directory, block by block in the order of the medium.

import { equalBytes } from "../../format/bytes.js";
import { sha256 } from "../../hash/digest.js";
import type { ReadOptions } from "../blockReader.js";
import { decodeDirectoryBlock, decodeInlineDirectory, type RawEntry } from "./directoryBlock.js";
import type { FileContents } from "./fileContents.js";
import { findByIndex } from "./hashIndex.js";
import { FLAG, hasFlag, type Inode } from "./inode.js";
import type { ExtVolume } from "./volume.js";

/** As the kernel shortens encrypted names: so many bytes of it, then the digest of the rest. */
const ENCRYPTED_NAME_HEAD = 149;
/** How many blocks of a directory are read at once. */
const BLOCKS_A_READ = 16;

export class DirectoryReader {
  readonly #volume: ExtVolume;
  readonly #contents: FileContents;

  constructor(volume: ExtVolume, contents: FileContents) {
    this.#volume = volume;
    this.#contents = contents;
  }

  /** The entry of exactly this name, by the directory's index where it has one; null when that does not lead to it. */
  async findByIndex(directory: Inode, name: Uint8Array, options: ReadOptions): Promise<RawEntry | null> {
    if (!hasFlag(directory, FLAG.index) || hasFlag(directory, FLAG.inlineData | FLAG.casefold | FLAG.encrypt))
      return null;
    const entries = await findByIndex(this.#volume, this.#contents, directory, name, options);
    if (entries === null) return null;
    return this.#checked(directory, entries).find((entry) => equalBytes(entry.name, name)) ?? null;
  }

  /** The entries of one block after the other; encrypted names are spelt in base64url. */
  async *entries(directory: Inode, options: ReadOptions): AsyncGenerator<RawEntry[]> {
    if (hasFlag(directory, FLAG.inlineData)) {
      const bytes = this.#contents.inlineBytes(directory).subarray(0, directory.sizeBytes);
      yield this.#checked(directory, decodeInlineDirectory(this.#volume, directory, bytes));
      return;
    }
    const { blockBytes } = this.#volume.superblock;
    for await (const { logical, bytes } of this.#blocks(directory, options)) {
      for (let at = 0; at < bytes.length; at += blockBytes) {
        const block = bytes.subarray(at, at + blockBytes);
        const number = logical + at / blockBytes;
        yield this.#checked(directory, decodeDirectoryBlock(this.#volume, directory, block, number));
      }
    }
  }

  async *#blocks(directory: Inode, options: ReadOptions) {
    const { blockBytes, blockCount } = this.#volume.superblock;
    const end = Math.ceil(directory.sizeBytes / blockBytes);
    const where = `inode ${directory.number}, directory`;
    // a directory in pieces has at most as many as there are blocks; what has more goes round in circles
    let steps = 0;
    for (let logical = 0; logical < end; ) {
      options.signal?.throwIfAborted();
      const run = await this.#contents.findRun(directory, logical, options);
      const count = run.physical === null ? run.count : Math.min(run.count, end - logical, BLOCKS_A_READ);
      steps += run.physical === null ? 1 : count;
      if (steps > blockCount) throw this.#volume.damaged(where, "has more blocks than the file system");
      if (run.physical === null) {
        logical += count;
        continue;
      }
      const offset = run.physical * blockBytes;
      yield { logical, bytes: await this.#volume.readBytes(offset, count * blockBytes, where, options) };
      logical += count;
    }
  }

  #checked(directory: Inode, entries: RawEntry[]): RawEntry[] {
    if (hasFlag(directory, FLAG.encrypt)) return entries.map((entry) => ({ ...entry, name: safeName(entry.name) }));
    return entries;
  }
}

function safeName(encrypted: Uint8Array): Uint8Array {
  const head = encrypted.subarray(0, ENCRYPTED_NAME_HEAD);
  const rest = encrypted.subarray(ENCRYPTED_NAME_HEAD);
  const shown = rest.length === 0 ? head : Uint8Array.from([...head, ...sha256(rest)]);
  return new TextEncoder().encode(base64url(shown));
}

function base64url(bytes: Uint8Array): string {
  const plain = btoa(String.fromCharCode(...bytes));
  return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
