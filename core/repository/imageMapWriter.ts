// Collects the chunks of a disk segment by segment, in any order, and turns them into pages and a root.

import { RepriseError } from "../errors.js";
import {
  encodeImagePage,
  encodeImageRoot,
  entryLength,
  isZeroEntry,
  type PageLimits,
  pageSpanFor,
  zeroEntry,
} from "../format/imageMap.js";
import { BLOB_ID_BYTES, type BlobKind } from "../format/pack.js";

/** Stores a blob unless it is present; answers its id. */
export type StoreBlob = (kind: BlobKind, plain: Uint8Array) => Promise<Uint8Array>;

/** Entries of one segment: lengths with bit 31 for zeros, and the ids of the others. */
export interface SegmentEntries {
  lengths: Uint32Array;
  ids: Uint8Array;
}

export class ImageMapWriter {
  readonly #imageBytes: number;
  readonly #segmentBytes: number;
  readonly #segmentsPerPage: number;
  readonly #pageIds: Uint8Array;
  readonly #store: StoreBlob;
  /** Segments of unfinished pages: page → segment within the page → entries. */
  readonly #open = new Map<number, Map<number, SegmentEntries>>();
  #pagesDone = 0;

  constructor(imageBytes: number, limits: PageLimits, store: StoreBlob) {
    const { segmentBytes } = limits;
    this.#imageBytes = imageBytes;
    this.#segmentBytes = segmentBytes;
    this.#segmentsPerPage = pageSpanFor(imageBytes, limits) / segmentBytes;
    this.#pageIds = new Uint8Array(this.#pageCount * BLOB_ID_BYTES);
    this.#store = store;
  }

  /** Adds a segment; stores the page when it was the page's last missing one. */
  async addSegment(segment: number, entries: SegmentEntries): Promise<void> {
    const page = Math.floor(segment / this.#segmentsPerPage);
    const segments = this.#open.get(page) ?? new Map<number, SegmentEntries>();
    this.#open.set(page, segments);
    segments.set(segment % this.#segmentsPerPage, entries);
    if (segments.size === this.#segmentsIn(page)) {
      this.#open.delete(page);
      await this.#finishPage(page, segments);
    }
  }

  /** Stores the root and answers its id; every segment must have been added. */
  async finish(): Promise<Uint8Array> {
    if (this.#pagesDone !== this.#pageCount) {
      throw new RepriseError(
        "invariant",
        "IMAGE_INCOMPLETE",
        `image map has ${this.#pagesDone} of ${this.#pageCount} pages`,
      );
    }
    const pageSpanBytes = this.#segmentsPerPage * this.#segmentBytes;
    return this.#store(
      "root",
      encodeImageRoot({ imageBytes: this.#imageBytes, pageSpanBytes, pageIds: this.#pageIds }),
    );
  }

  get #pageCount(): number {
    return Math.ceil(this.#imageBytes / (this.#segmentsPerPage * this.#segmentBytes));
  }

  #segmentsIn(page: number): number {
    const segments = Math.ceil(this.#imageBytes / this.#segmentBytes);
    return Math.min(this.#segmentsPerPage, segments - page * this.#segmentsPerPage);
  }

  async #finishPage(page: number, segments: Map<number, SegmentEntries>): Promise<void> {
    const lengths: number[] = [];
    const ids: Uint8Array[] = [];
    for (let i = 0; i < segments.size; i++) {
      const entries = segments.get(i) as SegmentEntries;
      for (const value of entries.lengths) appendEntry(lengths, value);
      ids.push(entries.ids);
    }
    this.#pagesDone++;
    if (ids.every((part) => part.length === 0)) return;
    const plain = encodeImagePage({ lengths: Uint32Array.from(lengths), ids: joinIds(ids) });
    this.#pageIds.set(await this.#store("page", plain), page * BLOB_ID_BYTES);
  }
}

/** Merges adjacent zero entries: equal disks have equal pages. */
export function appendEntry(lengths: number[], value: number): void {
  const last = lengths.at(-1);
  if (last !== undefined && isZeroEntry(last) && isZeroEntry(value)) {
    lengths[lengths.length - 1] = zeroEntry(entryLength(last) + entryLength(value));
  } else lengths.push(value);
}

function joinIds(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
