import assert from "node:assert/strict";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { decodeBlob, encodeBlob } from "../../core/codec/codec.js";
import { readZstdFrame } from "../../core/codec/zstdFrame.js";
import { isOurError } from "../../core/errors.js";
import { join, noise, prose } from "../support/sampleBytes.js";

const MAX_PLAIN = 4 * 1024 * 1024;
const PLAIN = join(prose(1, 20_000), noise(2, 3000), prose(3, 10_000));
const CODECS = ["zstd", "lz4"] as const;

function assertFails(stored: Uint8Array, codec: "none" | "zstd" | "lz4", plainLength: number): void {
  assert.throws(
    () => decodeBlob(stored, codec, plainLength, MAX_PLAIN),
    (error) => isOurError(error, "CODEC_FAILED") && error.family === "corrupt",
    `${codec} ${plainLength}`,
  );
}

/** Either the right error or bytes of the recorded length: which bytes, only a digest can tell. */
function decodeOrFail(stored: Uint8Array, codec: "zstd" | "lz4", plainLength: number): void {
  try {
    assert.equal(decodeBlob(stored, codec, plainLength, MAX_PLAIN).length, plainLength);
  } catch (error) {
    if (!isOurError(error, "CODEC_FAILED")) throw error;
  }
}

/** How much the whole process grew, WebAssembly memory included. */
function growthOf(action: () => void): number {
  const before = process.memoryUsage.rss();
  action();
  return process.memoryUsage.rss() - before;
}

describe("codec: hostile blobs", () => {
  const stored = { zstd: encodeBlob(PLAIN, { codec: "zstd" }).bytes, lz4: encodeBlob(PLAIN, { codec: "lz4" }).bytes };

  it("fail when cut short anywhere", () => {
    for (const codec of CODECS) {
      for (let length = 0; length < stored[codec].length; length += 1 + (length >> 4))
        assertFails(stored[codec].subarray(0, length), codec, PLAIN.length);
    }
  });

  it("fail when something follows", () => {
    for (const codec of CODECS) assertFails(join(stored[codec], noise(1, 5)), codec, PLAIN.length);
    assertFails(join(stored.zstd, stored.zstd), "zstd", PLAIN.length);
    assertFails(join(stored.zstd, stored.zstd), "zstd", 2 * PLAIN.length);
  });

  it("fail when the recorded length is not theirs", () => {
    const { length } = PLAIN;
    for (const wrong of [
      0,
      1,
      length - 1,
      length + 1,
      2 * length,
      MAX_PLAIN,
      MAX_PLAIN + 1,
      -1,
      0.5,
      Number.NaN,
      2 ** 53,
    ]) {
      for (const codec of CODECS) assertFails(stored[codec], codec, wrong);
      assertFails(PLAIN, "none", wrong);
    }
  });

  it("fail or give bytes of the recorded length when bits are flipped, and never disturb the next blob", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CODECS),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 6 }),
        (codec, flips) => {
          const damaged = Uint8Array.from(stored[codec]);
          for (const [position, bits] of flips) damaged[position % damaged.length]! ^= bits;
          decodeOrFail(damaged, codec, PLAIN.length);
          assert.equal(Buffer.compare(decodeBlob(stored[codec], codec, PLAIN.length, MAX_PLAIN), PLAIN), 0);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("fail or give bytes of the recorded length when they are anything at all", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CODECS),
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: 10_000 }),
        (codec, bytes, plainLength) => {
          decodeOrFail(bytes, codec, plainLength);
          decodeOrFail(join(stored[codec].subarray(0, 20), bytes), codec, plainLength);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("never take much memory, whatever they claim", () => {
    const zeros = zstdCompressSync(new Uint8Array(256 * 1024 * 1024));
    const limits = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 };
    const wideWindow = zstdCompressSync(noise(1, 1000), { params: limits });
    // 21 bytes that once made lz4-wasm take 2 GiB: a size prefix, then a block
    const prefixed = join(Uint8Array.of(0xff, 0xff, 0xff, 0x7f), stored.lz4.subarray(0, 17));
    const grown = growthOf(() => {
      for (let round = 0; round < 20; round += 1) {
        assertFails(zeros, "zstd", 1000);
        decodeOrFail(wideWindow, "zstd", 1000);
        assertFails(prefixed, "lz4", MAX_PLAIN);
        assertFails(prefixed, "lz4", 5000);
        assertFails(stored.lz4, "lz4", 0x7fffffff);
        assertFails(noise(round + 1, 30_000), "lz4", MAX_PLAIN);
      }
    });
    assert.ok(grown < 128 * 1024 * 1024, `${grown} bytes`);
  });
});

