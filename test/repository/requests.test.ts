// How many requests it takes: what a storage behind a network makes slow, and some make expensive.

import assert from "node:assert/strict";
import { objectName } from "../../core/format/ids.js";
import { encodeManifest } from "../../core/format/manifest.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { RequestCount } from "../support/requestCount.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

describe("requests", function () {
  this.timeout(60_000);
  this.slow(20_000);
  let folder: TemporaryFolder;
  let backend: RequestCount;
  let made: TestRepository;

  beforeEach(async () => {
    folder = await makeTemporaryFolder("requests");
    backend = new RequestCount(new MemoryBackend());
    made = await TestRepository.make({ backend, encrypted: false, cacheFolder: folder.path });
  });
  afterEach(() => folder.remove());

  it("listing 10,000 snapshots with a warm cache takes at most 15 more than listing none", async () => {
    backend.take();
    await made.catalog();
    const none = backend.take();
    const manifest = await made.backUp("vm/web1", { disk: noise(1, 10_000) });
    for (let n = 1; n < 10_000; n++) {
      const sid = made.repository.newId();
      await made.repository.objects.writeOnce(
        objectName.snapshot(sid),
        "snapshot",
        encodeManifest({ ...manifest, sid }),
      );
    }
    await made.catalog();
    backend.take();
    const again = await made.reopen({ cacheFolder: folder.path });
    backend.take();
    assert.equal((await again.catalog()).snapshots.length, 10_000);
    const all = backend.take();
    assert.ok(all <= none + 15, `${all} requests, ${none} for an empty list`);
  });

  it("a backup does not read again what collections have decided", async () => {
    const manifest = await made.backUp("vm/web1", { disk: noise(1, 300_000) });
    for (let n = 2; n < 8; n++) {
      await made.backUp("vm/web1", { disk: noise(n, 300_000) });
      const [oldest] = (await made.catalog()).snapshots;
      await made.forget(oldest?.sid ?? manifest.sid);
      assert.ok((await made.gc()).deletedPacks > 0);
    }
    const disk = noise(7, 300_000);
    await made.backUp("vm/web1", { disk });
    backend.take();
    await made.backUp("vm/web1", { disk });
    const warm = backend.take();
    const cold = await made.reopen();
    backend.take();
    await cold.backUp("vm/web1", { disk });
    assert.ok(backend.take() >= warm + 6, "without a cache each decision is read");
  });
});
