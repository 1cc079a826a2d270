import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../core/format/manifest.js";
import { noise } from "../support/sampleBytes.js";
import { describeFolder, makeOddFolder, setAttributes } from "../support/sampleTree.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";
import { backUpFolder, describeStored, pathsIn, restoreTree, settle } from "../support/treeRepository.js";

/** Root may read everything. */
async function asNobody<T>(act: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return await act();
  process.seteuid?.(65534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

describe("backup of a folder", function () {
  this.timeout(60_000);
  this.slow(10_000);
  let test: TestRepository;
  let temporary: TemporaryFolder;
  let folder: string;

  beforeEach(async () => {
    test = await TestRepository.make();
    temporary = await makeTemporaryFolder("tree");
    folder = join(temporary.path, "original");
  });
  afterEach(() => temporary.remove());

  it("brings back everything: names, links, holes, devices, modes, times, attributes", async () => {
    makeOddFolder(folder);
    const attributes = setAttributes(folder);
    await settle();
    const { manifest, trees } = await backUpFolder(test, folder);
    assert.deepEqual(test.takeWarnings(), []);
    assert.equal(trees[0]?.unreadable, 0);
    assert.deepEqual(await describeStored(test, manifest as Manifest), describeFolder(folder));
    assert.equal((await test.verify()).ok, true);
    if (process.getuid?.() !== 0) return;
    const restored = join(temporary.path, "restored");
    await restoreTree(test, manifest as Manifest, restored);
    const withAttributes = { attributes, times: false };
    assert.deepEqual(describeFolder(restored, withAttributes), describeFolder(folder, withAttributes));
  });

  it("opens only files that have changed the second time, and an equal folder is an equal tree", async () => {
    makeOddFolder(folder);
    await settle();
    const first = await backUpFolder(test, folder);
    const second = await backUpFolder(test, folder);
    const files = second.trees[0]?.files ?? 0;
    assert.deepEqual([second.trees[0]?.filesUnchanged, second.statistics.bytesRead], [files, 0]);
    assert.equal(second.manifest?.archives[0]?.root, first.manifest?.archives[0]?.root);
    appendFileSync(join(folder, "setuid"), "x");
    renameSync(join(folder, "large"), join(folder, "renamed"));
    await settle();
    const third = await backUpFolder(test, folder);
    // What has new names or links has a new time of change: three names of one file, read once.
    assert.equal(third.trees[0]?.filesUnchanged, files - 4);
    assert.equal(third.statistics.bytesRead, statSync(join(folder, "setuid")).size + 900_000);
    const again = await backUpFolder(test, folder, { readAll: true });
    assert.equal(again.trees[0]?.filesUnchanged, 0);
    assert.equal(again.manifest?.archives[0]?.root, third.manifest?.archives[0]?.root);
    assert.equal(again.statistics.bytesNew, 0);
  });

  it("reads a file again when its chunks are gone", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "a"), noise(1, 100_000));
    await settle();
    const { manifest } = await backUpFolder(test, folder);
    await test.forget((manifest as Manifest).sid);
    await test.gc();
    const second = await backUpFolder(test, folder);
    assert.equal(second.trees[0]?.filesUnchanged, 0);
    assert.equal((await test.verify()).ok, true);
  });

  it("does not trust times of files that changed just before they were read", async () => {
    mkdirSync(folder);
    await settle();
    const path = join(folder, "a");
    // as soon as possible, again where other work came between
    for (let startedMs = Number.NEGATIVE_INFINITY; performance.now() - startedMs > 90; ) {
      rmSync(path, { force: true });
      startedMs = performance.now();
      writeFileSync(path, "one");
      await backUpFolder(test, folder);
    }
    const { trees } = await backUpFolder(test, folder);
    assert.equal(trees[0]?.filesUnchanged, 0);
  });

  it("sees a change that keeps size and time of modification", async () => {
    mkdirSync(folder);
    const path = join(folder, "a");
    writeFileSync(path, "one");
    utimesSync(path, 1000, 1000);
    await settle();
    await backUpFolder(test, folder);
    writeFileSync(path, "two");
    utimesSync(path, 1000, 1000);
    await settle();
    const { manifest, trees } = await backUpFolder(test, folder);
    assert.equal(trees[0]?.filesUnchanged, 0);
    assert.deepEqual(await describeStored(test, manifest as Manifest), describeFolder(folder));
  });

  it("leaves out what rules exclude, and enters no excluded folder", async () => {
    for (const name of ["cache/x", "src/cache/y", "src/a.tmp", "src/keep.tmp", "var/log/deep/z", "var/lib/z"]) {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), name);
    }
    const excludes = ["# a comment", "", "*.tmp", "!keep.tmp", "/cache/", "var/**/deep", "lib"];
    const { manifest, trees } = await backUpFolder(test, folder, {}, excludes);
    assert.deepEqual(await pathsIn(test, manifest as Manifest), [
      "/src",
      "/src/cache",
      "/src/cache/y",
      "/src/keep.tmp",
      "/var",
      "/var/log",
    ]);
    assert.equal(trees[0]?.excluded, 4);
  });

  it("reports what cannot be read, keeps the rest, and says so in the tree", async () => {
    mkdirSync(join(folder, "closed"), { recursive: true });
    writeFileSync(join(folder, "secret"), "x");
    writeFileSync(join(folder, "open"), "x");
    chmodSync(join(folder, "secret"), 0);
    chmodSync(join(folder, "closed"), 0);
    chmodSync(temporary.path, 0o755);
    const { manifest, trees } = await asNobody(() => backUpFolder(test, folder));
    chmodSync(join(folder, "closed"), 0o700);
    assert.deepEqual(test.takeWarnings().sort(), ["FILE_UNREADABLE", "FILE_UNREADABLE"]);
    assert.equal(trees[0]?.unreadable, 2);
    assert.deepEqual(await pathsIn(test, manifest as Manifest), ["/closed", "/open"]);
  });

  it("does not follow links, not even in place of folders", async () => {
    mkdirSync(join(folder, "inside"), { recursive: true });
    writeFileSync(join(temporary.path, "outside"), "secret");
    symlinkSync(temporary.path, join(folder, "up"));
    symlinkSync("up", join(folder, "inside", "again"));
    const { manifest } = await backUpFolder(test, folder);
    assert.deepEqual(await pathsIn(test, manifest as Manifest), ["/inside", "/inside/again", "/up"]);
  });

  it("notes a file that changes while it is read, and reads it the next time", async () => {
    mkdirSync(folder);
    const path = join(folder, "log");
    writeFileSync(path, noise(1, 300_000));
    await settle();
    const writing = setInterval(() => appendFileSync(path, "more"), 0);
    const busy = await backUpFolder(test, folder, {}, [], () => appendFileSync(path, "line"));
    clearInterval(writing);
    assert.deepEqual(test.takeWarnings(), ["FILE_CHANGED"]);
    assert.equal(busy.trees[0]?.filesUnchanged, 0);
    await settle();
    const { manifest, trees } = await backUpFolder(test, folder);
    assert.equal(trees[0]?.filesUnchanged, 0);
    assert.deepEqual(await describeStored(test, manifest as Manifest), describeFolder(folder));
  });

  it("frees what forgotten trees alone needed, and nothing else", async () => {
    mkdirSync(join(folder, "sub"), { recursive: true });
    writeFileSync(join(folder, "old"), noise(1, 400_000));
    writeFileSync(join(folder, "sub", "kept"), noise(2, 200_000));
    await settle();
    const first = await backUpFolder(test, folder);
    rmSync(join(folder, "old"));
    const { manifest } = await backUpFolder(test, folder);
    await test.forget((first.manifest as Manifest).sid);
    const report = await test.gc();
    assert.ok(JSON.stringify(report).length > 0);
    assert.equal((await test.verify()).ok, true);
    assert.deepEqual(await describeStored(test, manifest as Manifest), describeFolder(folder));
  });
});
