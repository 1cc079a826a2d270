import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeImagePage,
  decodeImageRoot,
  encodeImagePage,
  encodeImageRoot,
  entryLength,
  isZeroEntry,
  largestImageBytes,
  pageSpanFor,
  zeroEntry,
} from "../../core/format/imageMap.js";
import { MAX_BLOB_PLAIN } from "../../core/format/limits.js";
import {
  assertExactLength,
  assertMemoryBound,
  assertSurvivesEveryBit,
  hex,
  refusal,
  toHex,
  withU32,
} from "../support/hostileBytes.js";

const ids = (count: number, seed = 1) => new Uint8Array(32 * count).map((_, at) => at + seed);
const decodeRoot = (bytes: Uint8Array) => decodeImageRoot(bytes, "root");

describe("format: image map root", () => {
  const root = { imageBytes: 700_000, pageSpanBytes: 262_144, pageIds: ids(3) };

  it("has exactly these bytes", () => {
    const encoded = encodeImageRoot({ ...root, pageIds: new Uint8Array(96) });
    assert.equal(
      toHex(encoded),
      `525052534d415031 60ae0a0000000000 00000400 03000000 ${"00".repeat(96)}`.replaceAll(" ", ""),
    );
  });

  it("comes back as it was", () => {
    const roots = fc.tuple(fc.integer({ min: 0, max: 2 ** 46 }), fc.integer({ min: 65536, max: 2 ** 30 }));
    fc.assert(
      fc.property(roots, ([imageBytes, span]) => {
        const pageSpanBytes = Math.max(span, Math.ceil(imageBytes / 64));
        if (pageSpanBytes > 0xffffffff) return;
        const pageIds = ids(Math.ceil(imageBytes / pageSpanBytes), imageBytes);
        assert.deepEqual(decodeRoot(encodeImageRoot({ imageBytes, pageSpanBytes, pageIds })), {
          imageBytes,
          pageSpanBytes,
          pageIds,
        });
      }),
    );
    assert.deepEqual(
      decodeRoot(encodeImageRoot({ imageBytes: 0, pageSpanBytes: 4096, pageIds: ids(0) })).imageBytes,
      0,
    );
  });

  it("is refused when cut or longer, and survives changed bits", () => {
    assertExactLength(decodeRoot, encodeImageRoot(root));
    assertSurvivesEveryBit(decodeRoot, encodeImageRoot(root));
  });

  it("with counts that lie is refused without taking memory for them", () => {
    const bytes = encodeImageRoot(root);
    assertMemoryBound(1 << 16, () => {
      for (const [at, value] of [
        [12, 0x4001], // 2^46 and more
        [12, 0xffffffff],
        [16, 0],
        [16, 1],
        [20, 0],
        [20, 4],
        [20, 0xffffffff],
      ] as const) {
        assert.equal(refusal(decodeRoot, withU32(bytes, at, value)), "FORMAT_INVALID", `${at} = ${value}`);
      }
      const huge = withU32(withU32(withU32(bytes, 8, 0), 12, 0x4000), 20, 65_537);
      assert.equal(refusal(decodeRoot, withU32(huge, 16, 2 ** 30)), "FORMAT_INVALID");
    });
  });

  it("of another version has another magic and is refused", () => {
    assert.equal(refusal(decodeRoot, withU32(encodeImageRoot(root), 4, 0x3250414d)), "FORMAT_INVALID");
  });

  it("has pages of 4 segments, doubled while there were more than 8192, at most 64 segments", () => {
    const segment = 16 * 1024 * 1024;
    const limits = { segmentBytes: segment, minBytes: 65_536 };
    assert.equal(pageSpanFor(0, limits), 4 * segment);
    assert.equal(pageSpanFor(8192 * 4 * segment, limits), 4 * segment);
    assert.equal(pageSpanFor(8192 * 4 * segment + 1, limits), 8 * segment);
    assert.equal(pageSpanFor(2 ** 46, limits), 64 * segment);
    assert.ok(2 ** 46 / pageSpanFor(2 ** 46, limits) <= 65_536);
    assert.equal(largestImageBytes(limits), 2 ** 46);
  });

  it("has pages that fit a blob however small the chunks are, and at most 65,536 of them", () => {
    for (const segmentBytes of [65_536, 2 ** 20, 2 ** 24]) {
      for (const minBytes of [4096, 8192, 16_384, 65_536, 2 ** 20]) {
        const limits = { segmentBytes, minBytes };
        const largest = largestImageBytes(limits);
        const span = pageSpanFor(largest, limits);
        assert.ok(Math.ceil(largest / span) <= 65_536, JSON.stringify(limits));
        // Nothing but the smallest chunks; and data of one block between zero runs of the smallest length.
        const dense = Math.ceil(span / minBytes) * 36;
        const striped = Math.ceil(span / (65_536 + 4096)) * 40;
        assert.ok(16 + Math.max(dense, striped) <= MAX_BLOB_PLAIN, JSON.stringify(limits));
      }
    }
  });
});

