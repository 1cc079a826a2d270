import assert from "node:assert/strict";
import fc from "fast-check";
import { type ChunkerParams, DEFAULT_CHUNKER } from "../../core/chunking/chunkerParams.js";
import { makeGearTable } from "../../core/chunking/gearTable.js";
import {
  createSegmentCutter,
  cutSegmentTwin,
  type SegmentCut,
  type SegmentCutter,
} from "../../core/chunking/segmentCutter.js";
import { isOurError } from "../../core/errors.js";
import { join, lowEntropy, noise, periodic, prose } from "../support/sampleBytes.js";

const SMALL: ChunkerParams = { minBytes: 4096, averageBytes: 16384, maxBytes: 65536, segmentBytes: 1 << 20 };
const TABLE = makeGearTable(0x5eedn);

function cutWith(cutter: SegmentCutter, bytes: Uint8Array, slot = 0): SegmentCut[] {
  cutter.slotBytes(slot).fill(0xa5);
  cutter.slotBytes(slot).set(bytes);
  return cutter.cut(slot, bytes.length);
}

/** A segment of pieces of all kinds; zero pieces are often long enough for a run and often aligned. */
const segments = fc
  .array(
    fc.record({
      kind: fc.constantFrom("noise", "zero", "prose", "low", "periodic"),
      length: fc.oneof(
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: 1, max: 48 }).map((n) => n * 4096),
      ),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    }),
    { maxLength: 8 },
  )
  .map((pieces) =>
    join(
      ...pieces.map(({ kind, length, seed }) => {
        if (kind === "zero") return new Uint8Array(length);
        if (kind === "prose") return prose(seed, length);
        if (kind === "low") return lowEntropy(seed, length);
        if (kind === "periodic") return periodic(seed, 1 + (seed % 300), length);
        return noise(seed, length);
      }),
    ).subarray(0, SMALL.segmentBytes),
  );

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** What docs/format/chunking.md promises about any list of cuts. */
function assertLawful(bytes: Uint8Array, cuts: SegmentCut[], params: ChunkerParams): void {
  let offset = 0;
  cuts.forEach(({ length, zero }, i) => {
    assert.ok(length > 0);
    const next = cuts[i + 1];
    if (zero) {
      assert.ok(isZero(bytes.subarray(offset, offset + length)), "a zero run is zero");
      assert.equal(offset % 4096, 0);
      assert.ok(length >= 65536 || length === bytes.length);
      assert.notEqual(next?.zero, true, "neighbouring zero runs are one");
    } else {
      assert.ok(length <= params.maxBytes);
      const isLastOfSpan = next === undefined || next.zero;
      if (!isLastOfSpan) assert.ok(length >= params.minBytes);
    }
    offset += length;
  });
  assert.equal(offset, bytes.length);
}

/** The zero runs by their definition: maximal sequences of zero blocks, long enough. */
function zeroRunsOf(bytes: Uint8Array): [offset: number, length: number][] {
  const runs: [number, number][] = [];
  let start = -1;
  for (let block = 0; block <= bytes.length; block += 4096) {
    const zero = block < bytes.length && isZero(bytes.subarray(block, block + 4096));
    if (zero && start < 0) start = block;
    if (zero || start < 0) continue;
    runs.push([start, Math.min(block, bytes.length) - start]);
    start = -1;
  }
  if (start >= 0) runs.push([start, bytes.length - start]);
  return runs.filter(([, length]) => length >= 65536 || length === bytes.length);
}

