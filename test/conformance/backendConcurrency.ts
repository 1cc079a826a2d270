// The contract for operations under way at the same time, and for those that are aborted.

import assert from "node:assert/strict";
import { isAbort } from "../../core/errors.js";
import { collect, listKeys } from "../support/listing.js";
import { byCodeUnit, inParallel, pattern, type Use } from "./contract.js";

export function conditionalPuts(use: Use): void {
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
      assert.deepEqual(await listKeys(backend, `race-${round}/`), [key]);
    }
  });
}

export function concurrency(use: Use): void {
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
      assert.deepEqual(await listKeys(backend, n % 2 === 0 ? "sessions/" : ""), ["sessions/s"]);
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
      const listed = await listKeys(backend, "x/");
      assert.deepEqual(
        listed.filter((key) => key.endsWith("stays")),
        stays,
      );
      assert.deepEqual(listed, [...new Set(listed)].sort(byCodeUnit));
    }
    await others;
  });
}

export function aborts(use: Use): void {
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
    assert.deepEqual(await listKeys(backend), ["a"]);
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
