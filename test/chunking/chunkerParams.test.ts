import assert from "node:assert/strict";
import { checkChunkerParams, DEFAULT_CHUNKER } from "../../core/chunking/chunkerParams.js";
import { makeGearTable } from "../../core/chunking/gearTable.js";
import { isOurError } from "../../core/errors.js";

describe("chunking: parameters", () => {
  it("are accepted at their defaults and at their limits", () => {
    checkChunkerParams(DEFAULT_CHUNKER);
    checkChunkerParams({ minBytes: 4096, averageBytes: 16384, maxBytes: 32768, segmentBytes: 65536 });
    checkChunkerParams({ minBytes: 2 ** 20, averageBytes: 2 ** 21, maxBytes: 2 ** 22, segmentBytes: 2 ** 24 });
  });

  it("are refused one step outside, and the error names the member", () => {
    const bad: [keyof typeof DEFAULT_CHUNKER, number][] = [
      ["minBytes", 4095],
      ["minBytes", 2 ** 20 + 1],
      ["minBytes", 65536.5],
      ["minBytes", Number.NaN],
      ["averageBytes", 8192],
      ["averageBytes", 2 ** 18 + 1],
      ["averageBytes", 2 ** 16],
      ["maxBytes", 2 ** 22 + 1],
      ["maxBytes", 2 ** 18 - 1],
      ["maxBytes", Number.POSITIVE_INFINITY],
      ["segmentBytes", 2 ** 15],
      ["segmentBytes", 2 ** 25],
      ["segmentBytes", 2 ** 24 - 4096],
    ];
    for (const [member, value] of bad) {
      assert.throws(
        () => checkChunkerParams({ ...DEFAULT_CHUNKER, [member]: value }),
        (error) => isOurError(error, "CHUNKER_INVALID") && error.family === "usage" && error.data.member === member,
        `${member} ${value}`,
      );
    }
  });
});

describe("chunking: gear table", () => {
  it("is SplitMix64: the published first outputs of seed 1234567 and of seed 0", () => {
    const known = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n, 4593380528125082431n];
    assert.deepEqual([...makeGearTable(1234567n).subarray(0, 4)], known);
    assert.equal(makeGearTable(0n)[0], 0xe220a8397b1dcdafn);
  });

  it("has 256 different words and takes the low 64 bits of the seed", () => {
    const table = makeGearTable(42n);
    assert.equal(new Set(table).size, 256);
    assert.deepEqual(makeGearTable(2n ** 64n + 42n), table);
    assert.notDeepEqual(makeGearTable(43n), table);
  });
});
