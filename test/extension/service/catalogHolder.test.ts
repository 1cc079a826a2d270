import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { RepriseError } from "../../../core/errors.js";
import type { Sid } from "../../../core/format/ids.js";
import { MemoryBackend } from "../../../core/storage/memoryBackend.js";
import { parseCatalogFilter } from "../../../extension/service/catalogFilter.js";
import { CatalogHolder } from "../../../extension/service/catalogHolder.js";
import { filtered } from "../../../extension/service/catalogIndex.js";
import { noise } from "../../support/sampleBytes.js";
import { TestRepository } from "../../support/testRepository.js";

/** Lets one manifest after the other through. */
class HeldBackend extends MemoryBackend {
  readonly #waiting: { go(): void; fail(error: unknown): void }[] = [];
  isHeld = false;

  override async get(...args: Parameters<MemoryBackend["get"]>): Promise<Uint8Array> {
    if (this.isHeld && args[0].startsWith("snapshots/"))
      await new Promise<void>((go, fail) => void this.#waiting.push({ go, fail }));
    return await super.get(...args);
  }

  letThrough(count: number): void {
    for (const { go } of this.#waiting.splice(0, count)) go();
  }

  failAll(error: unknown): void {
    this.isHeld = false;
    for (const { fail } of this.#waiting.splice(0)) fail(error);
  }
}

/** Whether the collector finds nobody who holds them. */
async function isCollected(objects: readonly WeakRef<object>[]): Promise<boolean> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let tries = 0; tries < 10; tries++) {
    await sleep(20);
    collect();
    if (objects.every((object) => object.deref() === undefined)) return true;
  }
  return false;
}

describe("a catalog that is being read", () => {
  const asking = { signal: new AbortController().signal, onWarning: () => {} };
  let backend: HeldBackend;
  let holder: CatalogHolder;
  let protectedOne: Sid;

  beforeEach(async () => {
    backend = new HeldBackend();
    const made = await TestRepository.make({ backend });
    for (let n = 1; n <= 6; n++) {
      const group = n % 2 === 0 ? "vm/web1" : "vm/db1";
      const { sid } = await made.backUp(group, { disk: noise(n, 5000) }, { protected: n === 4 });
      if (n === 4) protectedOne = sid;
    }
    backend.isHeld = true;
    holder = new CatalogHolder((await made.reopen()).repository);
  });

  async function someRead(done: number): Promise<Awaited<ReturnType<CatalogHolder["index"]>>> {
    for (;;) {
      const index = await holder.index(asking, 5);
      if (index.reading?.done === done) return index;
    }
  }

  it("shows what there is, says so, and then all of it", async () => {
    const first = await holder.index(asking, 5);
    assert.deepEqual(first.reading, { done: 0, total: null });
    backend.letThrough(3);
    const some = await someRead(3);
    assert.deepEqual(some.reading, { done: 3, total: 6 });
    assert.equal(
      some.machines().reduce((sum, { snapshots }) => sum + snapshots.length, 0),
      3,
    );
    const whole = holder.whole(asking);
    backend.letThrough(3);
    await whole;
    const all = await holder.index(asking, 0);
    assert.equal(all.reading, null);
    assert.deepEqual(
      all.machines().map(({ machine, snapshots }) => [machine, snapshots.length]),
      [
        ["vm/db1", 3],
        ["vm/web1", 3],
      ],
    );
    assert.equal(holder.soFar, undefined);
  });

  it("keeps nothing of what it has shown in part", async () => {
    const parts: WeakRef<object>[] = [];
    const look = async () => {
      await holder.index(asking, 5);
      parts.push(new WeakRef(holder.soFar as object));
    };
    await look();
    backend.letThrough(3);
    await someRead(3);
    backend.letThrough(3);
    await holder.whole(asking);
    backend.isHeld = false;
    await holder.whole(asking, true);
    assert.equal(await isCollected(parts), true);
  });

  it("filters by name at once, and by state when that is known", async () => {
    await holder.index(asking, 5);
    backend.letThrough(5);
    const some = await someRead(5);
    const names = (filter: string, index = some) =>
      filtered(index, parseCatalogFilter(filter)).map((each) => each.machine);
    assert.deepEqual(names("web"), ["vm/web1"]);
    assert.deepEqual(names("protected"), []);
    assert.deepEqual(names("untested"), []);
    backend.letThrough(1);
    await holder.whole(asking);
    const all = await holder.index(asking, 0);
    assert.deepEqual(names("protected", all), ["vm/web1"]);
    const [left] = filtered(all, parseCatalogFilter("protected"));
    assert.deepEqual(
      left?.snapshots.map(({ sid }) => sid),
      [protectedOne],
    );
    assert.deepEqual(names("untested", all), ["vm/db1", "vm/web1"]);
  });

  it("tells once that it failed after a part was shown, and then begins again", async () => {
    await holder.index(asking, 5);
    backend.letThrough(2);
    await someRead(2);
    backend.failAll(new RepriseError("backend", "STORAGE_FAILED", "the cable"));
    await assert.rejects(
      async () => {
        for (;;) await holder.index(asking, 5);
      },
      { code: "STORAGE_FAILED" },
    );
    assert.equal((await holder.whole(asking)).snapshots.length, 6);
    assert.equal((await holder.index(asking, 0)).reading, null);
  });

  it("is young while it is read, however long that takes", async () => {
    await holder.index(asking, 5);
    const recent = holder.recent(asking, -1);
    backend.letThrough(6);
    const { catalog } = await recent;
    assert.equal(await holder.whole(asking), catalog);
    backend.isHeld = false;
    assert.notEqual((await holder.recent(asking, -1)).catalog, catalog);
  });
});
