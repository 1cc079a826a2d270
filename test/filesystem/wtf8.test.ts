// Names in UTF-16 as bytes and back, unpaired surrogates included.

import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeWtf8, encodeWtf8 } from "../../core/filesystem/wtf8.js";

const units = (text: string) => Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));

describe("WTF-8", () => {
  it("is UTF-8 for well-formed text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.deepEqual(Buffer.from(encodeWtf8(units(text))), Buffer.from(text));
      }),
    );
  });

  it("gives every sequence of units back", () => {
    const unit = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff }));
    fc.assert(
      fc.property(fc.array(unit), (list) => {
        assert.deepEqual(decodeWtf8(encodeWtf8(Uint16Array.from(list))), Uint16Array.from(list));
      }),
    );
  });

  it("refuses what no name can be", () => {
    for (const bytes of [[0x80], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xc3], [0xf5, 0x80, 0x80, 0x80], [0xff]]) {
      assert.equal(decodeWtf8(Uint8Array.from(bytes)), null, String(bytes));
    }
  });
});
