import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isOurError } from "../../core/errors.js";
import { openSource, reopenSource } from "../../core/source/openSource.js";
import { makeSparseRaw, mapByQemu } from "../support/diskImages.js";
import { attachLoop, detachLoop } from "../support/loopDevice.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("raw disk images", () => {
  let folder: TemporaryFolder;
  let made = 0;
  const freshPath = () => join(folder.path, `disk-${made++}.raw`);

  before(async () => {
    folder = await makeTemporaryFolder("raw");
  });
  after(() => folder.remove());

  for (const sizeBytes of [0, 1, 511, 512, 70_001, 9 * 1024 * 1024 + 77]) {
    it(`of ${sizeBytes} bytes read byte for byte, holes told by a map`, async () => {
      const path = freshPath();
      const disk = sizeBytes === 0 ? new Uint8Array(0) : await makeSparseRaw(path, sizeBytes, sizeBytes);
      if (sizeBytes === 0) await writeFile(path, "");
      const { source, format, location, close } = await openSource(path, { format: "raw" });
      assert.deepEqual([format, source.sizeBytes, location], ["raw", sizeBytes, { kind: "file", path }]);
      const bytes = new Uint8Array(sizeBytes);
      await source.read(bytes, 0);
      assert.deepEqual(bytes, disk);
      const extents = await source.extents(0, sizeBytes);
      let at = 0;
      for (const { offset, length, zero } of extents) {
        assert.equal(offset, at);
        at += length;
        if (zero) assert.ok(disk.subarray(offset, at).every((byte) => byte === 0));
      }
      assert.equal(at, sizeBytes);
      const again = await reopenSource(location);
      assert.deepEqual(await again.extents(0, sizeBytes), extents);
      await again.close();
      await close();
      await close();
    });
  }

  it("have the map that qemu-img shows", async () => {
    const path = freshPath();
    await makeSparseRaw(path, 3, 16 * 1024 * 1024);
    const { source, close } = await openSource(path);
    assert.deepEqual(await source.extents(0, source.sizeBytes), await mapByQemu(path, "raw"));
    await close();
  });

  it("of 1 TiB and empty are mapped in no time", async () => {
    const path = freshPath();
    await writeFile(path, "");
    await truncate(path, 2 ** 40);
    const startedAt = performance.now();
    const { source, close } = await openSource(path);
    assert.deepEqual(await source.extents(0, 2 ** 40), [{ offset: 0, length: 2 ** 40, zero: true }]);
    assert.ok(performance.now() - startedAt < 60_000);
    await close();
  });

  describe("without qemu-img", () => {
    const { PATH } = process.env;
    beforeEach(() => {
      process.env.PATH = "/nonexistent";
    });
    afterEach(() => {
      process.env.PATH = PATH;
    });

    it("are all hole or all data", async () => {
      const empty = freshPath();
      await writeFile(empty, "");
      await truncate(empty, 2 ** 30);
      const first = await openSource(empty);
      assert.deepEqual(await first.source.extents(5, 100), [{ offset: 5, length: 100, zero: true }]);
      await first.close();
      const sparse = freshPath();
      await makeSparseRaw(sparse, 3, 16 * 1024 * 1024);
      const second = await openSource(sparse);
      assert.deepEqual(await second.source.extents(5, 100), [{ offset: 5, length: 100, zero: false }]);
      await second.close();
    });

    it("are all that can be read: others name the missing package", async () => {
      const path = freshPath();
      await writeFile(path, Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x03", "latin1"), Buffer.alloc(1000)]));
      await assert.rejects(openSource(path), (error) => {
        return isOurError(error, "TOOL_MISSING") && /qemu-utils/.test(error.hint ?? "");
      });
    });
  });

  it("cut short in the middle of reading are reported", async () => {
    const path = freshPath();
    await writeFile(path, noise(1, 300_000));
    const { source, close, changedSinceOpen } = await openSource(path);
    await source.read(new Uint8Array(1000), 250_000);
    await truncate(path, 200_000);
    await assert.rejects(source.read(new Uint8Array(100_000), 150_000), (error) => {
      assert.ok(isOurError(error, "SOURCE_SHRANK"));
      assert.deepEqual([error.data.offset, error.data.sizeBytes], [200_000, 300_000]);
      return true;
    });
    assert.equal(await changedSinceOpen(), true);
    await close();
  });

  it("tell whether they were changed", async () => {
    const path = freshPath();
    await writeFile(path, noise(1, 1000));
    const { changedSinceOpen, close } = await openSource(path);
    assert.equal(await changedSinceOpen(), false);
    await utimes(path, 1, 1);
    assert.equal(await changedSinceOpen(), true);
    await close();
    const second = await openSource(path);
    await appendFile(path, "x");
    assert.equal(await second.changedSinceOpen(), true);
    await second.close();
  });

  it("that cannot be read name the offset", async () => {
    const path = freshPath();
    await writeFile(path, noise(1, 1000));
    const { source, close } = await openSource(path);
    await close();
    await assert.rejects(source.read(new Uint8Array(10), 20), (error) => {
      return isOurError(error, "SOURCE_READ_FAILED") && error.data.offset === 20;
    });
  });

  it("must be files or block devices", async () => {
    const pipe = freshPath();
    execFileSync("mkfifo", [pipe]);
    await mkdir(join(folder.path, "folder"));
    for (const path of [pipe, join(folder.path, "folder"), "/dev/null"]) {
      await assert.rejects(openSource(path), (error) => isOurError(error, "SOURCE_UNSUPPORTED"), path);
      await assert.rejects(
        openSource(path, { format: "raw" }),
        (error) => isOurError(error, "SOURCE_UNSUPPORTED"),
        path,
      );
      await assert.rejects(
        openSource(path, { format: "qcow2" }),
        (error) => isOurError(error, "SOURCE_UNSUPPORTED"),
        path,
      );
    }
    for (const format of [undefined, "raw", "qcow2"] as const) {
      await assert.rejects(openSource(freshPath(), { format }), (error) => isOurError(error, "SOURCE_NOT_FOUND"));
    }
  });

  it("of block devices are read directly and never probed", async function () {
    const path = freshPath();
    const disk = await makeSparseRaw(path, 5, 4 * 1024 * 1024);
    disk.set(Buffer.from("QFI\xfb\0\0\0\x03", "latin1"), 0);
    await writeFile(path, disk);
    const device = attachLoop(path);
    if (device === undefined) return this.skip();
    try {
      const { source, format, changedSinceOpen, close } = await openSource(device);
      assert.deepEqual([format, source.sizeBytes], ["raw", disk.length]);
      const bytes = new Uint8Array(disk.length);
      await source.read(bytes, 0);
      assert.deepEqual(bytes, disk);
      assert.deepEqual(await source.extents(5, 100), [{ offset: 5, length: 100, zero: false }]);
      assert.equal(await changedSinceOpen(), false);
      await close();
    } finally {
      detachLoop(device);
    }
  });

  it("stop on abort", async () => {
    const path = freshPath();
    await writeFile(path, noise(1, 1000));
    const { source, close } = await openSource(path);
    const signal = AbortSignal.abort();
    await assert.rejects(source.read(new Uint8Array(10), 0, { signal }), { name: "AbortError" });
    await assert.rejects(source.extents(0, 10, { signal }), { name: "AbortError" });
    await assert.rejects(openSource(path, { signal }), { name: "AbortError" });
    await close();
  });
});
