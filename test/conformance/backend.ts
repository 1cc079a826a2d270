// What every backend and every wrapper must do: the contract of core/storage/backend.ts as tests. A test file of a
// backend only says how to make an empty one.

import assert from "node:assert/strict";
import { isAbort, isOurError } from "../../core/errors.js";
import type { Backend, ObjectInfo } from "../../core/storage/backend.js";

export interface MadeBackend {
  /** Empty. */
  backend: Backend;
  cleanup(): Promise<void>;
}

type Use = () => Backend;

export function describeBackend(name: string, make: () => Promise<MadeBackend>): void {
  describe(`backend contract: ${name}`, function () {
    this.timeout(60_000);
    let made: MadeBackend;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(async () => {
      await made.backend.close();
      await made.backend.close();
      await made.cleanup();
    });
    const use = () => made.backend;
    describe("contents", () => contents(use));
    describe("names", () => names(use));
    describe("ranges", () => ranges(use));
    describe("putIfAbsent", () => conditionalPuts(use));
    describe("list", () => listings(use));
    describe("at the same time", () => concurrency(use));
    describe("abort", () => aborts(use));
  });
}

function contents(use: Use): void {
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

function names(use: Use): void {
  const long = `${"x".repeat(255)}/${"y".repeat(254)}/z`; // 512 characters
  const odd = ["RESCUE.md", ".hidden", "..a", "a..b", "...", "-n", "_", "0", "tmp2", "a/tmp/b", "CON", long];

  it("takes odd ones", async () => {
    const backend = use();
    for (const key of odd) await backend.put(key, pattern(20, key.length));
    for (const key of odd) assert.deepEqual(await backend.get(key), pattern(20, key.length), key);
    assert.deepEqual(keysOf(await collect(backend.list(""))), [...odd].sort(byCodeUnit));
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

function ranges(use: Use): void {
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

function conditionalPuts(use: Use): void {
  it("creates once and then leaves the object alone", async () => {
    const backend = use();
    assert.equal(await backend.putIfAbsent("snapshots/s", pattern(10, 1)), "created");
    assert.equal(await backend.putIfAbsent("snapshots/s", pattern(10, 1)), "exists");
    assert.equal(await backend.putIfAbsent("snapshots/s", pattern(20, 2)), "exists");
    assert.deepEqual(await backend.get("snapshots/s"), pattern(10, 1));
    await backend.put("config", pattern(5, 5));
    assert.equal(await backend.putIfAbsent("config", pattern(6, 6)), "exists");
    assert.deepEqual(await backend.get("config"), pattern(5, 5));
  });

  it("lets exactly one of 30 racers win, with whole contents, in a folder that is new", async () => {
    const backend = use();
    for (let round = 0; round < 3; round++) {
      const key = `race-${round}/key`;
      const racers = Array.from({ length: 30 }, (_, racer) => pattern(1 + racer * 10_000, racer));
      const results = Promise.all(racers.map((bytes) => backend.putIfAbsent(key, bytes)));
      const seen = await Promise.all(racers.map(() => backend.get(key).catch(() => undefined)));
      const winners = (await results).flatMap((result, racer) => (result === "created" ? [racer] : []));
      assert.equal(winners.length, 1, `winners: ${winners.join(" ")}`);
      const whole = racers[winners[0]!]!;
      for (const bytes of [...seen, await backend.get(key)]) if (bytes !== undefined) assert.deepEqual(bytes, whole);
      assert.deepEqual(keysOf(await collect(backend.list(`race-${round}/`))), [key]);
    }
  });
}

function listings(use: Use): void {
  it("is empty for an empty storage and for folders that do not exist", async () => {
    const backend = use();
    assert.deepEqual(await collect(backend.list("")), []);
    assert.deepEqual(await collect(backend.list("packs/")), []);
    await backend.put("packs", pattern(1, 1));
    assert.deepEqual(await collect(backend.list("packs/")), []);
    assert.deepEqual(await collect(backend.list("packs/0a/")), []);
  });

  it("sorts by code unit across folders, with exact sizes", async () => {
    const backend = use();
    const keys = [
      "B",
      "a",
      "a-b",
      "a.b",
      "a0",
      "aa/x",
      "ab-x",
      "ab.x",
      "ab/c-d/e",
      "ab/c/e",
      "ab/c.d",
      "ab0",
      "abc/x",
      "z",
    ];
    for (const [index, key] of keys.entries()) await backend.put(key, pattern(index, index));
    const listed = await collect(backend.list(""));
    assert.deepEqual(keysOf(listed), [...keys].sort(byCodeUnit));
    for (const { key, sizeBytes } of listed) assert.equal(sizeBytes, keys.indexOf(key), key);
  });

  it("takes a prefix as a folder: ab/ does not mean ab", async () => {
    const backend = use();
    for (const key of ["ab-x", "ab.x", "ab/c/e", "ab/x", "abc/x", "b/ab/x"]) await backend.put(key, pattern(1, 1));
    assert.deepEqual(keysOf(await collect(backend.list("ab/"))), ["ab/c/e", "ab/x"]);
    assert.deepEqual(keysOf(await collect(backend.list("ab/c/"))), ["ab/c/e"]);
    assert.deepEqual(keysOf(await collect(backend.list("a/"))), []);
    for (const prefix of ["ab", "ab//", "/", "../", "ab/c", "ab/../"]) {
      await assertCode(collect(backend.list(prefix)), "STORAGE_KEY_INVALID");
    }
  });

  it("shows all of 2500 objects, each once", async () => {
    const backend = use();
    const keys = Array.from({ length: 2500 }, (_, n) => `packs/${(n % 7).toString(16).padStart(2, "0")}/s-${n}`);
    await inParallel(keys, 32, (key) => backend.put(key, pattern(3, 3)));
    assert.deepEqual(keysOf(await collect(backend.list("packs/"))), [...keys].sort(byCodeUnit));
    const some = keys.filter((key) => key.startsWith("packs/03/"));
    assert.deepEqual(keysOf(await collect(backend.list("packs/03/"))), some.sort(byCodeUnit));
  });

  it("can be left early and started again", async () => {
    const backend = use();
    for (const key of ["a/1", "a/2", "b/1"]) await backend.put(key, pattern(1, 1));
    const objects = backend.list("");
    for await (const { key } of objects) if (key === "a/2") break;
    assert.equal((await collect(backend.list(""))).length, 3);
  });
}

function concurrency(use: Use): void {
  it("shows old or new contents to readers of an object that is being replaced, and always lists it", async () => {
    const backend = use();
    await backend.put("sessions/s", pattern(100_000, 0));
    let writing = true;
    const writer = (async () => {
      for (let n = 1; n <= 60; n++) await backend.put("sessions/s", new Uint8Array(100_000 + n).fill(n));
      writing = false;
    })();
    for (let n = 0; writing; n++) {
      const bytes = await backend.get("sessions/s");
      if (bytes.length > 100_000)
        assert.ok(
          bytes.every((byte) => byte === bytes.length - 100_000),
          "mixed contents",
        );
      assert.deepEqual(keysOf(await collect(backend.list(n % 2 === 0 ? "sessions/" : ""))), ["sessions/s"]);
    }
    await writer;
    assert.deepEqual(await backend.get("sessions/s"), new Uint8Array(100_060).fill(60));
  });

  it("lists while objects come and go: what stays is always shown", async () => {
    const backend = use();
    const stays = Array.from({ length: 40 }, (_, n) => `x/${n}-stays`).sort(byCodeUnit);
    await inParallel(stays, 8, (key) => backend.put(key, pattern(2, 2)));
    let busy = true;
    const others = (async () => {
      for (let n = 0; n < 60; n++) {
        await backend.put(`x/${n}-goes`, pattern(1, 1));
        if (n > 5) await backend.delete(`x/${n - 5}-goes`);
      }
      busy = false;
    })();
    while (busy) {
      const listed = keysOf(await collect(backend.list("x/")));
      assert.deepEqual(
        listed.filter((key) => key.endsWith("stays")),
        stays,
      );
      assert.deepEqual(listed, [...new Set(listed)].sort(byCodeUnit));
    }
    await others;
  });
}

function aborts(use: Use): void {
  it("does nothing when the signal is already aborted", async () => {
    const backend = use();
    const signal = AbortSignal.abort();
    await backend.put("a", pattern(5, 5));
    const operations = [
      () => backend.get("a", { signal }),
      () => backend.stat("a", { signal }),
      () => backend.put("b", pattern(1, 1), { signal }),
      () => backend.putIfAbsent("c", pattern(1, 1), { signal }),
      () => backend.delete("a", { signal }),
      () => collect(backend.list("", { signal })),
    ];
    for (const operation of operations) await assert.rejects(operation, isAbort);
    assert.deepEqual(keysOf(await collect(backend.list(""))), ["a"]);
  });

  it("leaves an object whole or absent when a put is aborted under way", async () => {
    const backend = use();
    const bytes = pattern(3_000_000, 4);
    for (const kind of ["put", "putIfAbsent"] as const) {
      const controller = new AbortController();
      const done = backend[kind](`under-way/${kind}`, bytes, { signal: controller.signal });
      setImmediate(() => controller.abort());
      await done.catch((error: unknown) => assert.ok(isAbort(error), String(error)));
      const after = await backend.get(`under-way/${kind}`).catch(() => undefined);
      if (after !== undefined) assert.deepEqual(after, bytes);
    }
  });

  it("stops a listing between two objects", async () => {
    const backend = use();
    await inParallel(
      Array.from({ length: 100 }, (_, n) => `x/${n}`),
      16,
      (key) => backend.put(key, pattern(1, 1)),
    );
    const controller = new AbortController();
    let seen = 0;
    const listing = (async () => {
      for await (const _ of backend.list("x/", { signal: controller.signal })) if (++seen === 10) controller.abort();
    })();
    await assert.rejects(listing, isAbort);
    assert.ok(seen < 100, `${seen} objects came`);
  });
}

/** Bytes that differ between seeds and do not repeat with a power of two. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) + seed * 17) & 0xff;
  return bytes;
}

async function collect(listing: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of listing) found.push(info);
  return found;
}

function keysOf(infos: ObjectInfo[]): string[] {
  return infos.map(({ key }) => key);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function inParallel<T>(items: T[], width: number, run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await run(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function assertCode(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isOurError(error, code), `expected ${code}, got ${String(error)}`);
    return true;
  });
}

async function assertNotFound(backend: Backend, key: string): Promise<void> {
  await assertCode(backend.get(key), "OBJECT_NOT_FOUND");
  await assertCode(backend.stat(key), "OBJECT_NOT_FOUND");
}
