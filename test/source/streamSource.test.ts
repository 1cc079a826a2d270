import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { readSegments } from "../../core/source/streamSource.js";
import { join, noise } from "../support/sampleBytes.js";

async function* pieces(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const [index, length] of lengths.entries()) yield noise(index, length);
}

describe("segments of a stream", () => {
  it("are exact and rejoin to the stream", async () => {
    const lengths = fc.array(fc.nat(3000), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 2500 }), async (sizes, segmentBytes) => {
        const whole = join(...sizes.map((length, index) => noise(index, length)));
        const parts: Uint8Array[] = [];
        let at = 0;
        for await (const { offset, bytes } of readSegments(pieces(...sizes), segmentBytes)) {
          assert.equal(offset, at);
          at += bytes.length;
          assert.ok(bytes.length === segmentBytes || at === whole.length);
          assert.equal(bytes.buffer.byteLength, bytes.length);
          parts.push(bytes);
        }
        assert.deepEqual(join(...parts), whole);
      }),
      { numRuns: 60 },
    );
  });

  it("are read only as fast as they are taken", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++;
        yield new Uint8Array(1000);
      }
    }
    const segments = readSegments(endless(), 10_000);
    await segments.next();
    await segments.next();
    assert.equal(given, 20);
    await segments.return();
  });

  it("tell where a stream broke", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1500);
      throw Object.assign(new Error("gone"), { code: "EIO" });
    }
    const segments = readSegments(broken(), 1000);
    await segments.next();
    await assert.rejects(segments.next(), (error) => {
      return isOurError(error, "SOURCE_READ_FAILED") && error.data.offset === 1500 && error.data.errno === "EIO";
    });
  });

  it("end on abort although the stream is silent", async () => {
    const abort = new AbortController();
    const silent = new PassThrough();
    const next = readSegments(silent, 1000, { signal: abort.signal }).next();
    setTimeout(() => abort.abort(), 10);
    await assert.rejects(next, { name: "AbortError" });
  });
});
