import assert from "node:assert/strict";
import fc from "fast-check";
import { LearnedIds, SAME_IDS } from "../../core/sync/chunkMapping.js";
import { noise } from "../support/sampleBytes.js";

describe("ids of chunks in another repository", () => {
  it("are what was learned last, and lately learned ones are never forgotten", () => {
    const ids = Array.from({ length: 40 }, (_, i) => noise(i + 1, 32));
    const pairs = fc.array(fc.tuple(fc.nat(39), fc.nat(39)), { maxLength: 300 });
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 50 }), (learned, generation) => {
        const mapping = new LearnedIds(generation);
        const model = new Map<number, number>();
        for (const [from, to] of learned) {
          mapping.learn(ids[from]!, ids[to]!);
          model.set(from, to);
          assert.deepEqual(mapping.find(ids[from]!), ids[to]);
          assert.ok(mapping.size <= 2 * generation);
        }
        for (const [from, to] of model) {
          const found = mapping.find(ids[from]!);
          if (found !== undefined || model.size <= generation) assert.deepEqual(found, ids[to]);
        }
      }),
    );
  });

  it("are the same with the same key", () => {
    assert.deepEqual(SAME_IDS.find(noise(1, 32)), noise(1, 32));
  });

  it("come back from a large table", () => {
    const mapping = new LearnedIds();
    const idOf = (i: number) => noise(i, 32);
    for (let i = 0; i < 20_000; i++) mapping.learn(idOf(i), idOf(i + 100_000));
    for (let i = 0; i < 20_000; i += 97) assert.deepEqual(mapping.find(idOf(i)), idOf(i + 100_000));
    assert.equal(mapping.find(idOf(50_000)), undefined);
  });
});
