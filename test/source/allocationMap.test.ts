import assert from "node:assert/strict";
import fc from "fast-check";
import { AllocationMapBuilder } from "../../core/source/allocationMap.js";
import { MapReader } from "../../core/source/fileAllocation.js";

const unit = 4096;
const sizeUnits = 400;

/** Pairs of (gap, data) lengths in units. */
const layouts = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 40 });

function layOut(layout: [number, number][]): { ranges: [number, number][]; isData: boolean[] } {
  const ranges: [number, number][] = [];
  const isData: boolean[] = new Array(sizeUnits).fill(false);
  let at = 0;
  for (const [gap, data] of layout) {
    const start = at + gap;
    at = Math.min(start + data, sizeUnits);
    if (start >= at) break;
    ranges.push([start * unit, at * unit]);
    isData.fill(true, start, at);
  }
  return { ranges, isData };
}

describe("allocation map", () => {
  it("tells exactly what was put in, in any window", () => {
    fc.assert(
      fc.property(layouts, fc.nat(sizeUnits), fc.nat(sizeUnits), (layout, a, b) => {
        const { ranges, isData } = layOut(layout);
        const builder = new AllocationMapBuilder();
        for (const [start, end] of ranges) builder.addData(start, end);
        const map = builder.finish(sizeUnits * unit);
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        let at = from * unit;
        for (const extent of map.extents(from * unit, (to - from) * unit)) {
          assert.equal(extent.offset, at);
          at += extent.length;
          for (let byte = extent.offset; byte < at; byte += unit) assert.equal(extent.zero, !isData[byte / unit]);
        }
        assert.equal(at, to * unit);
      }),
    );
  });

  it("with too many ranges stays small and never calls data zero", () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: 1, max: 6 }), (layout, limit) => {
        const { ranges, isData } = layOut(layout);
        const builder = new AllocationMapBuilder(limit);
        for (const [start, end] of ranges) builder.addData(start, end);
        const map = builder.finish(sizeUnits * unit);
        assert.ok(map.rangeCount <= limit);
        let at = 0;
        for (const extent of map.extents(0, sizeUnits * unit)) {
          assert.equal(extent.offset, at);
          at += extent.length;
          if (extent.zero) assert.ok(!isData.slice(extent.offset / unit, at / unit).includes(true));
        }
        assert.equal(at, sizeUnits * unit);
      }),
    );
  });

  it("of a file in ten million pieces fits in a few MiB", () => {
    const builder = new AllocationMapBuilder();
    for (let index = 0; index < 10_000_000; index++) builder.addData(index * 8192, index * 8192 + 4096);
    const map = builder.finish(10_000_000 * 8192);
    assert.ok(map.rangeCount <= 256 * 1024);
    assert.equal(map.extents(0, 8192)[0]!.zero, false);
  });

  describe("as qemu-img writes it", () => {
    const encode = (text: string) => new TextEncoder().encode(text);
    const entry = (start: number, length: number, zero: boolean) =>
      `{ "start": ${start}, "length": ${length}, "depth": 0, "present": true, "zero": ${zero}, "data": ${!zero}, "offset": ${start}}`;
    const text = `[${entry(0, 4096, false)},\n${entry(4096, 8192, true)},\n${entry(12288, 512, false)}]\n`;

    it("is read in pieces of any size", () => {
      for (let step = 1; step < text.length; step += 7) {
        const reader = new MapReader(12300);
        for (let at = 0; at < text.length; at += step) reader.push(encode(text.slice(at, at + step)));
        assert.deepEqual(reader.finish().extents(0, 12300), [
          { offset: 0, length: 4096, zero: false },
          { offset: 4096, length: 8192, zero: true },
          { offset: 12288, length: 12, zero: false },
        ]);
      }
    });

    it("counts as data where it says nothing", () => {
      const reader = new MapReader(20000);
      reader.push(encode(`[${entry(4096, 4096, true)}`));
      assert.deepEqual(reader.finish().extents(0, 20000), [
        { offset: 0, length: 4096, zero: false },
        { offset: 4096, length: 4096, zero: true },
        { offset: 8192, length: 11808, zero: false },
      ]);
    });

    it("is refused when it is no map", () => {
      const wrong = [`[${entry(4096, 1, true)},${entry(0, 1, true)}]`, "[{}]", "{]}", "x".repeat(5000)];
      for (const bad of wrong) assert.throws(() => new MapReader(20000).push(encode(bad)), bad);
    });
  });
});
