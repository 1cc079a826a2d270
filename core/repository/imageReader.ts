// Walks the image map of one disk: root, pages, entries. Pages are read only when asked for.

import { formatError } from "../format/bytes.js";
import { bytesToHex, hexToBytes } from "../format/ids.js";
import {
  decodeImagePage,
  decodeImageRoot,
  entryLength,
  type ImagePage,
  type ImageRoot,
  isZeroEntry,
} from "../format/imageMap.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import type { BlobReader } from "./blobReader.js";

/** A stretch of the disk: one chunk, or zeros. */
export interface ImageEntry {
  offset: number;
  length: number;
  /** Null: zeros. */
  id: Uint8Array | null;
}

export class ImageReader {
  readonly root: ImageRoot;
  readonly #blobs: BlobReader;
  readonly #what: string;

  private constructor(root: ImageRoot, blobs: BlobReader, what: string) {
    this.root = root;
    this.#blobs = blobs;
    this.#what = what;
  }

  static async open(archive: Archive, blobs: BlobReader, signal?: AbortSignal): Promise<ImageReader> {
    const what = `image map of ${archive.name}`;
    const bytes = await blobs.read(hexToBytes(archive.root, BLOB_ID_BYTES, what), { signal, cached: true });
    const root = decodeImageRoot(bytes, what);
    if (root.imageBytes !== archive.sizeBytes) {
      throw formatError(what, `is for ${root.imageBytes} bytes, the manifest says ${archive.sizeBytes}`);
    }
    return new ImageReader(root, blobs, what);
  }

  get pageCount(): number {
    return this.root.pageIds.length / BLOB_ID_BYTES;
  }

  /** First byte of the disk that the page describes, and how many. */
  pageSpan(page: number): { offset: number; length: number } {
    const offset = page * this.root.pageSpanBytes;
    return { offset, length: Math.min(this.root.pageSpanBytes, this.root.imageBytes - offset) };
  }

  /** Id of a page; null: the whole span is zeros. */
  pageId(page: number): Uint8Array | null {
    const id = this.root.pageIds.subarray(page * BLOB_ID_BYTES, (page + 1) * BLOB_ID_BYTES);
    return id.every((byte) => byte === 0) ? null : id;
  }

  /** The entries of one page in order of the disk; a page of zeros is one entry. */
  async readPage(page: number, signal?: AbortSignal): Promise<ImageEntry[]> {
    const { offset, length } = this.pageSpan(page);
    const id = this.pageId(page);
    if (id === null) return [{ offset, length, id: null }];
    const what = `${this.#what}, page ${page} (${bytesToHex(id)})`;
    const decoded = decodeImagePage(await this.#blobs.read(id, { signal, cached: true }), length, what);
    return entriesOf(decoded, offset);
  }
}

/** Entries of a decoded page that starts at `offset` of the disk. Ids are views. */
export function entriesOf(page: ImagePage, offset: number): ImageEntry[] {
  const entries: ImageEntry[] = new Array(page.lengths.length);
  let position = offset;
  let chunk = 0;
  page.lengths.forEach((value, i) => {
    const length = entryLength(value);
    const zero = isZeroEntry(value);
    const id = zero ? null : page.ids.subarray(chunk * BLOB_ID_BYTES, (chunk + 1) * BLOB_ID_BYTES);
    if (!zero) chunk++;
    entries[i] = { offset: position, length, id };
    position += length;
  });
  return entries;
}
