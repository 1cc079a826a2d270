// Reads the outline of a zstd frame (RFC 8878, 3.1.1) without decompressing it: what it claims about its size, how much
// it could produce at most, and where it ends. Lets a reader refuse before it allocates.

const MAGIC = 0xfd2fb528;
const MAX_BLOCK_BYTES = 128 * 1024;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;

export interface ZstdFrame {
  /** As declared in the header; undefined when it says nothing. */
  contentBytes: number | undefined;
  /** Memory that a decoder needs to look back into. */
  windowBytes: number;
  /** The blocks cannot produce more than this. */
  maxContentBytes: number;
  /** Length of the whole frame, checksum included. */
  frameBytes: number;
}

/** Undefined when the bytes are no complete frame, use a dictionary or a reserved feature. */
export function readZstdFrame(bytes: Uint8Array): ZstdFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 6 || view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const usesDictionaryOrReserved = (descriptor & 0x0b) !== 0;
  if (usesDictionaryOrReserved) return undefined;

  let offset = 5;
  let windowBytes = 0;
  if (!isSingleSegment) {
    windowBytes = windowOf(view.getUint8(offset));
    offset += 1;
  }
  const sizeFieldBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  if (offset + sizeFieldBytes > view.byteLength) return undefined;
  const contentBytes = readContentSize(view, offset, sizeFieldBytes);
  if (isSingleSegment) windowBytes = contentBytes ?? 0;

  const blocks = walkBlocks(view, offset + sizeFieldBytes);
  if (blocks === undefined) return undefined;
  const frameBytes = blocks.end + ((descriptor & 0x04) === 0 ? 0 : CHECKSUM_BYTES);
  if (frameBytes > view.byteLength) return undefined;
  return { contentBytes, windowBytes, maxContentBytes: blocks.maxContentBytes, frameBytes };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readContentSize(view: DataView, offset: number, fieldBytes: number): number | undefined {
  switch (fieldBytes) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset, true) + 256;
    case 4:
      return view.getUint32(offset, true);
    case 8:
      return Number(view.getBigUint64(offset, true));
    default:
      return undefined;
  }
}

/** Block headers: bit 0 last, bits 1–2 type (0 raw, 1 one repeated byte, 2 compressed, 3 reserved), then the size. */
function walkBlocks(view: DataView, start: number): { end: number; maxContentBytes: number } | undefined {
  let offset = start;
  let maxContentBytes = 0;
  for (;;) {
    if (offset + BLOCK_HEADER_BYTES > view.byteLength) return undefined;
    const header = view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3 || size > MAX_BLOCK_BYTES) return undefined;
    maxContentBytes += type === 2 ? MAX_BLOCK_BYTES : size;
    offset += BLOCK_HEADER_BYTES + (type === 1 ? 1 : size);
    if (offset > view.byteLength) return undefined;
    if ((header & 1) !== 0) return { end: offset, maxContentBytes };
  }
}
