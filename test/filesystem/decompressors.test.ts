// LZNT1 and XPRESS on input that lies: an error of ours, or bytes, and never more of them than asked for.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { decompressLznt1 } from "../../core/filesystem/ntfs/lznt1.js";
import { decompressXpressHuffman } from "../../core/filesystem/ntfs/xpressHuffman.js";
import { inProject } from "../support/projectRoot.js";

function survives(run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.ok(isOurError(error, "FILESYSTEM_DAMAGED"), String(error));
  }
}

describe("decompressors of NTFS", () => {
  it("LZNT1: literals, references that overlap themselves, stored chunks, and zeros behind the end", () => {
    // one compressed chunk: "ab", then 10 bytes from 2 back; one stored chunk "xyz"
    const chunk = [0b100, 0x61, 0x62, 0x07, 0x10];
    const stored = [0x78, 0x79, 0x7a];
    const header = (length: number, flags: number) => [(length - 1) & 0xff, flags | ((length - 1) >> 8)];
    const input = Uint8Array.from([...header(chunk.length, 0xb0), ...chunk, ...header(stored.length, 0x30), ...stored]);
    const output = new Uint8Array(12288).fill(1);
    decompressLznt1(input, output, "test");
    const expected = new Uint8Array(12288);
    expected.set(Buffer.from("abababababab"));
    expected.set(Buffer.from("xyz"), 4096);
    assert.deepEqual(output, expected);
  });

  it("any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (input) => {
        survives(() => decompressLznt1(input, new Uint8Array(8192), "test"));
        survives(() => decompressXpressHuffman(input, new Uint8Array(4096), "test"));
      }),
    );
  });

  it("XPRESS with changed bytes", () => {
    const packed = new Uint8Array(readFileSync(inProject("test", "fixtures", "wof", "xpress16k.bin")));
    fc.assert(
      fc.property(fc.nat({ max: packed.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = packed.slice(4);
        changed[Math.max(0, at - 4)]! ^= flip;
        survives(() => decompressXpressHuffman(changed, new Uint8Array(16384), "test"));
      }),
    );
  });
});
