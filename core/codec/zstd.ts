// One blob, one zstd frame, with the zstd that is built into Node. The decoder refuses by the frame's outline first.

// The module as a whole: naming its zstd exports would stop an older Node before we can say which one is needed.
import * as zlib from "node:zlib";
import { codecFailed } from "./codecFailed.js";
import { readZstdFrame } from "./zstdFrame.js";
import { ZstdReader } from "./zstdReader.js";
import { compressOnce, maxFrameBytes, ZstdWriter } from "./zstdWriter.js";

export const ZSTD_LEVELS = { min: 1, max: 19 } as const;

/** What level 19 uses for large inputs. A frame that wants more memory than this and its own size is refused. */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024;
/** The least chunkSize that node:zlib accepts. */
const MIN_CHUNK_BYTES = 64;

const writers = new Map<number, ZstdWriter>();

/** One frame; a view of the start of `room` when that has maxFrameBytes, else fresh memory. */
export function compressZstd(plain: Uint8Array, level: number, room?: Uint8Array): Uint8Array {
  const writer = writers.get(level) ?? new ZstdWriter(level);
  writers.set(level, writer);
  const roomBytes = maxFrameBytes(plain.length);
  const target = room !== undefined && room.length >= roomBytes ? room : new Uint8Array(roomBytes);
  return writer.compressInto(plain, target) ?? compressOnce(plain, level);
}

const reader = new ZstdReader();

/**
 * Exactly `plainLength` bytes, or `CODEC_FAILED`. The caller has checked that plainLength is bearable. With `into` of at least
 * that size the answer is a view of its start.
 */
export function decompressZstd(stored: Uint8Array, plainLength: number, into?: Uint8Array): Uint8Array {
  const frame = readZstdFrame(stored);
  if (frame === undefined || frame.frameBytes !== stored.length)
    throw codecFailed("zstd", "not exactly one complete frame", { storedLength: stored.length });
  const { contentBytes, windowBytes, maxContentBytes } = frame;
  if ((contentBytes !== undefined && contentBytes !== plainLength) || maxContentBytes < plainLength)
    throw codecFailed("zstd", "the frame's size differs", { plainLength, contentBytes, maxContentBytes });
  if (windowBytes > Math.max(MAX_WINDOW_BYTES, plainLength))
    throw codecFailed("zstd", "the frame wants too much memory", { plainLength, windowBytes });
  const target = into && into.length >= plainLength ? into.subarray(0, plainLength) : undefined;
  // An empty result needs no room, which the reader cannot tell from a full one.
  if (plainLength > 0) {
    const room = target ?? new Uint8Array(plainLength);
    if (reader.decompressInto(stored, room)) return room;
  }
  const plain = decompressFrame(stored, plainLength);
  if (plain.length !== plainLength)
    throw codecFailed("zstd", "the length differs", { plainLength, actual: plain.length });
  return plain;
}

/**
 * What the frame at the start of `stored` holds, at most `maxPlain` bytes; whatever follows the frame is not looked at. For
 * formats that pad their frames and do not keep their exact size. Throws `CODEC_FAILED`.
 */
export function decompressFirstFrame(stored: Uint8Array, maxPlain: number): Uint8Array {
  const frame = readZstdFrame(stored);
  if (frame === undefined) throw codecFailed("zstd", "no complete frame", { storedLength: stored.length });
  const { contentBytes, windowBytes, frameBytes } = frame;
  if (contentBytes !== undefined && contentBytes > maxPlain)
    throw codecFailed("zstd", "the frame holds too much", { maxPlain, contentBytes });
  const whole = stored.subarray(0, frameBytes);
  if (contentBytes !== undefined) return decompressZstd(whole, contentBytes);
  if (windowBytes > MAX_WINDOW_BYTES)
    throw codecFailed("zstd", "the frame wants too much memory", { maxPlain, windowBytes });
  return decompressFrame(whole, maxPlain);
}

function decompressFrame(stored: Uint8Array, plainLength: number): Uint8Array {
  try {
    return zlib.zstdDecompressSync(stored, {
      maxOutputLength: Math.max(1, plainLength),
      // One byte more than needed saves a second, empty round: 1.3 times as fast as the default (measured).
      chunkSize: Math.max(MIN_CHUNK_BYTES, plainLength + 1),
    });
  } catch (error) {
    if (!isStreamError(error)) throw error;
    throw codecFailed("zstd", "the stream is invalid", { plainLength, storedLength: stored.length }, error);
  }
}

function isStreamError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && (/^(ZSTD_|Z_)/.test(code) || code === "ERR_BUFFER_TOO_LARGE");
}
