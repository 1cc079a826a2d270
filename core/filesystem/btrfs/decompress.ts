// Compressed extents: at most 128 KiB of contents in one stream, padded to whole sectors. A stream may make fewer bytes than
// its extent covers (the end of a file); the rest is zeros.

import { inflateSync } from "node:zlib";
import { decompressFirstFrame } from "../../codec/zstd.js";
import { isOurError } from "../../errors.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { unpackLzo } from "./lzo.js";

/** BTRFS_MAX_COMPRESSED and BTRFS_MAX_UNCOMPRESSED. */
export const MAX_COMPRESSED_EXTENT = 128 * 1024;

export const COMPRESSION = { none: 0, zlib: 1, lzo: 2, zstd: 3 } as const;

/** Exactly `plainBytes`, which are at most MAX_COMPRESSED_EXTENT. Throws FILESYSTEM_DAMAGED, FILESYSTEM_UNSUPPORTED. */
export function decompressExtent(
  stored: Uint8Array,
  compression: number,
  plainBytes: number,
  sectorBytes: number,
  where: string,
): Uint8Array {
  const found = decompress(stored, compression, sectorBytes, where).subarray(0, plainBytes);
  if (found.length === plainBytes) return found;
  const plain = new Uint8Array(plainBytes);
  plain.set(found);
  return plain;
}

function decompress(stored: Uint8Array, compression: number, sectorBytes: number, where: string): Uint8Array {
  switch (compression) {
    case COMPRESSION.zlib:
      return inflate(stored, where);
    case COMPRESSION.lzo:
      return unpackLzo(stored, MAX_COMPRESSED_EXTENT, sectorBytes, where);
    case COMPRESSION.zstd:
      return unpackZstd(stored, where);
    default:
      throw unsupported("btrfs", `compression ${compression}`);
  }
}

function inflate(stored: Uint8Array, where: string): Uint8Array {
  try {
    return inflateSync(stored, { maxOutputLength: MAX_COMPRESSED_EXTENT, chunkSize: MAX_COMPRESSED_EXTENT + 1 });
  } catch (error) {
    if (!isStreamError(error)) throw error;
    throw damaged("btrfs", where, "has zlib data that does not decompress");
  }
}

function unpackZstd(stored: Uint8Array, where: string): Uint8Array {
  try {
    return decompressFirstFrame(stored, MAX_COMPRESSED_EXTENT);
  } catch (error) {
    if (!isOurError(error, "CODEC_FAILED")) throw error;
    throw damaged("btrfs", where, "has zstd data that does not decompress");
  }
}

function isStreamError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && (code.startsWith("Z_") || code === "ERR_BUFFER_TOO_LARGE");
}