describe("codec: lz4 blocks", () => {
  it("follow the published block format, without a size prefix", () => {
    for (const plain of [PLAIN, new Uint8Array(70_000), prose(9, 13)]) {
      const encoded = encodeBlob(plain, { codec: "lz4" });
      if (encoded.codec === "lz4") assert.equal(Buffer.compare(decodePublishedLz4(encoded.bytes), plain), 0);
    }
    // three literals, a match of 9 bytes 3 back, five literals: written by hand
    const block = Uint8Array.of(0x35, 97, 98, 99, 3, 0, 0x50, 100, 101, 102, 103, 104);
    assert.equal(Buffer.from(decodeBlob(block, "lz4", 17, MAX_PLAIN)).toString(), "abcabcabcabcdefgh");
  });

  it("fail when a match reaches before the start", () => {
    const beforeStart = Uint8Array.of(0x35, 97, 98, 99, 4, 0, 0x50, 100, 101, 102, 103, 104);
    assertFails(beforeStart, "lz4", 17);
    const zeroOffset = Uint8Array.of(0x35, 97, 98, 99, 0, 0, 0x50, 100, 101, 102, 103, 104);
    decodeOrFail(zeroOffset, "lz4", 17);
  });
});

describe("codec: zstd frames", () => {
  it("are outlined right: size, window, end", () => {
    for (const length of [0, 1, 255, 256, 65_791, 65_792, 300_000]) {
      const bytes = zstdCompressSync(prose(1, length));
      const frame = readZstdFrame(bytes);
      assert.ok(frame);
      assert.equal(frame.contentBytes, length);
      assert.equal(frame.windowBytes, length);
      assert.equal(frame.frameBytes, bytes.length);
      assert.ok(frame.maxContentBytes >= length);
    }
  });

  it("decode with a checksum, without a declared size and with other windows, as other writers may choose", () => {
    const options = [
      { [constants.ZSTD_c_checksumFlag]: 1 },
      { [constants.ZSTD_c_contentSizeFlag]: 0 },
      { [constants.ZSTD_c_windowLog]: 23, [constants.ZSTD_c_contentSizeFlag]: 0 },
    ];
    for (const params of options) {
      const bytes = zstdCompressSync(PLAIN, { params });
      assert.equal(Buffer.compare(decodeBlob(bytes, "zstd", PLAIN.length, MAX_PLAIN), PLAIN), 0);
      assertFails(bytes, "zstd", PLAIN.length - 1);
      assertFails(bytes, "zstd", PLAIN.length + 1);
    }
    const checked = zstdCompressSync(PLAIN, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    checked[checked.length - 1]! ^= 1;
    assertFails(checked, "zstd", PLAIN.length);
  });

  it("are refused when they want a large window, a dictionary or a reserved feature", () => {
    const header = (...bytes: number[]) => join(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...bytes));
    const emptyBlock = [1, 0, 0];
    assert.equal(readZstdFrame(header(0x00, 0x88, ...emptyBlock))?.windowBytes, 128 * 1024 * 1024);
    assertFails(header(0x00, 0x88, ...emptyBlock), "zstd", 0);
    assert.deepEqual(decodeBlob(header(0x00, 0x00, ...emptyBlock), "zstd", 0, MAX_PLAIN).length, 0);
    assert.equal(readZstdFrame(header(0x01, 0x00, 7, ...emptyBlock)), undefined);
    assert.equal(readZstdFrame(header(0x08, 0x00, ...emptyBlock)), undefined);
    assert.equal(readZstdFrame(header(0x00, 0x00, 7, 0, 0)), undefined);
  });
});

/** An LZ4 block decoder of the tests' own, after the format's description. */
function decodePublishedLz4(block: Uint8Array): Uint8Array {
  const plain: number[] = [];
  let position = 0;
  const extended = (nibble: number) => {
    let length = nibble;
    for (let byte = 255; nibble === 15 && byte === 255; length += byte) {
      byte = block[position]!;
      position += 1;
    }
    return length;
  };
  while (position < block.length) {
    const token = block[position]!;
    position += 1;
    for (let literals = extended(token >> 4); literals > 0; literals -= 1) {
      plain.push(block[position]!);
      position += 1;
    }
    if (position >= block.length) break;
    const offset = block[position]! + 256 * block[position + 1]!;
    position += 2;
    for (let length = extended(token & 15) + 4; length > 0; length -= 1) plain.push(plain[plain.length - offset]!);
  }
  return Uint8Array.from(plain);
}
