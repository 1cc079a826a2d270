// The contract for listings.

import assert from "node:assert/strict";
import { assertCode } from "../support/assertCode.js";
import { collect, listKeys } from "../support/listing.js";
import { byCodeUnit, inParallel, pattern, type Use } from "./contract.js";

export function listings(use: Use): void {
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
    assert.deepEqual(
      listed.map(({ key }) => key),
      [...keys].sort(byCodeUnit),
    );
    for (const { key, sizeBytes } of listed) assert.equal(sizeBytes, keys.indexOf(key), key);
  });

  it("takes a prefix as a folder: ab/ does not mean ab", async () => {
    const backend = use();
    for (const key of ["ab-x", "ab.x", "ab/c/e", "ab/x", "abc/x", "b/ab/x"]) await backend.put(key, pattern(1, 1));
    assert.deepEqual(await listKeys(backend, "ab/"), ["ab/c/e", "ab/x"]);
    assert.deepEqual(await listKeys(backend, "ab/c/"), ["ab/c/e"]);
    assert.deepEqual(await listKeys(backend, "a/"), []);
    for (const prefix of ["ab", "ab//", "/", "../", "ab/c", "ab/../"]) {
      await assertCode(collect(backend.list(prefix)), "STORAGE_KEY_INVALID");
    }
  });

  it("shows all of 2500 objects, each once", async () => {
    const backend = use();
    const keys = Array.from({ length: 2500 }, (_, n) => `packs/${(n % 7).toString(16).padStart(2, "0")}/s-${n}`);
    await inParallel(keys, 32, (key) => backend.put(key, pattern(3, 3)));
    assert.deepEqual(await listKeys(backend, "packs/"), [...keys].sort(byCodeUnit));
    const some = keys.filter((key) => key.startsWith("packs/03/"));
    assert.deepEqual(await listKeys(backend, "packs/03/"), some.sort(byCodeUnit));
  });

  it("can be left early and started again", async () => {
    const backend = use();
    for (const key of ["a/1", "a/2", "b/1"]) await backend.put(key, pattern(1, 1));
    const objects = backend.list("");
    for await (const { key } of objects) if (key === "a/2") break;
    assert.equal((await collect(backend.list(""))).length, 3);
  });
}
