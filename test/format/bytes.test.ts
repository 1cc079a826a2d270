import assert from "node:assert/strict";
import fc from "fast-check";
import { RepriseError } from "../../core/errors.js";
import { ByteReader, ByteWriter, concatBytes, decodeText, encodeText, equalBytes } from "../../core/format/bytes.js";
import { hex, refusal } from "../support/hostileBytes.js";

describe("format: bytes", () => {
  it("are read as they were written, little-endian", () => {
    const numbers = fc.record({
      u8: fc.integer({ min: 0, max: 0xff }),
      u16: fc.integer({ min: 0, max: 0xffff }),
      u32: fc.integer({ min: 0, max: 0xffffffff }),
      u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      size: fc.maxSafeNat(),
      rest: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(numbers, ({ u8, u16, u32, u64, size, rest }) => {
        const writer = new ByteWriter(23 + rest.length);
        writer.u8(u8);
        writer.u16(u16);
        writer.u32(u32);
        writer.u64(u64);
        writer.size(size);
        writer.put(rest);
        const reader = new ByteReader(writer.finish(), "numbers");
        assert.deepEqual(
          [reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.size()],
          [u8, u16, u32, u64, size],
        );
        assert.deepEqual(reader.bytes(rest.length), rest);
        reader.expectEnd();
      }),
    );
    const writer = new ByteWriter(15);
    writer.u8(1);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    writer.u64(0x08090a0b0c0d0e0fn);
    assert.deepEqual(writer.finish(), hex("01 0302 07060504 0f0e0d0c0b0a0908"));
  });

  it("past the end are an error that says where", () => {
    const reader = new ByteReader(new Uint8Array(6), "a thing");
    reader.u32();
    assert.throws(
      () => reader.u32(),
      (error) => error instanceof RepriseError && error.code === "FORMAT_INVALID" && error.data.offset === 4,
    );
    assert.equal(reader.offset, 4);
    assert.throws(() => reader.bytes(-1), RepriseError);
    assert.throws(() => reader.expectEnd(), /a thing.* 2 bytes after the end/);
  });

  it("of a size above 2^53 − 1 are refused", () => {
    const size = (bytes: Uint8Array) => new ByteReader(bytes, "size").size();
    assert.equal(size(hex("ffffffffffff1f00")), Number.MAX_SAFE_INTEGER);
    assert.equal(refusal(size, hex("0000000000002000")), "FORMAT_INVALID");
    assert.equal(refusal(size, hex("ffffffffffffffff")), "FORMAT_INVALID");
  });

  it("that were not all written are a bug of ours", () => {
    assert.throws(() => new ByteWriter(3).finish(), /wrote 0 of 3/);
  });

  it("read views of larger buffers at the right place", () => {
    const view = hex("ffff 01020304 ffff").subarray(2, 6);
    assert.equal(new ByteReader(view, "view").u32(), 0x04030201);
  });

  it("are text only when they are strict UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        assert.equal(decodeText(encodeText(text), "text"), text);
      }),
    );
    for (const bad of ["80", "c0af", "eda080", "f8888080", "e282"]) {
      assert.equal(
        refusal((bytes) => decodeText(bytes, "text"), hex(bad)),
        "FORMAT_INVALID",
        bad,
      );
    }
    assert.equal(decodeText(hex("efbbbf41"), "text"), "\ufeffA");
  });

  it("join and compare", () => {
    assert.deepEqual(concatBytes([hex("01"), new Uint8Array(0), hex("0203")]), hex("010203"));
    assert.ok(equalBytes(hex("0102"), hex("0102")));
    assert.ok(!equalBytes(hex("0102"), hex("0103")));
    assert.ok(!equalBytes(hex("01"), hex("0102")));
  });
});
