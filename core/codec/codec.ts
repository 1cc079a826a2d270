// How a blob's plain bytes become stored bytes and back, docs/format/pack.md. Compresses only when that makes the blob
// smaller. Knows nothing of digests: damage and forgery are found by the caller, before and after.

import { RepriseError } from "../errors.js";
import { MAX_BLOB_PLAIN } from "../format/limits.js";
import type { BlobCodec } from "../format/pack.js";
import { codecFailed } from "./codecFailed.js";
import { looksIncompressible } from "./compressibility.js";
import { compressLz4, decompressLz4 } from "./lz4.js";
import { compressZstd, decompressZstd, ZSTD_LEVELS } from "./zstd.js";
import { maxFrameBytes } from "./zstdWriter.js";

/** By name; the numbers that stand for them in stored bytes are in core/format/pack.ts. */
export type Codec = BlobCodec;

export const DEFAULT_ZSTD_LEVEL = 3;

export interface EncodeOptions {
  codec: Codec;
  /** For zstd, 1 – 19; 3 when left out. The other codecs have no levels. */
  level?: number;
  /** Memory that the result may be made in, ENCODE_ROOM_BYTES for the largest blob. Fresh memory is dear. */
  room?: Uint8Array;
}

export interface EncodedBlob {
  /** What was used: "none" when the wished codec would not have made the blob smaller. */
  codec: Codec;
  /** With "none" the very bytes that were passed in; else a view of `room`, or of fresh memory. */
  bytes: Uint8Array;
}

export const ENCODE_ROOM_BYTES = maxFrameBytes(MAX_BLOB_PLAIN);

/** Synchronous and CPU-bound: call it in a worker. Throws `CODEC_LEVEL_INVALID` (usage). */
export function encodeBlob(plain: Uint8Array, options: EncodeOptions): EncodedBlob {
  const level = options.level ?? DEFAULT_ZSTD_LEVEL;
  if (options.codec === "zstd") checkLevel(level);
  if (options.codec !== "none" && plain.length > 0 && !looksIncompressible(plain)) {
    const bytes = options.codec === "zstd" ? compressZstd(plain, level, options.room) : compressLz4(plain);
    if (bytes.length < plain.length) return { codec: options.codec, bytes };
  }
  return { codec: "none", bytes: plain };
}

/**
 * The plain bytes, exactly `plainLength` of them, or `CODEC_FAILED` (corrupt). Allocates no more than plainLength and a
 * constant (8 MiB), whatever the stored bytes claim, and nothing when plainLength is more than `maxPlain`.
 * With "none" the result is `stored` itself, not a copy; with zstd and a large enough `into`, a view of its start.
 */
export function decodeBlob(
  stored: Uint8Array,
  codec: Codec,
  plainLength: number,
  maxPlain: number,
  into?: Uint8Array,
): Uint8Array {
  if (!Number.isSafeInteger(plainLength) || plainLength < 0 || plainLength > maxPlain)
    throw codecFailed(codec, "the plain length is above the limit", { plainLength, maxPlain });
  if (codec === "zstd") return decompressZstd(stored, plainLength, into);
  if (codec === "lz4") return decompressLz4(stored, plainLength);
  if (stored.length !== plainLength)
    throw codecFailed(codec, "the length differs", { plainLength, storedLength: stored.length });
  return stored;
}

function checkLevel(level: number): void {
  if (Number.isInteger(level) && level >= ZSTD_LEVELS.min && level <= ZSTD_LEVELS.max) return;
  throw new RepriseError("usage", "CODEC_LEVEL_INVALID", `zstd level ${level} is not supported`, {
    data: { level, ...ZSTD_LEVELS },
    hint: `choose a whole number from ${ZSTD_LEVELS.min} to ${ZSTD_LEVELS.max}`,
  });
}
