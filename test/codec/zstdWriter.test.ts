import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { compressZstd, decompressZstd } from "../../core/codec/zstd.js";
import { runFrame } from "../../core/codec/zstdBinding.js";
import { compressOnce, maxFrameBytes, ZstdWriter } from "../../core/codec/zstdWriter.js";

const plainBytes = fc.oneof(
  fc.uint8Array({ maxLength: 5000 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 9000 })).map(([part, times]) => {
    const whole = new Uint8Array(part.length * times);
    for (let i = 0; i < times; i++) whole.set(part, i * part.length);
    return whole;
  }),
);

describe("zstd writer", () => {
  it("gives the very bytes of the public function, frame after frame", () => {
    for (const level of [1, 3, 9, 19]) {
      const writer = new ZstdWriter(level);
      const room = new Uint8Array(maxFrameBytes(400_000));
      fc.assert(
        fc.property(plainBytes, (plain) => {
          const frame = writer.compressInto(plain, room);
          assert.ok(frame !== undefined, "this Node should let us use one context");
          assert.deepEqual(Buffer.from(frame), Buffer.from(compressOnce(plain, level)));
          assert.deepEqual(Buffer.from(decompressZstd(frame, plain.length)), Buffer.from(plain));
        }),
        { numRuns: level > 9 ? 20 : 100 },
      );
    }
  });

  it("answers undefined, for good, when a frame does not fit its room", () => {
    const writer = new ZstdWriter(3);
    const plain = crypto.getRandomValues(new Uint8Array(10_000));
    assert.ok(writer.compressInto(plain, new Uint8Array(maxFrameBytes(plain.length))));
    assert.equal(writer.compressInto(plain, new Uint8Array(100)), undefined);
    assert.equal(writer.compressInto(plain, new Uint8Array(maxFrameBytes(plain.length))), undefined);
  });

  it("takes fresh memory when the room is too small", () => {
    const plain = new Uint8Array(100_000).fill(7);
    const frame = compressZstd(plain, 3, new Uint8Array(10));
    assert.deepEqual(Buffer.from(decompressZstd(frame, plain.length)), Buffer.from(plain));
  });

  it("does not touch a stream that looks different inside", () => {
    const stream = { _handle: {}, _writeState: new Uint32Array(2), on() {}, destroy() {} };
    assert.equal(runFrame(stream, new Uint8Array(3), new Uint8Array(100)), undefined);
    const closed = zlib.createZstdCompress();
    closed.destroy();
    assert.equal(runFrame({ on() {}, destroy() {} }, new Uint8Array(3), new Uint8Array(100)), undefined);
  });
});
