import assert from "node:assert/strict";
import { BoundedCache } from "../../../extension/service/boundedCache.js";

describe("a bounded cache", () => {
  it("forgets what was used longest ago", () => {
    const cache = new BoundedCache<string, number>(3);
    for (const [i, key] of ["a", "b", "c"].entries()) cache.set(key, i, 1);
    cache.get("a");
    cache.set("d", 3, 1);
    assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c"), cache.get("d")], [0, undefined, 2, 3]);
    cache.set("e", 4, 3);
    assert.deepEqual([cache.size, cache.get("e")], [1, 4]);
  });

  it("does not keep what is heavier than all of it", () => {
    const cache = new BoundedCache<string, number>(3);
    cache.set("a", 1, 1);
    cache.set("b", 2, 4);
    assert.deepEqual([cache.size, cache.get("a"), cache.get("b")], [1, 1, undefined]);
    cache.set("a", 5, 4);
    assert.equal(cache.size, 0);
  });
});
