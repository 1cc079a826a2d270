// The contract for single objects: contents, names, ranges.

import assert from "node:assert/strict";
import { assertCode } from "../support/assertCode.js";
import { collect, listKeys } from "../support/listing.js";
import { assertNotFound, byCodeUnit, pattern, type Use } from "./contract.js";

export function contents(use: Use): void {
  it("returns what was put, as a buffer of the caller", async () => {
    const backend = use();
    await backend.put("packs/0a/one", pattern(1000, 1));
    const first = await backend.get("packs/0a/one");
    assert.deepEqual(first, pattern(1000, 1));
    assert.equal(first.byteOffset, 0);
    assert.equal(first.buffer.byteLength, 1000, "no view on a larger buffer: workers transfer it");
    first.fill(0);
    assert.deepEqual(await backend.get("packs/0a/one"), pattern(1000, 1));
  });

  it("does not keep the buffer of put and putIfAbsent", async () => {
    const backend = use();
    const shared = new Uint8Array(300);
    const view = shared.subarray(100, 200);
    view.fill(7);
    await backend.put("a", view);
    await backend.putIfAbsent("b", view);
    shared.fill(9);
    assert.deepEqual(await backend.get("a"), new Uint8Array(100).fill(7));
    assert.deepEqual(await backend.get("b"), new Uint8Array(100).fill(7));
  });

  it("holds objects of 0 bytes and of 32 MiB", async () => {
    const backend = use();
    const big = pattern(32 * 1024 * 1024, 5);
    await backend.put("big", big);
    await backend.put("empty", new Uint8Array(0));
    await backend.putIfAbsent("empty-too", new Uint8Array(0));
    assert.ok(Buffer.from(await backend.get("big")).equals(big));
    assert.equal((await backend.stat("big")).sizeBytes, big.length);
    assert.deepEqual(await backend.get("empty"), new Uint8Array(0));
    assert.deepEqual(await backend.get("empty-too"), new Uint8Array(0));
    assert.equal((await backend.stat("empty")).sizeBytes, 0);
  });

  it("replaces by put, to longer and to shorter contents", async () => {
    const backend = use();
    for (const length of [10, 5000, 3, 0, 70_000]) {
      await backend.put("sessions/s", pattern(length, length));
      assert.deepEqual(await backend.get("sessions/s"), pattern(length, length));
      assert.equal((await backend.stat("sessions/s")).sizeBytes, length);
    }
    assert.equal((await collect(backend.list(""))).length, 1);
  });

  it("deletes, twice as well, and things that never were", async () => {
    const backend = use();
    await backend.put("gc/a.plan", pattern(5, 5));
    await backend.delete("gc/a.plan");
    await backend.delete("gc/a.plan");
    await backend.delete("never/was/here");
    await assertNotFound(backend, "gc/a.plan");
    assert.deepEqual(await collect(backend.list("")), []);
    assert.equal(await backend.putIfAbsent("gc/a.plan", pattern(6, 6)), "created");
  });

  it("says OBJECT_NOT_FOUND for get and stat of what does not exist", async () => {
    const backend = use();
    await backend.put("packs/0a/one", pattern(1, 1));
    for (const key of ["none", "packs/0a/two", "packs/0b/one", "packs", "packs/0a"]) await assertNotFound(backend, key);
  });

  it("gives the storage's time to stat and list alike, never going back", async () => {
    const backend = use();
    await backend.put("t/1", pattern(1, 1));
    await backend.put("t/2", pattern(1, 1));
    const [one, two] = [await backend.stat("t/1"), await backend.stat("t/2")];
    assert.ok(Number.isSafeInteger(one.modifiedAtMs) && one.modifiedAtMs <= two.modifiedAtMs);
    assert.deepEqual(await collect(backend.list("t/")), [one, two]);
  });
}

export function names(use: Use): void {
  const long = `${"x".repeat(255)}/${"y".repeat(254)}/z`; // 512 characters
  const odd = ["RESCUE.md", ".hidden", "..a", "a..b", "...", "-n", "_", "0", "tmp2", "a/tmp/b", "CON", long];

  it("takes odd ones", async () => {
    const backend = use();
    for (const key of odd) await backend.put(key, pattern(20, key.length));
    for (const key of odd) assert.deepEqual(await backend.get(key), pattern(20, key.length), key);
    assert.deepEqual(await listKeys(backend), [...odd].sort(byCodeUnit));
  });

  const bad = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a/..",
    "a b",
    "é",
    "a\\b",
    "a\0",
    "a:b",
  ];
  const tooLong = ["x".repeat(256), `${"x/".repeat(256)}x`];
  const reserved = ["tmp", "tmp/a"];
  for (const key of [...bad, ...tooLong, ...reserved]) {
    it(`refuses ${JSON.stringify(key.slice(0, 20))} (${key.length}) in every operation`, async () => {
      const backend = use();
      await assertCode(backend.get(key), "STORAGE_KEY_INVALID");
      await assertCode(backend.stat(key), "STORAGE_KEY_INVALID");
      await assertCode(backend.put(key, pattern(1, 1)), "STORAGE_KEY_INVALID");
      await assertCode(backend.putIfAbsent(key, pattern(1, 1)), "STORAGE_KEY_INVALID");
      await assertCode(backend.delete(key), "STORAGE_KEY_INVALID");
      if (key !== "") await assertCode(collect(backend.list(`${key}/`)), "STORAGE_KEY_INVALID");
      assert.deepEqual(await collect(backend.list("")), []);
    });
  }
}

export function ranges(use: Use): void {
  const size = 1000;
  const bytes = pattern(size, 3);

  it("gives exactly the bytes, at every edge", async () => {
    const backend = use();
    await backend.put("r", bytes);
    const edges: [number, number][] = [
      [0, size],
      [0, 1],
      [0, 0],
      [1, size - 1],
      [size - 1, 1],
      [size, 0],
      [400, 200],
    ];
    for (const [offset, length] of edges) {
      const answer = await backend.get("r", { range: { offset, length } });
      assert.deepEqual(answer, bytes.slice(offset, offset + length), `${offset} + ${length}`);
      assert.equal(answer.buffer.byteLength, length);
    }
    for (const fromEnd of [1, 32, size - 1, size]) {
      for (const length of [fromEnd, 0, 7]) {
        const answer = await backend.get("r", { range: { offset: -fromEnd, length } });
        assert.deepEqual(answer, bytes.slice(size - fromEnd), `the last ${fromEnd}`);
      }
    }
  });

  it("refuses what is not wholly inside", async () => {
    const backend = use();
    await backend.put("r", bytes);
    await backend.put("empty", new Uint8Array(0));
    const outside: [number, number][] = [
      [0, size + 1],
      [size, 1],
      [size + 1, 0],
      [500, 501],
      [0, -1],
      [5, -5],
    ];
    const odd: [number, number][] = [
      [-size - 1, 1],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, 2 ** 53],
      [2 ** 53, 0],
    ];
    for (const [offset, length] of [...outside, ...odd]) {
      await assertCode(backend.get("r", { range: { offset, length } }), "OBJECT_RANGE");
    }
    await assertCode(backend.get("empty", { range: { offset: 0, length: 1 } }), "OBJECT_RANGE");
    await assertCode(backend.get("empty", { range: { offset: -1, length: 1 } }), "OBJECT_RANGE");
    assert.equal((await backend.get("empty", { range: { offset: 0, length: 0 } })).length, 0);
    await assertCode(backend.get("none", { range: { offset: 0, length: 1 } }), "OBJECT_NOT_FOUND");
  });
}
