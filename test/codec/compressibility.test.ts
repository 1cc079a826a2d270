import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { looksIncompressible } from "../../core/codec/compressibility.js";
import { join, lowEntropy, noise, periodic, prose } from "../support/sampleBytes.js";

const CHUNK = 256 * 1024;

/** The start of the Node program: code, tables, texts. Of real binaries the one that every machine has. */
function realBinary(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(process.execPath, "r");
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
  } finally {
    closeSync(file);
  }
}

function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.floor(bytes.length / CHUNK);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * CHUNK, (i + 1) * CHUNK));
}

function savingOf(bytes: Uint8Array): number {
  return 1 - zstdCompressSync(bytes).length / bytes.length;
}

describe("codec: compressibility", () => {
  const binary = realBinary(24 * 1024 * 1024);

  it("of noise and of encrypted data is seen to be none", () => {
    const cipher = createCipheriv("aes-256-ctr", noise(1, 32), noise(2, 16));
    for (const bytes of [noise(3, CHUNK), cipher.update(prose(4, CHUNK)), noise(5, 4 * 1024 * 1024), noise(6, 40_000)])
      assert.equal(looksIncompressible(bytes), true);
  });

  it("of compressed data is mostly seen to be none", () => {
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
    for (const compressed of [gzipSync(binary), zstdCompressSync(binary), brotliCompressSync(binary, quality)]) {
      const chunks = chunksOf(compressed);
      const seen = chunks.filter(looksIncompressible);
      assert.ok(seen.length > chunks.length / 2, `${seen.length} of ${chunks.length}`);
      for (const chunk of seen) assert.ok(savingOf(chunk) < 0.03, `zstd saves ${savingOf(chunk)}`);
    }
  });

  it("of text, programs and regular data is never denied", () => {
    const base64 = Buffer.from(Buffer.from(noise(1, CHUNK)).toString("base64"));
    const hex = Buffer.from(Buffer.from(noise(1, CHUNK)).toString("hex"));
    const counter = new Uint8Array(Uint32Array.from({ length: CHUNK / 4 }, (_, i) => i).buffer);
    const everyByte = new Uint8Array(CHUNK).map((_, i) => i);
    const sevenBits = noise(9, CHUNK).map((byte) => byte & 0x7f);
    const samples = [base64, hex, counter, everyByte, sevenBits, prose(1, CHUNK), lowEntropy(1, CHUNK)];
    for (const bytes of [...samples, new Uint8Array(CHUNK), ...chunksOf(binary)]) {
      assert.equal(looksIncompressible(bytes) && savingOf(bytes) > 0.01, false);
    }
  });

  it("of noise that comes again is not denied", () => {
    for (const period of [300, 4096, 5000, 65536, 100_000, 131_072])
      assert.equal(looksIncompressible(periodic(period, period, CHUNK)), false, `period ${period}`);
  });

  it("of mixed data is not denied: a stretch of text of a sixteenth is enough, wherever it lies", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: CHUNK - CHUNK / 16 }), (offset) => {
        const bytes = noise(offset + 1, CHUNK);
        bytes.set(prose(1, CHUNK / 16), offset);
        assert.equal(looksIncompressible(bytes), false);
      }),
      { numRuns: 50 },
    );
    assert.equal(looksIncompressible(join(noise(1, CHUNK), new Uint8Array(CHUNK / 16))), false);
  });

  it("of small blobs is always tried", () => {
    assert.equal(looksIncompressible(noise(1, 0)), false);
    assert.equal(looksIncompressible(noise(1, 32 * 1024 - 1)), false);
  });
});
