import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../core/format/manifest.js";
import { noise } from "../support/sampleBytes.js";
import { describeFolder } from "../support/sampleTree.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, describeStored, settle } from "../support/treeRepository.js";
import { assertSound, crashesOf } from "./crashed.js";

describe("a backup of a folder that stops after any change", function () {
  this.timeout(60_000);
  this.slow(20_000);
  let temporary: TemporaryFolder;
  before(async () => {
    temporary = await makeTemporaryFolder("tree-crash");
  });
  after(() => temporary.remove());

  it("leaves what was there, and of itself nothing or everything", async () => {
    const folder = join(temporary.path, "tree");
    mkdirSync(join(folder, "sub"), { recursive: true });
    writeFileSync(join(folder, "kept"), noise(1, 300_000));
    writeFileSync(join(folder, "sub", "log"), noise(2, 90_000));
    await settle();
    const made = await TestRepository.make();
    const old = (await backUpFolder(made, folder)).manifest as Manifest;
    const before = describeFolder(folder);
    appendFileSync(join(folder, "sub", "log"), noise(3, 1_500_000));
    await settle();
    const now = describeFolder(folder);
    const crashes = await crashesOf(made, (repository) => backUpFolder(repository, folder));
    const seen = new Set<number>();
    for (let changes = 0; changes <= crashes.count; changes++) {
      const repository = await crashes.after(changes);
      const { snapshots } = await repository.catalog();
      seen.add(snapshots.length);
      for (const { sid, manifest } of snapshots) {
        const wanted = sid === old.sid ? before : now;
        assert.deepEqual(await describeStored(repository, manifest), wanted, crashes.describe(changes));
      }
      await assertSound(repository, crashes.describe(changes));
      assert.equal((await backUpFolder(repository, folder)).statistics.bytesRead <= 1_900_000, true);
    }
    assert.deepEqual([...seen], [1, 2]);
  });
});