describe("format: image map page", () => {
  const lengths = Uint32Array.of(5, zeroEntry(4096), 7);
  const span = 4108;
  const decode = (bytes: Uint8Array) => decodeImagePage(bytes, span, "page");
  const encoded = encodeImagePage({ lengths, ids: ids(2) });

  it("has exactly these bytes", () => {
    const bytes = encodeImagePage({ lengths, ids: new Uint8Array(64) });
    assert.equal(
      toHex(bytes),
      `5250525350414731 03000000 02000000 05000000 00100080 07000000 ${"00".repeat(64)}`.replaceAll(" ", ""),
    );
  });

  it("comes back as it was", () => {
    const entry = fc.integer({ min: 1, max: 4 * 1024 * 1024 });
    const pages = fc.array(fc.tuple(entry, fc.integer({ min: 0, max: 2 })), { maxLength: 40 });
    fc.assert(
      fc.property(pages, (entries) => {
        const values: number[] = [];
        for (const [length, kind] of entries) {
          const last = values.at(-1);
          values.push(kind === 0 && (last === undefined || !isZeroEntry(last)) ? zeroEntry(length) : length);
        }
        const page = {
          lengths: Uint32Array.from(values),
          ids: ids(values.filter((value) => !isZeroEntry(value)).length),
        };
        const sum = values.reduce((total, value) => total + entryLength(value), 0);
        assert.deepEqual(decodeImagePage(encodeImagePage(page), sum, "page"), page);
        assert.equal(
          refusal((bytes) => decodeImagePage(bytes, sum + 1, "page"), encodeImagePage(page)),
          "FORMAT_INVALID",
        );
      }),
    );
  });

  it("is refused when cut or longer, and survives changed bits", () => {
    assertExactLength(decode, encoded);
    assertSurvivesEveryBit(decode, encoded);
  });

  it("with a changed length or kind of entry is refused", () => {
    for (let bit = 16 * 8; bit < 28 * 8; bit++) {
      const changed = encoded.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(refusal(decode, changed), "FORMAT_INVALID", String(bit));
    }
  });

  it("with counts that lie is refused without taking memory for them", () => {
    assertMemoryBound(1 << 16, () => {
      for (const [at, value] of [
        [8, 0xffffffff],
        [8, 1_048_577],
        [8, 1_048_576],
        [12, 4],
        [12, 0xffffffff],
        [12, 1],
      ] as const) {
        assert.equal(refusal(decode, withU32(encoded, at, value)), "FORMAT_INVALID", `${at} = ${value}`);
      }
    });
  });

  it("refuses what no writer makes: empty entries, chunks above 4 MiB, zeros in two pieces", () => {
    const page = (values: number[], sum: number) => {
      const given = {
        lengths: Uint32Array.from(values),
        ids: ids(values.filter((value) => !isZeroEntry(value)).length),
      };
      return refusal((bytes) => decodeImagePage(bytes, sum, "page"), encodeImagePage(given));
    };
    assert.equal(page([4 * 1024 * 1024], 4 * 1024 * 1024), undefined);
    assert.equal(page([4 * 1024 * 1024 + 1], 4 * 1024 * 1024 + 1), "FORMAT_INVALID");
    assert.equal(page([0x7fffffff], 0x7fffffff), "FORMAT_INVALID");
    assert.equal(page([zeroEntry(0x7fffffff)], 0x7fffffff), undefined);
    assert.equal(page([zeroEntry(1), zeroEntry(1)], 2), "FORMAT_INVALID");
    assert.equal(page([0], 0), "FORMAT_INVALID");
    assert.equal(page([1, zeroEntry(0)], 1), "FORMAT_INVALID");
    assert.equal(page([], 0), undefined);
  });

  it("keeps bit 31 for zeros", () => {
    assert.equal(zeroEntry(0x7fffffff), 0xffffffff);
    assert.ok(isZeroEntry(zeroEntry(1)) && !isZeroEntry(0x7fffffff));
    assert.equal(entryLength(zeroEntry(12345)), 12345);
    assert.deepEqual(hex("00000080"), Uint8Array.from(new Uint8Array(Uint32Array.of(zeroEntry(0)).buffer)));
  });
});
