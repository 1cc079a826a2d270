import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_CHUNKER } from "../../core/chunking/chunkerParams.js";
import type { Manifest } from "../../core/format/manifest.js";
import { noise } from "../support/sampleBytes.js";
import { describeFolder, makeOddFolder, setAttributes } from "../support/sampleTree.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, describeStored, restoreTree, settle } from "../support/treeRepository.js";

const FILES = 20_000;

/** Small files in folders of all sizes, one of which needs several pages. */
function makeManyFiles(path: string): void {
  for (let i = 0; i < FILES; i++) {
    const folder = join(path, i < 6000 ? "flat" : `group-${i % 40}/part-${i % 400}`);
    if (i === 0 || i >= 6000) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${i}`), noise(i, i % 700));
  }
}

describe("a folder of 20,000 files", function () {
  this.timeout(120_000);
  this.slow(60_000);
  let temporary: TemporaryFolder;
  let folder: string;
  let test: TestRepository;
  before(async () => {
    temporary = await makeTemporaryFolder("many-files");
    folder = join(temporary.path, "tree");
    makeManyFiles(folder);
    makeOddFolder(join(folder, "odd"));
    setAttributes(join(folder, "odd"));
    await settle();
    test = await TestRepository.make({ chunker: DEFAULT_CHUNKER });
  });
  after(() => temporary.remove());

  it("is equal in the snapshot and after a restore, and only what has changed is opened again", async () => {
    const original = describeFolder(folder);
    const first = await backUpFolder(test, folder);
    assert.deepEqual(test.takeWarnings(), []);
    assert.deepEqual(await describeStored(test, first.manifest as Manifest), original);
    if (process.getuid?.() === 0) {
      const restored = join(temporary.path, "restored");
      await restoreTree(test, first.manifest as Manifest, restored);
      const only = { attributes: true, times: false };
      assert.deepEqual(describeFolder(restored, only), describeFolder(folder, only));
    }
    const changed = ["flat/file-100", "group-3/part-43/file-6043", "odd/setuid"];
    for (const path of changed) appendFileSync(join(folder, path), "changed");
    rmSync(join(folder, "flat/file-200"));
    writeFileSync(join(folder, "flat/file-0-new"), "new");
    await settle();
    const second = await backUpFolder(test, folder);
    assert.equal(second.trees[0]?.files, first.trees[0]?.files);
    assert.equal((second.trees[0]?.files ?? 0) - (second.trees[0]?.filesUnchanged ?? 0), changed.length + 1);
    assert.ok(second.statistics.bytesRead < 10_000);
    assert.ok(second.statistics.bytesStored < 600_000, `${second.statistics.bytesStored} bytes for four files`);
    assert.deepEqual(await describeStored(test, second.manifest as Manifest), describeFolder(folder));
    assert.equal((await test.verify()).ok, true);
  });
});
