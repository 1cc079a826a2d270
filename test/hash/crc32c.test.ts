import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeText } from "../../core/format/bytes.js";
import { crc32c, crc32cOf } from "../../core/hash/crc32c.js";

describe("crc32c", () => {
  it("gives the vectors of RFC 3720 B.4 and the usual check value", () => {
    assert.equal(crc32cOf(encodeText("123456789")), 0xe3069283);
    assert.equal(crc32cOf(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32cOf(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32cOf(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  });

  it("gives the same in one piece and in two", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        const register = crc32c(bytes.subarray(0, cut), 0xffff_ffff);
        assert.equal((crc32c(bytes.subarray(cut), register) ^ 0xffff_ffff) >>> 0, crc32cOf(bytes));
      }),
    );
  });
});
