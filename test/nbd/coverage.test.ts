import assert from "node:assert/strict";
import fc from "fast-check";
import { Coverage } from "../../core/nbd/coverage.js";

describe("coverage of a read", () => {
  it("agrees with a bitmap, in any order and with any overlap", () => {
    const pieces = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 12 })), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, (ranges) => {
        const coverage = new Coverage();
        const seen = new Set<number>();
        for (const [start, length] of ranges) {
          const bytes = Array.from({ length }, (_, index) => start + index);
          const isFree = bytes.every((byte) => !seen.has(byte));
          assert.equal(coverage.add(start, start + length), isFree);
          if (isFree) for (const byte of bytes) seen.add(byte);
        }
        const end = Math.max(0, ...seen) + 1;
        assert.equal(coverage.covers(0, end), seen.size === end);
      }),
    );
  });
});
