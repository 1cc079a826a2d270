// Reads whose place comes from the image itself: a range outside the device is damage of the file system, not a fault of
// the caller. The caller bounds `length`.

import type { BlockReader, ReadOptions } from "./blockReader.js";
import { damaged } from "./filesystemErrors.js";

/** Where the range comes from, for the message: file system and structure. */
export interface RangeOrigin {
  type: string;
  where: string;
}

/** Fills `buffer` from `offset`, or throws FILESYSTEM_DAMAGED when the range is not inside the device. */
export async function readInto(
  reader: BlockReader,
  buffer: Uint8Array,
  offset: number,
  origin: RangeOrigin,
  options: ReadOptions = {},
): Promise<void> {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + buffer.length > reader.sizeBytes) {
    throw damaged(origin.type, origin.where, "lies outside the device", {
      offset,
      length: buffer.length,
      deviceBytes: reader.sizeBytes,
    });
  }
  await reader.read(buffer, offset, options);
}

/** `length` fresh bytes from `offset`; checked before anything is allocated. */
export async function readRange(
  reader: BlockReader,
  offset: number,
  length: number,
  origin: RangeOrigin,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  if (length > reader.sizeBytes) {
    const data = { offset, length, deviceBytes: reader.sizeBytes };
    throw damaged(origin.type, origin.where, "is larger than the device", data);
  }
  const bytes = new Uint8Array(length);
  await readInto(reader, bytes, offset, origin, options);
  return bytes;
}
