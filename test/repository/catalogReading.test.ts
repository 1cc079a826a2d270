// How a catalog is read: what is told on the way, what an interrupted reading leaves, and what happens beside it.

import assert from "node:assert/strict";
import { RepriseError } from "../../core/errors.js";
import { objectName, type Sid } from "../../core/format/ids.js";
import { encodeManifest, type Manifest } from "../../core/format/manifest.js";
import { type CatalogProgress, loadCatalog } from "../../core/repository/catalog.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { RequestCount } from "../support/requestCount.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

describe("reading a catalog", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await makeTemporaryFolder("catalog");
  });
  afterEach(() => folder.remove());

  async function addCopies(made: TestRepository, manifest: Manifest, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const sid = made.repository.newId();
      const plain = encodeManifest({ ...manifest, sid });
      await made.repository.objects.writeOnce(objectName.snapshot(sid), "snapshot", plain);
    }
  }

  it("tells of each manifest, and of none that may be forgotten", async () => {
    const made = await TestRepository.make({ cacheFolder: folder.path });
    const sids: Sid[] = [];
    for (let n = 1; n <= 4; n++) sids.push((await made.backUp("vm/web1", { disk: noise(n, 10_000) })).sid);
    await made.forget(sids[1] as Sid);
    for (const what of ["cold", "warm"]) {
      const told: CatalogProgress[] = [];
      const catalog = await loadCatalog(made.repository, { ...made.options, onRead: (each) => void told.push(each) });
      assert.deepEqual(
        told.map(({ done }) => done),
        [1, 2, 3, 4],
        what,
      );
      assert.deepEqual([told.at(-1)?.listed, told.at(-1)?.isListed], [4, true]);
      const seen = told.flatMap(({ snapshot }) => (snapshot === null ? [] : [snapshot.sid]));
      assert.deepEqual(seen.sort(), catalog.snapshots.map(({ sid }) => sid).sort());
      assert.equal(catalog.snapshots.length, 3);
    }
  });

  it("lists forgotten objects, then manifests, then records", async () => {
    const backend = new RecordingBackend(new MemoryBackend());
    const made = await TestRepository.make({ backend });
    await made.backUp("vm/web1", { disk: noise(1, 10_000) });
    const lists: string[] = [];
    const list = backend.list.bind(backend);
    backend.list = (prefix, options) => {
      lists.push(prefix);
      return list(prefix, options);
    };
    await made.catalog();
    assert.deepEqual(lists, ["forgotten/", "snapshots/", "records/"]);
  });

  it("goes on where an interrupted reading was", async () => {
    const count = new RequestCount(new MemoryBackend());
    const backend = new FaultyBackend(count);
    const made = await TestRepository.make({ backend, encrypted: false });
    await addCopies(made, await made.backUp("vm/web1", { disk: noise(1, 10_000) }), 5000);
    const again = await made.reopen({ cacheFolder: folder.path });
    backend.fail("get", { kind: "before", key: /^snapshots\//, skip: 4500 });
    await assert.rejects(again.catalog(), { code: "STORAGE_FAILED" });
    count.take();
    assert.equal((await again.catalog()).snapshots.length, 5001);
    assert.ok(count.take() < 1100, "two parts of 2000 were kept");
    count.take();
    assert.equal((await again.catalog()).snapshots.length, 5001);
    assert.ok(count.take() < 20);
    backend.assertAllReached();
  });

  it("says what failed first, and begins nothing more", async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const made = await TestRepository.make({ backend });
    const manifest = await made.backUp("vm/web1", { disk: noise(1, 10_000) });
    await addCopies(made, manifest, 200);
    await made.forget(manifest.sid);
    const told: CatalogProgress[] = [];
    backend.fail("get", {
      kind: "before",
      key: /^forgotten\//,
      error: new RepriseError("backend", "STORAGE_FAILED", "x"),
    });
    const reading = loadCatalog(made.repository, { ...made.options, onRead: (each) => void told.push(each) });
    await assert.rejects(reading, { code: "STORAGE_FAILED", message: "x" });
    const before = told.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(told.length, before);
    assert.deepEqual(made.takeWarnings(), []);
    backend.assertAllReached();
  });

  it("does not bring back a snapshot that is collected meanwhile", async () => {
    const inner = new MemoryBackend();
    const backend = new FaultyBackend(inner);
    const made = await TestRepository.make({ backend });
    const gone = await made.backUp("vm/web1", { disk: noise(1, 10_000) });
    await made.backUp("vm/web1", { disk: noise(2, 10_000) });
    await made.forget(gone.sid);
    // the manifest has been read, then a collector removes it and the forgotten object after it
    const get = backend.get.bind(backend);
    backend.get = async (key, options) => {
      if (key !== objectName.forgotten(gone.sid)) return await get(key, options);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await inner.delete(objectName.snapshot(gone.sid));
      await inner.delete(key);
      return await get(key, options);
    };
    const catalog = await made.catalog();
    assert.equal(catalog.snapshots.length, 1);
    assert.notEqual(catalog.snapshots[0]?.sid, gone.sid);
    assert.deepEqual(catalog.unreadable, []);
  });
});