describe("chunking: segment cutter", () => {
  const cutter = createSegmentCutter(SMALL, TABLE, 2);

  it("equals its twin and keeps the laws, for any data", () => {
    fc.assert(
      fc.property(segments, (bytes) => {
        const cuts = cutWith(cutter, bytes, bytes.length % 2);
        assert.deepEqual(cuts, cutSegmentTwin(bytes, SMALL, TABLE));
        assertLawful(bytes, cuts, SMALL);
        let offset = 0;
        const zeroRuns = cuts.flatMap(({ length, zero }) => {
          offset += length;
          return zero ? [[offset - length, length]] : [];
        });
        assert.deepEqual(zeroRuns, zeroRunsOf(bytes));
      }),
      { numRuns: 60 },
    );
  });

  it("equals its twin for any allowed parameters", () => {
    const choice = fc.record({
      minBytes: fc.integer({ min: 4096, max: 8192 }),
      averageBits: fc.integer({ min: 14, max: 17 }),
      maxFactor: fc.integer({ min: 2000, max: 8000 }),
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    });
    fc.assert(
      fc.property(
        choice,
        fc.integer({ min: 0, max: 600_000 }),
        ({ minBytes, averageBits, maxFactor, seed }, length) => {
          const averageBytes = 2 ** averageBits;
          const maxBytes = Math.floor((averageBytes * maxFactor) / 1000);
          const params = { minBytes, averageBytes, maxBytes, segmentBytes: 1 << 20 };
          const table = makeGearTable(seed);
          const bytes = noise(length, length);
          const cuts = cutWith(createSegmentCutter(params, table, 1), bytes);
          assert.deepEqual(cuts, cutSegmentTwin(bytes, params, table));
          assertLawful(bytes, cuts, params);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("handles the edges of lengths", () => {
    const edges = [0, 1, 63, 64, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537, 1048575, 1048576];
    for (const length of edges) {
      for (const bytes of [noise(length + 1, length), new Uint8Array(length)]) {
        const cuts = cutWith(cutter, bytes);
        assert.deepEqual(cuts, cutSegmentTwin(bytes, SMALL, TABLE));
        assertLawful(bytes, cuts, SMALL);
      }
    }
    assert.deepEqual(cutWith(cutter, new Uint8Array(0)), []);
    assert.deepEqual(cutWith(cutter, new Uint8Array(100)), [{ length: 100, zero: true }]);
  });

  it("merges zeros from 65536 bytes on, only at block boundaries, and leaves shorter ones in the data", () => {
    const data = new Uint8Array(4096).fill(7);
    const short = cutWith(cutter, join(data, new Uint8Array(61440), data));
    assert.ok(short.every(({ zero }) => !zero));
    const exact = cutWith(cutter, join(data, new Uint8Array(65536), data));
    assert.deepEqual(exact, [
      { length: 4096, zero: false },
      { length: 65536, zero: true },
      { length: 4096, zero: false },
    ]);
    const unaligned = cutWith(cutter, join(data, data.subarray(0, 1), new Uint8Array(65536 + 4094), data));
    assert.ok(unaligned.every(({ zero }) => !zero));
    const tail = cutWith(cutter, join(data, new Uint8Array(65536 + 17)));
    assert.deepEqual(tail, [
      { length: 4096, zero: false },
      { length: 65553, zero: true },
    ]);
  });

  it("cuts a span the same wherever it lies", () => {
    const span = noise(11, 300_000);
    const alone = cutWith(cutter, span);
    const after = cutWith(cutter, join(noise(12, 4096), new Uint8Array(131072), span));
    assert.deepEqual(after.slice(2), alone);
  });

  it("changes few chunks when bytes are inserted early", () => {
    const before = noise(21, 900_000);
    const after = join(before.subarray(0, 5000), noise(22, 777), before.subarray(5000));
    const endsBefore = chunkEnds(cutWith(cutter, before));
    const endsAfter = new Set(chunkEnds(cutWith(cutter, after)).map((end) => end - 777));
    const moved = endsBefore.filter((end) => !endsAfter.has(end));
    assert.ok(endsBefore.length > 20, `${endsBefore.length} chunks`);
    assert.ok(moved.length <= 4, `${moved.length} of ${endsBefore.length} ends moved`);
  });

  it("aims at the average", () => {
    const cuts = cutWith(cutter, noise(31, SMALL.segmentBytes));
    const mean = SMALL.segmentBytes / cuts.length;
    assert.ok(mean > 12_000 && mean < 30_000, `${mean} bytes`);
  });

  it("gives views that stay, do not overlap, and are not changed by a cut", () => {
    const first = cutter.slotBytes(0);
    first.fill(1);
    cutter.slotBytes(1).fill(2);
    assert.equal(cutter.slotBytes(0), first);
    assert.equal(first.length, SMALL.segmentBytes);
    cutter.cut(1, SMALL.segmentBytes);
    assert.ok(first.every((byte) => byte === 1));
    assert.ok(cutter.slotBytes(1).every((byte) => byte === 2));
  });

  it("refuses slots and lengths that it does not have", () => {
    const misuses = [
      () => cutter.slotBytes(2),
      () => cutter.cut(-1, 0),
      () => cutter.cut(0, SMALL.segmentBytes + 1),
      () => cutter.cut(0, -1),
      () => createSegmentCutter(DEFAULT_CHUNKER, TABLE, 256),
      () => createSegmentCutter(DEFAULT_CHUNKER, TABLE, 0),
    ];
    for (const misuse of misuses) assert.throws(misuse, (error) => isOurError(error, "CHUNKER_MISUSED"));
    assert.throws(
      () => createSegmentCutter({ ...SMALL, minBytes: 1 }, TABLE, 1),
      (error) => isOurError(error, "CHUNKER_INVALID"),
    );
  });

  // Golden, found by a program of its own in another language too: these numbers are in every repository that was ever written. They may never change.
  it("cuts known data at known places", () => {
    const bytes = join(noise(1, 150_000), new Uint8Array(100_000), prose(2, 90_000), lowEntropy(3, 60_000));
    const cuts = cutWith(createSegmentCutter(SMALL, makeGearTable(0n), 1), bytes);
    assert.deepEqual(
      cuts.map(({ length, zero }) => (zero ? -length : length)),
      GOLDEN_SMALL,
    );
    const large = createSegmentCutter({ ...DEFAULT_CHUNKER, averageBytes: 262144 }, makeGearTable(0n), 1);
    assert.deepEqual(
      cutWith(large, noise(4, 3_000_000)).map(({ length }) => length),
      GOLDEN_LARGE,
    );
  });
});

function chunkEnds(cuts: SegmentCut[]): number[] {
  let offset = 0;
  return cuts.map(({ length }) => {
    offset += length;
    return offset;
  });
}

const GOLDEN_SMALL = [
  19642, 4598, 17169, 14401, 21909, 9690, 19846, 18760, 25537, -98304, 21334, 35519, 10123, 34818, 20813, 27537,
];
const GOLDEN_LARGE = [237528, 536813, 135313, 184824, 466576, 376937, 404992, 497475, 159542];
