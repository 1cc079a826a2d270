import assert from "node:assert/strict";
import fc from "fast-check";
import { type Codec, decodeBlob, encodeBlob } from "../../core/codec/codec.js";
import { isOurError } from "../../core/errors.js";
import { join, lowEntropy, noise, periodic, prose } from "../support/sampleBytes.js";

const MAX_PLAIN = 4 * 1024 * 1024;

const blobs = fc
  .record({
    kind: fc.constantFrom("noise", "zero", "prose", "low", "periodic", "mixed"),
    length: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 300_000 })),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  })
  .map(({ kind, length, seed }) => {
    if (kind === "zero") return new Uint8Array(length);
    if (kind === "prose") return prose(seed, length);
    if (kind === "low") return lowEntropy(seed, length);
    if (kind === "periodic") return periodic(seed, 1 + (seed % 5000), length);
    if (kind === "mixed") return join(noise(seed, length >> 1), prose(seed, length - (length >> 1)));
    return noise(seed, length);
  });

function assertRoundTrip(plain: Uint8Array, codec: Codec, level?: number): void {
  const encoded = encodeBlob(plain, { codec, level });
  assert.ok(encoded.bytes.length <= plain.length);
  if (encoded.codec === "none") assert.equal(encoded.bytes, plain);
  else assert.ok(encoded.codec === codec && encoded.bytes.length < plain.length);
  const decoded = decodeBlob(encoded.bytes, encoded.codec, plain.length, MAX_PLAIN);
  assert.equal(Buffer.compare(decoded, plain), 0);
}

describe("codec: blobs", () => {
  it("come back unchanged from every codec", () => {
    fc.assert(
      fc.property(blobs, fc.constantFrom<Codec>("none", "zstd", "lz4"), (plain, codec) => {
        assertRoundTrip(plain, codec);
      }),
      { numRuns: 250 },
    );
  });

  it("come back unchanged from every zstd level and at the largest size", () => {
    const plain = join(prose(1, 60_000), lowEntropy(2, 60_000), noise(3, 20_000));
    for (let level = 1; level <= 19; level += 1) assertRoundTrip(plain, "zstd", level);
    const largest = join(prose(4, MAX_PLAIN / 2), noise(5, MAX_PLAIN / 2));
    for (const codec of ["none", "zstd", "lz4"] as const) assertRoundTrip(largest, codec);
    assertRoundTrip(new Uint8Array(MAX_PLAIN), "lz4");
  });

  it("are compressed when it helps and kept as they are when not", () => {
    for (const codec of ["zstd", "lz4"] as const) {
      assert.equal(encodeBlob(prose(1, 1000), { codec }).codec, codec);
      assert.equal(encodeBlob(noise(1, 1000), { codec }).codec, "none");
      assert.equal(encodeBlob(noise(1, 100_000), { codec }).codec, "none");
      assert.equal(encodeBlob(new Uint8Array(0), { codec }).codec, "none");
    }
    const plain = prose(1, 1000);
    assert.equal(encodeBlob(plain, { codec: "none" }).bytes, plain);
  });

  it("get smaller with a higher level", () => {
    const plain = prose(6, 200_000);
    const fast = encodeBlob(plain, { codec: "zstd", level: 1 }).bytes.length;
    assert.ok(encodeBlob(plain, { codec: "zstd", level: 15 }).bytes.length < fast);
  });

  it("are not touched when the level makes no sense", () => {
    for (const level of [0, 20, -1, 1.5, Number.NaN]) {
      assert.throws(
        () => encodeBlob(prose(1, 100), { codec: "zstd", level }),
        (error) => isOurError(error, "CODEC_LEVEL_INVALID") && error.family === "usage",
      );
    }
  });

  it("are read from and written to views in the middle of a buffer", () => {
    const around = join(noise(1, 33), prose(7, 5000), noise(2, 9));
    const plain = around.subarray(33, 5033);
    for (const codec of ["zstd", "lz4"] as const) {
      const { bytes } = encodeBlob(plain, { codec });
      const stored = join(noise(3, 7), bytes, noise(4, 5)).subarray(7, 7 + bytes.length);
      assert.equal(Buffer.compare(decodeBlob(stored, codec, 5000, MAX_PLAIN), plain), 0);
    }
  });
});
