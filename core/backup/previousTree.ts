// The same folder in the snapshot before: who has not changed since is taken over without opening it. It only saves work, so
// whatever of it cannot be read is as if it were not there.

import { isAbort, isOurError } from "../errors.js";
import { compareNames } from "../format/treeAttributes.js";
import type { ContentPiece } from "../format/treeContent.js";
import type { TreeEntry } from "../format/treeFolder.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { ChunkIndex } from "../repository/chunkIndex.js";
import { readContent, readFolderPages } from "../repository/treeReader.js";

/** Entries of one folder, asked for in order of their names. */
export class PreviousFolder {
  readonly #pages: AsyncIterator<{ entries: TreeEntry[] }>;
  #entries: readonly TreeEntry[] = [];
  #next = 0;
  #isOver = false;

  constructor(blobs: BlobReader, folder: Uint8Array, signal: AbortSignal | undefined) {
    this.#pages = readFolderPages(blobs, folder, { signal })[Symbol.asyncIterator]();
  }

  /** Names must come in order; each at most once. */
  async find(name: Uint8Array): Promise<TreeEntry | null> {
    for (;;) {
      const entry = this.#entries[this.#next];
      if (entry === undefined) {
        if (!(await this.#turnPage())) return null;
        continue;
      }
      const order = compareNames(entry.name, name);
      if (order > 0) return null;
      this.#next++;
      if (order === 0) return entry;
    }
  }

  async #turnPage(): Promise<boolean> {
    if (this.#isOver) return false;
    const page = await orNull(() => this.#pages.next());
    this.#isOver = page === null || page.done === true;
    this.#entries = page === null || page.done === true ? [] : page.value.entries;
    this.#next = 0;
    return !this.#isOver;
  }
}

/** Chunks of a file if all that it consists of may be referred to, else null. */
export async function countPresent(
  entry: TreeEntry,
  blobs: BlobReader,
  index: ChunkIndex,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  let missing = false;
  let chunks = 0;
  const need = (id: Uint8Array) => {
    missing ||= !index.has(id);
  };
  if (entry.attributes instanceof Uint8Array) need(entry.attributes);
  const whole = await orNull(async () => {
    const pieces: AsyncIterable<ContentPiece> = readContent(blobs, entry.content, { signal, visitList: need });
    for await (const piece of pieces) {
      if (piece.kind === "chunk") {
        need(piece.id);
        chunks++;
      }
      if (missing) return false;
    }
    return !missing;
  });
  return whole === true ? chunks : null;
}

/** Null for what is damaged, gone, or about to be stored anew; errors of the storage are passed on. */
export async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return null;
  }
}
