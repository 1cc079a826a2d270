// The least a first backup can cost: cut, hash, compress and encrypt, each measured alone on the same bytes in one thread,
// summed, and divided by the cores. What a real run takes above it is reading, writing, starting and waiting.

import { createCipheriv, randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { DEFAULT_CHUNKER } from "../core/chunking/chunkerParams.js";
import { makeGearTable } from "../core/chunking/gearTable.js";
import { createSegmentCutter, type SegmentCut } from "../core/chunking/segmentCutter.js";
import { encodeBlob } from "../core/codec/codec.js";
import { loadChecksum } from "../core/hash/checksum.js";
import { makeChunkHasher } from "../core/hash/digest.js";
import { openSource } from "../core/source/openSource.js";

export interface Floor {
  cores: number;
  bytes: number;
  /** Seconds of one thread. */
  cut: number;
  hash: number;
  compress: number;
  encrypt: number;
  /** Sum of the four, divided by the cores. */
  seconds: number;
}

export async function measureFloor(diskPath: string): Promise<Floor> {
  await loadChecksum();
  const cutter = createSegmentCutter(DEFAULT_CHUNKER, makeGearTable(1n), 1);
  const hash = makeChunkHasher(randomBytes(32));
  const key = randomBytes(32);
  const floor: Floor = {
    cores: availableParallelism(),
    bytes: 0,
    cut: 0,
    hash: 0,
    compress: 0,
    encrypt: 0,
    seconds: 0,
  };
  for await (const length of dataSegments(diskPath, cutter.slotBytes(0))) {
    floor.bytes += length;
    let cuts: SegmentCut[] = [];
    floor.cut += secondsOf(() => {
      cuts = cutter.cut(0, length);
    });
    const chunks = chunksOf(cutter.slotBytes(0), cuts);
    floor.hash += secondsOf(() => {
      for (const chunk of chunks) hash(chunk);
    });
    let encoded: Uint8Array[] = [];
    floor.compress += secondsOf(() => {
      encoded = chunks.map((chunk) => encodeBlob(chunk, { codec: "zstd", level: 3 }).bytes);
    });
    floor.encrypt += secondsOf(() => {
      for (const bytes of encoded) encrypt(key, bytes);
    });
  }
  floor.seconds = (floor.cut + floor.hash + floor.compress + floor.encrypt) / floor.cores;
  return floor;
}

/** Fills `slot` with one segment after the other, without the empty ones; holes become zeros. */
async function* dataSegments(diskPath: string, slot: Uint8Array): AsyncIterable<number> {
  const { source, close } = await openSource(diskPath, {});
  try {
    for (let offset = 0; offset < source.sizeBytes; offset += slot.length) {
      const length = Math.min(slot.length, source.sizeBytes - offset);
      const extents = await source.extents(offset, length);
      if (extents.every(({ zero }) => zero)) continue;
      for (const extent of extents) {
        const part = slot.subarray(extent.offset - offset, extent.offset - offset + extent.length);
        if (extent.zero) part.fill(0);
        else await source.read(part, extent.offset);
      }
      yield length;
    }
  } finally {
    await close();
  }
}

function chunksOf(segment: Uint8Array, cuts: readonly SegmentCut[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const { length, zero } of cuts) {
    if (!zero) chunks.push(segment.subarray(offset, offset + length));
    offset += length;
  }
  return chunks;
}

function encrypt(key: Uint8Array, bytes: Uint8Array): void {
  const cipher = createCipheriv("aes-256-gcm", key, NONCE);
  cipher.update(bytes);
  cipher.final();
  cipher.getAuthTag();
}

const NONCE = new Uint8Array(12);

function secondsOf(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}
