import assert from "node:assert/strict";
import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isOurError } from "../../core/errors.js";
import { type CreateTargetOptions, createTarget, openBlockWriter } from "../../core/restore/openTarget.js";
import { partialPathOf } from "../../core/restore/partialFile.js";
import { contentsByQemu, pidOfCommand, qemuImg } from "../support/diskImages.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const sizeBytes = 20 * 1024 * 1024;
const key = "0123456789abcdef";

describe("qcow2 file as restore target", () => {
  let folder: TemporaryFolder;
  let path: string;
  let partial: string;

  beforeEach(async () => {
    folder = await makeTemporaryFolder("qcow2");
    path = join(folder.path, "disk.qcow2");
    partial = partialPathOf(path, key);
  });
  afterEach(() => folder.remove());

  const options = (more: Partial<CreateTargetOptions> = {}): CreateTargetOptions => {
    return { path, format: "qcow2", sizeBytes, force: false, resumeKey: key, ...more };
  };

  async function rejectsWith(work: Promise<unknown>, code: string): Promise<void> {
    await assert.rejects(work, (error) => {
      assert.ok(isOurError(error, code), String(error));
      return true;
    });
  }

  it("holds what several writers at once put into it, at any alignment", async () => {
    const target = await createTarget(options());
    assert.deepEqual([target.resumed, target.startsZeroed], [false, true]);
    const disk = noise(1, sizeBytes);
    const writers = await Promise.all([1, 2, 3].map(() => openBlockWriter(target.location)));
    const cuts = [0, 1, 511, 70_000, 4_194_304, 4_194_999, 12_345_678, sizeBytes - 3, sizeBytes];
    const pieces = cuts.slice(1).map((end, index) => [cuts[index]!, end] as const);
    await Promise.all(pieces.map(([from, to], index) => writers[index % 3]!.write(disk.subarray(from, to), from)));
    await writers[0]!.zero(1_000_001, 3_000_000);
    disk.fill(0, 1_000_001, 4_000_001);
    const back = new Uint8Array(5000);
    await writers[1]!.read(back, 999_999);
    assert.deepEqual(back, disk.slice(999_999, 1_004_999));
    await Promise.all(writers.map((writer) => writer.close()));
    assert.deepEqual(await readdir(folder.path), [`.disk.qcow2.reprise-${key}.partial`]);
    await target.publish();
    assert.deepEqual(await readdir(folder.path), ["disk.qcow2"]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.ok(Buffer.compare(disk, await contentsByQemu(path, "qcow2")) === 0);
    await qemuImg("check", "-q", "-f", "qcow2", path);
  });

  it("stays small where nothing was written", async () => {
    const target = await createTarget(options({ sizeBytes: 2 ** 40 }));
    const writer = await openBlockWriter(target.location);
    await writer.write(noise(1, 100), 2 ** 40 - 100);
    await writer.zero(0, 2 ** 40 - 100);
    await writer.close();
    await target.publish();
    assert.ok((await stat(path)).size < 1024 * 1024);
  });

  it("of a size between two sectors is rounded up", async () => {
    const target = await createTarget(options({ sizeBytes: 1000 }));
    const writer = await openBlockWriter(target.location);
    await writer.write(noise(1, 1000), 0);
    await writer.close();
    await target.publish();
    const contents = await contentsByQemu(path, "qcow2");
    assert.equal(contents.length, 1024);
    assert.deepEqual(contents.slice(0, 1000), noise(1, 1000));
  });

  it("goes on where it stopped", async () => {
    const first = await createTarget(options());
    const writer = await openBlockWriter(first.location);
    await writer.write(noise(1, 100_000), 70_001);
    await writer.close();
    await first.discard({ keep: true });
    const second = await createTarget(options());
    assert.deepEqual([second.resumed, second.startsZeroed], [true, false]);
    const again = await openBlockWriter(second.location);
    const back = new Uint8Array(100_000);
    await again.read(back, 70_001);
    assert.deepEqual(back, noise(1, 100_000));
    await again.close();
    await second.publish();
  });

  it("starts afresh over a partial file that is no sound image of this size", async () => {
    const wrongs = [
      () => writeFile(partial, noise(1, 100_000)),
      () => writeFile(partial, ""),
      () => qemuImg("create", "-q", "-f", "qcow2", partial, "1M"),
      () => qemuImg("create", "-q", "-f", "qcow2", "-b", "/etc/hostname", "-F", "raw", partial, String(sizeBytes)),
    ];
    for (const makeWrong of wrongs) {
      await makeWrong();
      const target = await createTarget(options());
      assert.equal(target.resumed, false);
      await target.discard({ keep: false });
      assert.deepEqual(await readdir(folder.path), []);
    }
  });

  it("leaves nothing behind when discarded", async () => {
    const target = await createTarget(options());
    await target.discard({ keep: false });
    await target.discard({ keep: false });
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("does not replace a file without force, nor follow a link", async () => {
    await writeFile(path, "precious");
    await rejectsWith(createTarget(options()), "TARGET_EXISTS");
    await symlink(path, partial);
    await rejectsWith(createTarget(options({ force: true })), "TARGET_UNSAFE");
    assert.equal(await readFile(path, "utf8"), "precious");
  });

  it("needs qemu", async () => {
    const { PATH } = process.env;
    process.env.PATH = "/nonexistent";
    try {
      await rejectsWith(createTarget(options()), "TOOL_MISSING");
    } finally {
      process.env.PATH = PATH;
    }
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("is not published when its server was killed", async () => {
    const target = await createTarget(options());
    const writer = await openBlockWriter(target.location);
    await writer.write(noise(1, 100_000), 0);
    const { location } = target;
    assert.ok(location.kind === "nbd");
    process.kill(await pidOfCommand(location.socketPath), "SIGKILL");
    await rejectsWith(writer.write(noise(1, 100), 0), "TARGET_WRITE_FAILED");
    await writer.close();
    await rejectsWith(target.publish(), "TARGET_WRITE_FAILED");
    await target.discard({ keep: true });
    assert.deepEqual(await readdir(folder.path), [`.disk.qcow2.reprise-${key}.partial`]);
    const second = await createTarget(options());
    await second.discard({ keep: false });
  });
});
