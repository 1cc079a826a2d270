// Image map root and pages: docs/format/image-map.md.

import { ByteReader, ByteWriter, encodeText } from "./bytes.js";
import { MAX_BLOB_PLAIN, MAX_IMAGE_BYTES, MAX_PAGE_ENTRIES, MAX_PAGES } from "./limits.js";
import { BLOB_ID_BYTES } from "./pack.js";

const ROOT_MAGIC = encodeText("RPRSMAP1");
const PAGE_MAGIC = encodeText("RPRSPAG1");
const ZERO_BIT = 0x8000_0000;
const PREFERRED_PAGES = 8192;

export interface ImageRoot {
  imageBytes: number;
  pageSpanBytes: number;
  /** 32 bytes a page, one after the other; 32 zero bytes: the span is all zeros. */
  pageIds: Uint8Array;
}

export interface ImagePage {
  /** Bytes of the disk per entry, in order; bit 31 set: zeros. */
  lengths: Uint32Array;
  /** 32 bytes per entry that is a chunk, in order. */
  ids: Uint8Array;
}

/** What decides how many entries a segment can have at most. */
export interface PageLimits {
  segmentBytes: number;
  /** Of a chunk. */
  minBytes: number;
}

/**
 * Bytes of the disk that one page describes: 4 segments, doubled while there would be more than 8192 pages, as long as the
 * worst page still fits a blob and has at most 64 segments.
 */
export function pageSpanFor(imageBytes: number, limits: PageLimits): number {
  const { segmentBytes } = limits;
  const most = mostSegments(limits);
  let segments = 4;
  while (segments < most && imageBytes > PREFERRED_PAGES * segments * segmentBytes) segments *= 2;
  return segments * segmentBytes;
}

/** The largest disk whose map follows the limits of pages and roots. */
export function largestImageBytes(limits: PageLimits): number {
  return Math.min(MAX_IMAGE_BYTES, MAX_PAGES * mostSegments(limits) * limits.segmentBytes);
}

/** Zero runs shorter than this are data: docs/format/chunking.md. */
const SHORTEST_ZERO_RUN = 65_536;

function mostSegments({ segmentBytes, minBytes }: PageLimits): number {
  const zeroRuns = Math.floor(segmentBytes / SHORTEST_ZERO_RUN) + 1;
  // Each zero run may end a span with a chunk shorter than minBytes.
  const chunks = Math.floor(segmentBytes / minBytes) + zeroRuns;
  const worstBytes = chunks * (4 + BLOB_ID_BYTES) + zeroRuns * 4;
  let segments = 64;
  while (segments > 4 && 16 + segments * worstBytes > MAX_BLOB_PLAIN) segments /= 2;
  return segments;
}

export function encodeImageRoot(root: ImageRoot): Uint8Array {
  const pageCount = root.pageIds.length / BLOB_ID_BYTES;
  const writer = new ByteWriter(24 + root.pageIds.length);
  writer.put(ROOT_MAGIC);
  writer.size(root.imageBytes);
  writer.u32(root.pageSpanBytes);
  writer.u32(pageCount);
  writer.put(root.pageIds);
  return writer.finish();
}

export function decodeImageRoot(bytes: Uint8Array, what: string): ImageRoot {
  const reader = new ByteReader(bytes, what);
  reader.expectMagic(ROOT_MAGIC);
  const imageBytes = reader.size();
  const pageSpanBytes = reader.u32();
  const pageCount = reader.u32();
  if (imageBytes > MAX_IMAGE_BYTES) reader.fail(`image of ${imageBytes} bytes is above the limit`);
  if (pageSpanBytes === 0 || pageCount > MAX_PAGES || pageCount !== Math.ceil(imageBytes / pageSpanBytes)) {
    reader.fail(`${pageCount} pages of ${pageSpanBytes} bytes do not fit an image of ${imageBytes} bytes`);
  }
  const pageIds = reader.bytes(pageCount * BLOB_ID_BYTES).slice();
  reader.expectEnd();
  return { imageBytes, pageSpanBytes, pageIds };
}

export function encodeImagePage(page: ImagePage): Uint8Array {
  const writer = new ByteWriter(16 + 4 * page.lengths.length + page.ids.length);
  writer.put(PAGE_MAGIC);
  writer.u32(page.lengths.length);
  writer.u32(page.ids.length / BLOB_ID_BYTES);
  for (const length of page.lengths) writer.u32(length);
  writer.put(page.ids);
  return writer.finish();
}

/** `spanBytes` is what the lengths must sum to: the page's span, or what is left of the disk. */
export function decodeImagePage(bytes: Uint8Array, spanBytes: number, what: string): ImagePage {
  const reader = new ByteReader(bytes, what);
  reader.expectMagic(PAGE_MAGIC);
  const entryCount = reader.u32();
  const chunkCount = reader.u32();
  if (entryCount > MAX_PAGE_ENTRIES || chunkCount > entryCount)
    reader.fail(`${entryCount} entries are above the limit`);
  if (reader.remaining !== 4 * entryCount + BLOB_ID_BYTES * chunkCount) reader.fail("length does not fit its counts");
  const lengths = new Uint32Array(entryCount);
  let sum = 0;
  let chunks = 0;
  let afterZeros = false;
  for (let i = 0; i < entryCount; i++) {
    const value = reader.u32();
    const length = entryLength(value);
    if (length === 0) reader.fail("entry of length 0");
    const zeros = isZeroEntry(value);
    if (zeros && afterZeros) reader.fail("two zero entries in a row");
    if (!zeros && length > MAX_BLOB_PLAIN) reader.fail(`chunk of ${length} bytes is above the limit`);
    if (!zeros) chunks++;
    afterZeros = zeros;
    lengths[i] = value;
    sum += length;
  }
  if (sum !== spanBytes) reader.fail(`entries cover ${sum} bytes of ${spanBytes}`);
  if (chunks !== chunkCount) reader.fail(`${chunks} chunk entries, ${chunkCount} ids`);
  return { lengths, ids: reader.bytes(chunkCount * BLOB_ID_BYTES).slice() };
}

export function entryLength(value: number): number {
  return value & 0x7fff_ffff;
}

export function isZeroEntry(value: number): boolean {
  return (value & ZERO_BIT) !== 0;
}

export function zeroEntry(length: number): number {
  return (length | ZERO_BIT) >>> 0;
}
