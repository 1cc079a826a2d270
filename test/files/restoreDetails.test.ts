import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../core/format/manifest.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { RequestCount } from "../support/requestCount.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, restoreTree } from "../support/treeRepository.js";

describe("details of restored files", function () {
  this.timeout(30_000);
  let temporary: TemporaryFolder;
  let test: TestRepository;
  const at = (...names: string[]) => join(temporary.path, ...names);
  const seen = (...names: string[]) => lstatSync(at(...names), { bigint: true });

  beforeEach(async () => {
    temporary = await makeTemporaryFolder("restore-details");
    test = await TestRepository.make();
    mkdirSync(at("tree", "below"), { recursive: true });
  });
  afterEach(() => temporary.remove());

  async function restored(): Promise<void> {
    const { manifest } = await backUpFolder(test, at("tree"));
    assert.deepEqual(test.takeWarnings(), []);
    await restoreTree(test, manifest as Manifest, at("out"));
  }

  it("symbolic links with several names stay one, and what they lead to is not touched", async function () {
    if (process.platform !== "linux") return this.skip();
    writeFileSync(at("victim"), "outside");
    symlinkSync(at("victim"), at("tree", "first"));
    linkSync(at("tree", "first"), at("tree", "second"));
    linkSync(at("tree", "first"), at("tree", "below", "third"));
    symlinkSync(at("victim"), at("tree", "alone"));
    await restored();
    for (const name of ["first", "second", "below/third"]) {
      assert.equal(readlinkSync(at("out", name)), at("victim"), name);
      assert.equal(seen("out", name).ino, seen("out", "first").ino, name);
      assert.equal(seen("out", name).nlink, 3n, name);
    }
    assert.notEqual(seen("out", "alone").ino, seen("out", "first").ino);
    assert.equal(seen("victim").nlink, 1n);
  });

  it("small files of a folder are fetched together", async () => {
    const requests = new RequestCount(new MemoryBackend());
    test = await TestRepository.make({ backend: requests });
    for (let i = 0; i < 300; i++) writeFileSync(at("tree", `file-${i}`), noise(i, 3000));
    const { manifest } = await backUpFolder(test, at("tree"));
    requests.take();
    await restoreTree(test, manifest as Manifest, at("out"));
    const taken = requests.take();
    assert.ok(taken < 30, `${taken} requests`);
    for (let i = 0; i < 300; i++) assert.ok(readFileSync(at("out", `file-${i}`)).equals(noise(i, 3000)), `file-${i}`);
  });

  it("times before 1970 are as exact as those after", async () => {
    const times = [
      "@-0.000000001",
      "@-0.0000005",
      "@-1.500000001",
      "1969-12-31 23:59:59.123456789 UTC",
      "1911-11-11 11:11:11.1 UTC",
    ];
    const kinds = ["file", "link", "folder"];
    const paths = times.flatMap((time, i) => kinds.map((kind) => ({ time, kind, path: `${kind}-${i}` })));
    for (const { time, kind, path } of paths) {
      if (kind === "file") writeFileSync(at("tree", path), time);
      else if (kind === "link") symlinkSync(time, at("tree", path));
      else mkdirSync(at("tree", path));
      execFileSync("touch", ["-h", "-d", time, at("tree", path)]);
    }
    await restored();
    for (const { path } of paths) {
      const [before, after] = [seen("tree", path).mtimeNs, seen("out", path).mtimeNs];
      assert.ok(before < 0n, path);
      const away = after > before ? after - before : before - after;
      assert.ok(away <= 250n, `${path}: ${before} became ${after}`);
    }
  });
});
