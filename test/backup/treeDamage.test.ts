import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { objectName } from "../../core/format/ids.js";
import type { Manifest } from "../../core/format/manifest.js";
import { repairFromReplica } from "../../core/repair/repairFrom.js";
import { applyRepairSnapshots, planRepairSnapshots } from "../../core/repair/repairSnapshots.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { listBlobs, type StoredBlob } from "../support/damageSample.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { noise } from "../support/sampleBytes.js";
import { describeFolder, makeOddFolder } from "../support/sampleTree.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, describeStored, pathsIn, settle } from "../support/treeRepository.js";
import { KINDS, makeReplica, sync } from "../sync/replicas.js";

async function destroy(test: TestRepository, { pack, start, end }: StoredBlob): Promise<void> {
  await changeObject(test.backend, objectName.pack(pack), (bytes) => flipped(bytes, Math.max(start + 64, end - 1)));
}

function makeSmallFolder(path: string): void {
  mkdirSync(join(path, "sub", "deeper"), { recursive: true });
  writeFileSync(join(path, "first"), noise(1, 50_000));
  writeFileSync(join(path, "sub", "second"), noise(2, 700_000));
  writeFileSync(join(path, "sub", "deeper", "third"), noise(3, 10_000));
  writeFileSync(join(path, "sub", "empty"), "");
}

describe("trees in other repositories", function () {
  this.timeout(60_000);
  this.slow(20_000);
  let temporary: TemporaryFolder;
  let folder: string;
  before(async () => {
    temporary = await makeTemporaryFolder("tree-damage");
    folder = join(temporary.path, "tree");
    makeOddFolder(folder);
    writeFileSync(join(folder, "huge"), noise(9, 900_000));
    await settle();
  });
  after(() => temporary.remove());

  for (const [fromKind, toKind] of [
    ["sealed", "open, larger chunks"],
    ["open", "open"],
    ["sealed", "sealed"],
  ] as const) {
    it(`are copied from ${fromKind} to ${toKind}, and a second run reads no chunk`, async () => {
      const from = await makeReplica(KINDS[fromKind]);
      const to = await makeReplica(KINDS[toKind]);
      await backUpFolder(from, folder);
      assert.deepEqual((await sync(from, to)).failed, []);
      const [copy] = (await to.catalog()).snapshots;
      assert.deepEqual(await describeStored(to, copy?.manifest as Manifest), describeFolder(folder));
      assert.equal((await to.verify()).ok, true);
      await backUpFolder(from, folder);
      const { copied } = await sync(await from.reopen(), await to.reopen());
      assert.deepEqual(
        copied.map(({ bytesRead, bytesNew }) => [bytesRead, bytesNew]),
        [[0, 0]],
      );
    });
  }
});

describe("damage to a tree", function () {
  this.timeout(120_000);
  this.slow(30_000);
  let temporary: TemporaryFolder;
  let folder: string;
  let original: string[];
  let test: TestRepository;
  let manifest: Manifest;
  let blobs: StoredBlob[];

  before(async () => {
    temporary = await makeTemporaryFolder("tree-damage");
    folder = join(temporary.path, "tree");
    makeSmallFolder(folder);
    original = describeFolder(folder);
    await settle();
    test = await TestRepository.make();
    manifest = (await backUpFolder(test, folder)).manifest as Manifest;
    await test.backUp("vm/other", { disk: noise(5, 50_000) });
    blobs = await listBlobs(test.repository);
  });
  after(() => temporary.remove());

  /** The same repository with one blob destroyed. */
  async function damaged(blob: StoredBlob): Promise<TestRepository> {
    const backend = new MemoryBackend({ now: () => test.environment.nowMs });
    for await (const { key } of test.backend.list("")) await backend.put(key, await test.backend.get(key));
    const copy = await test.reopen({ backend });
    await destroy(copy, blob);
    return copy;
  }

  it("is found in every blob, with the path", async () => {
    const places = new Set<string>();
    for (const blob of blobs) {
      const report = await (await damaged(blob)).verify();
      const verdict = report.snapshots.find(({ sid }) => sid === manifest.sid);
      assert.equal(report.ok, false);
      for (const { path, offset, length } of verdict?.damaged ?? []) {
        assert.ok(path !== undefined && offset + length <= (manifest.archives[0]?.sizeBytes ?? 0));
        places.add(path);
      }
    }
    assert.deepEqual([...places].sort(), ["/", "/first", "/sub", "/sub/deeper", "/sub/deeper/third", "/sub/second"]);
  });

  it("is healed from a replica with another key, whatever it is", async () => {
    const replica = await makeReplica(KINDS["sealed, larger chunks"]);
    await sync(test, replica);
    for (const blob of blobs) {
      const copy = await damaged(blob);
      const report = await repairFromReplica(
        copy.repository,
        replica.repository,
        { dryRun: false, lanes: 0 },
        copy.options,
      );
      assert.ok(
        report.snapshots.every(({ healed }) => healed),
        JSON.stringify(report.snapshots),
      );
      assert.deepEqual(await describeStored(copy, manifest), original);
    }
  });

  it("is repaired: holes for contents, folders without what was lost, the rest as it was", async () => {
    let repaired = 0;
    for (const blob of blobs) {
      const copy = await damaged(blob);
      await copy.verify({ record: true });
      const plan = await planRepairSnapshots(copy.repository, await copy.catalog(), copy.options);
      const hurt = plan.repairs.find(({ sid }) => sid === manifest.sid);
      if (hurt === undefined || !hurt.repairable) continue;
      const made = await applyRepairSnapshots(copy.repository, await copy.catalog(), plan, copy.options);
      const result = made.find(({ repairedFrom }) => repairedFrom === manifest.sid) as Manifest;
      const report = await copy.verify();
      assert.equal(report.snapshots.find(({ sid }) => sid === result.sid)?.result, "ok");
      const known = new Set(await pathsIn(test, manifest));
      for (const path of await pathsIn(copy, result)) assert.ok(known.has(path));
      const [tree] = result.archives;
      const lostBytes = tree?.lost.reduce((sum, [, length]) => sum + length, 0) ?? 0;
      assert.ok(lostBytes > 0 || (tree?.sizeBytes ?? 0) < (manifest.archives[0]?.sizeBytes ?? 0));
      repaired++;
    }
    assert.ok(repaired > 10, `${repaired} repaired`);
  });
});
