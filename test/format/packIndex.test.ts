import assert from "node:assert/strict";
import fc from "fast-check";
import { packName, type Sid } from "../../core/format/ids.js";
import { type BlobEntry, encodeBlobEntries } from "../../core/format/pack.js";
import { decodePackIndex, encodePackIndex, type PackContents } from "../../core/format/packIndex.js";
import {
  assertExactLength,
  assertMemoryBound,
  assertSurvivesEveryBit,
  refusal,
  toHex,
  withU32,
} from "../support/hostileBytes.js";

const sid = "00112233445566778899aabbccddeeff" as Sid;
const decode = (bytes: Uint8Array) => decodePackIndex(bytes, "index/x");
const pack = (number: number, blobCount: number): PackContents => ({
  name: packName(sid, number),
  sizeBytes: 1000 + number,
  blobCount,
  entries: encodeBlobEntries(Array.from({ length: blobCount }, (_, blob) => entry(64 + 100 * blob, 36, number + blob))),
});

function entry(offset: number, storedLength: number, seed = 0): BlobEntry {
  const id = new Uint8Array(32).map((_, at) => at * seed);
  return { id, offset, storedLength, plainLength: 40, kind: "chunk", codec: "zstd" };
}

describe("format: pack index", () => {
  it("has exactly these bytes", () => {
    const one = pack(0x2a, 1);
    assert.equal(
      toHex(encodePackIndex([one])),
      `01000000 01000000 00112233445566778899aabbccddeeff 2a000000 12040000 01000000 ${toHex(one.entries)}`.replaceAll(
        " ",
        "",
      ),
    );
    assert.equal(toHex(encodePackIndex([])), "0100000000000000");
  });

  it("comes back as it was", () => {
    const packs = fc.array(fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.nat(5)), { maxLength: 6 });
    fc.assert(
      fc.property(packs, (numbers) => {
        const given = numbers.map(([number, count]) => ({
          ...pack(number, count),
          sizeBytes: 564 + (number % 1_000_000),
        }));
        assert.deepEqual(decode(encodePackIndex(given)), given);
      }),
    );
  });

  it("is refused when cut or longer, and survives changed bits", () => {
    const bytes = encodePackIndex([pack(1, 2), pack(2, 0), pack(3, 1)]);
    assertExactLength(decode, bytes);
    assertSurvivesEveryBit(decode, bytes);
  });

  it("with a blob that lies outside its pack is refused", () => {
    const with1 = (given: BlobEntry) =>
      refusal(decode, encodePackIndex([{ ...pack(1, 1), sizeBytes: 1000, entries: encodeBlobEntries([given]) }]));
    assert.equal(with1(entry(64, 1000 - 128)), undefined);
    assert.equal(with1(entry(64, 1000 - 127)), "FORMAT_INVALID");
    assert.equal(with1(entry(63, 1)), "FORMAT_INVALID");
    assert.equal(with1(entry(0xffffffff, 1)), "FORMAT_INVALID");
    assert.equal(with1(entry(64, 0xffffffff)), "FORMAT_INVALID");
  });

  it("of another version is not read", () => {
    assert.equal(refusal(decode, withU32(encodePackIndex([pack(1, 1)]), 0, 2)), "UNSUPPORTED_VERSION");
  });

  it("with counts that lie is refused without taking memory for them", () => {
    const bytes = encodePackIndex([pack(1, 1)]);
    assertMemoryBound(1 << 16, () => {
      for (const [at, value] of [
        [4, 2],
        [4, 65_537],
        [4, 0xffffffff],
        [28, 256 * 1024 * 1024 + 1],
        [32, 2],
        [32, 1_048_577],
        [32, 0xffffffff],
      ] as const) {
        assert.equal(refusal(decode, withU32(bytes, at, value)), "FORMAT_INVALID", `${at} = ${value}`);
      }
    });
  });
});
