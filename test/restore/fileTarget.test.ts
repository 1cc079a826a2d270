import assert from "node:assert/strict";
import { link, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isOurError } from "../../core/errors.js";
import type { BlockWriter, RestoreTarget } from "../../core/restore/blockTarget.js";
import { type CreateTargetOptions, createTarget, openBlockWriter } from "../../core/restore/openTarget.js";
import { partialPathOf } from "../../core/restore/partialFile.js";
import { mount, unmount } from "../support/loopDevice.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const sizeBytes = 9 * 1024 * 1024 + 77;
const key = "0123456789abcdef";

describe("raw file as restore target", () => {
  let folder: TemporaryFolder;
  let path: string;
  let partial: string;

  beforeEach(async () => {
    folder = await makeTemporaryFolder("target");
    path = join(folder.path, "disk.raw");
    partial = partialPathOf(path, key);
  });
  afterEach(() => folder.remove());

  const options = (more: Partial<CreateTargetOptions> = {}): CreateTargetOptions => {
    return { path, format: "raw", sizeBytes, force: false, resumeKey: key, ...more };
  };

  async function withWriter(target: RestoreTarget, use: (writer: BlockWriter) => Promise<void>): Promise<void> {
    const writer = await openBlockWriter(target.location);
    await use(writer).finally(() => writer.close());
  }

  async function rejectsWith(work: Promise<unknown>, code: string): Promise<void> {
    await assert.rejects(work, (error) => {
      assert.ok(isOurError(error, code), String(error));
      return true;
    });
  }

  it("is sparse and private, and has its name only when published", async () => {
    const target = await createTarget(options());
    assert.deepEqual([target.resumed, target.startsZeroed, target.finalPath], [false, true, path]);
    const data = noise(1, 100_000);
    await withWriter(target, async (writer) => {
      await writer.write(data, 5_000_001);
      await writer.write(data.subarray(0, 77), sizeBytes - 77);
      const back = new Uint8Array(100_002);
      await writer.read(back, 5_000_000);
      assert.deepEqual(back.slice(1, -1), data);
    });
    assert.deepEqual(await readdir(folder.path), [`.disk.raw.reprise-${key}.partial`]);
    await target.publish();
    assert.deepEqual(await readdir(folder.path), ["disk.raw"]);
    const expected = new Uint8Array(sizeBytes);
    expected.set(data, 5_000_001);
    expected.set(data.subarray(0, 77), sizeBytes - 77);
    assert.deepEqual(Uint8Array.from(await readFile(path)), expected);
    const stats = await stat(path);
    assert.equal(stats.mode & 0o777, 0o600);
    assert.ok(stats.blocks * 512 < 400_000);
    await target.discard({ keep: false });
    assert.deepEqual(await readdir(folder.path), ["disk.raw"]);
  });

  it("gets no name once the run was interrupted, and can be gone on with", async () => {
    const target = await createTarget(options());
    await withWriter(target, (writer) => writer.write(noise(1, 1000), 500));
    await assert.rejects(target.publish({ signal: AbortSignal.abort() }), { name: "AbortError" });
    const late = new AbortController();
    const publishing = target.publish({ signal: late.signal });
    late.abort();
    await assert.rejects(publishing, { name: "AbortError" });
    await target.discard({ keep: true });
    assert.deepEqual(await readdir(folder.path), [`.disk.raw.reprise-${key}.partial`]);
  });

  it("goes on where it stopped", async () => {
    const first = await createTarget(options());
    await withWriter(first, (writer) => writer.write(noise(1, 1000), 500));
    await first.discard({ keep: true });
    const second = await createTarget(options());
    assert.deepEqual([second.resumed, second.startsZeroed], [true, false]);
    await withWriter(second, async (writer) => {
      const back = new Uint8Array(1000);
      await writer.read(back, 500);
      assert.deepEqual(back, noise(1, 1000));
    });
    await second.publish();
    assert.deepEqual(await readdir(folder.path), ["disk.raw"]);
  });

  it("of another snapshot starts afresh", async () => {
    const first = await createTarget(options());
    await first.discard({ keep: true });
    const second = await createTarget(options({ resumeKey: "ffffffffffffffff" }));
    assert.equal(second.resumed, false);
    await second.discard({ keep: false });
    assert.equal((await readdir(folder.path)).length, 1);
  });

  it("does not believe a partial file of another size to be empty", async () => {
    await writeFile(partial, noise(1, 4096), { mode: 0o600 });
    const target = await createTarget(options());
    assert.deepEqual([target.resumed, target.startsZeroed], [true, false]);
    assert.equal((await stat(partial)).size, sizeBytes);
    await target.discard({ keep: false });
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("zeroes what an earlier run left, keeping holes", async () => {
    const big = 96 * 1024 * 1024;
    const target = await createTarget(options({ sizeBytes: big }));
    await withWriter(target, async (writer) => {
      for (let at = 0; at < big; at += 8 * 1024 * 1024) await writer.write(noise(at, 1024 * 1024), at);
      await writer.zero(100, 3000);
      await writer.zero(8 * 1024 * 1024 + 5, 5 * 1024 * 1024);
      await writer.zero(16 * 1024 * 1024, 72 * 1024 * 1024);
    });
    await target.publish();
    const expected = new Uint8Array(big);
    for (let at = 0; at < big; at += 8 * 1024 * 1024) expected.set(noise(at, 1024 * 1024), at);
    expected.fill(0, 100, 3100);
    expected.fill(0, 8 * 1024 * 1024 + 5, 13 * 1024 * 1024 + 5);
    expected.fill(0, 16 * 1024 * 1024, 88 * 1024 * 1024);
    assert.ok(Buffer.compare(expected, await readFile(path)) === 0);
    assert.ok((await stat(path)).blocks * 512 < 4 * 1024 * 1024);
  });

  it("zeroes also where holes cannot be punched", async () => {
    const { PATH } = process.env;
    process.env.PATH = "/nonexistent";
    try {
      const target = await createTarget(options());
      await withWriter(target, async (writer) => {
        await writer.write(noise(1, sizeBytes), 0);
        await writer.zero(0, sizeBytes);
      });
      await target.publish();
    } finally {
      process.env.PATH = PATH;
    }
    assert.ok((await readFile(path)).every((byte) => byte === 0));
  });

  describe("and a file under the final name", () => {
    beforeEach(() => writeFile(path, "precious"));

    it("is refused without force", async () => {
      await assert.rejects(createTarget(options()), (error) => {
        return isOurError(error, "TARGET_EXISTS") && /--force/.test(error.hint ?? "");
      });
      assert.equal(await readFile(path, "utf8"), "precious");
      assert.deepEqual(await readdir(folder.path), ["disk.raw"]);
    });

    it("is replaced with force, and only when publishing", async () => {
      const target = await createTarget(options({ force: true, sizeBytes: 3 }));
      await withWriter(target, (writer) => writer.write(Buffer.from("new"), 0));
      assert.equal(await readFile(path, "utf8"), "precious");
      await target.publish();
      assert.equal(await readFile(path, "utf8"), "new");
      assert.deepEqual(await readdir(folder.path), ["disk.raw"]);
    });

    it("that is a link is replaced, not followed", async () => {
      await rm(path);
      await writeFile(join(folder.path, "other"), "precious");
      await symlink(join(folder.path, "other"), path);
      const target = await createTarget(options({ force: true, sizeBytes: 3 }));
      await target.publish();
      assert.equal(await readFile(join(folder.path, "other"), "utf8"), "precious");
      assert.equal((await stat(path)).size, 3);
    });

    it("that appears while restoring stays, and so does the work", async () => {
      await rm(path);
      const target = await createTarget(options({ sizeBytes: 3 }));
      await writeFile(path, "precious");
      await rejectsWith(target.publish(), "TARGET_EXISTS");
      assert.equal(await readFile(path, "utf8"), "precious");
      await target.discard({ keep: true });
      assert.equal((await readdir(folder.path)).length, 2);
    });

    it("that is a folder is refused", async () => {
      await rm(path);
      await mkdir(path);
      await rejectsWith(createTarget(options()), "TARGET_EXISTS");
      await rejectsWith(createTarget(options({ force: true })), "TARGET_UNSUPPORTED");
    });
  });

  describe("and something else under the partial name", () => {
    it("that is a link is not followed", async () => {
      const victim = join(folder.path, "victim");
      await writeFile(victim, "precious");
      await symlink(victim, partial);
      await rejectsWith(createTarget(options()), "TARGET_UNSAFE");
      await rejectsWith(openBlockWriter({ kind: "file", path: partial }), "TARGET_WRITE_FAILED");
      assert.equal(await readFile(victim, "utf8"), "precious");
    });

    it("that is a dangling link creates nothing", async () => {
      await symlink(join(folder.path, "nothing"), partial);
      await rejectsWith(createTarget(options()), "TARGET_UNSAFE");
      assert.equal((await readdir(folder.path)).length, 1);
    });

    it("that is another name of a file leaves that file alone", async () => {
      const victim = join(folder.path, "victim");
      await writeFile(victim, "precious");
      await link(victim, partial);
      const target = await createTarget(options());
      assert.equal(target.resumed, false);
      await target.publish();
      assert.equal(await readFile(victim, "utf8"), "precious");
    });

    it("that is a folder is refused", async () => {
      await mkdir(partial);
      await rejectsWith(createTarget(options()), "TARGET_UNSAFE");
    });

    it("that came while writing is not published", async () => {
      const target = await createTarget(options());
      await rm(partial);
      await writeFile(partial, "not ours");
      await rejectsWith(target.publish(), "TARGET_WRITE_FAILED");
      assert.deepEqual(await readdir(folder.path), [`.disk.raw.reprise-${key}.partial`]);
      await target.discard({ keep: true });
    });
  });

  it("with the longest possible name", async () => {
    path = join(folder.path, "n".repeat(255));
    const target = await createTarget(options({ sizeBytes: 1 }));
    await target.publish();
    assert.deepEqual(await readdir(folder.path), ["n".repeat(255)]);
  });

  it("in a folder that does not exist is refused", async () => {
    await rejectsWith(createTarget(options({ path: join(folder.path, "no", "disk") })), "TARGET_WRITE_FAILED");
  });

  it("that is too small for what is read back is an error", async () => {
    const target = await createTarget(options());
    await truncate(partial, 100);
    await withWriter(target, async (writer) => {
      await rejectsWith(writer.read(new Uint8Array(10), 95), "TARGET_READ_FAILED");
    });
    await target.discard({ keep: false });
  });

  it("leaves nothing without a size, whenever it is stopped", async () => {
    for (let waitMs = 0; waitMs < 30; waitMs++) {
      const abort = new AbortController();
      const made = createTarget(options({ signal: abort.signal })).then(
        (target) => target.discard({ keep: false }),
        (error) => assert.equal(error.name, "AbortError"),
      );
      await sleep(waitMs / 3);
      abort.abort();
      await made;
      assert.deepEqual(await readdir(folder.path), []);
    }
  });

  it("stops on abort", async () => {
    await assert.rejects(createTarget(options({ signal: AbortSignal.abort() })), { name: "AbortError" });
  });

  for (const format of ["raw", "qcow2"] as const) {
    it(`on a full file system says so, for ${format}, and the final name stays free`, async function () {
      const small = join(folder.path, "small");
      await mkdir(small);
      if (!mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", small)) return this.skip();
      try {
        const target = await createTarget(options({ path: join(small, "disk"), format }));
        const writer = await openBlockWriter(target.location);
        await rejectsWith(writer.write(noise(1, 8 * 1024 * 1024), 0), "TARGET_FULL");
        await writer.close();
        await target.discard({ keep: true });
        assert.equal((await readdir(small)).length, 1);
      } finally {
        unmount(small);
      }
    });
  }

  it("on a read-only file system says so", async function () {
    const small = join(folder.path, "small");
    await mkdir(small);
    if (!mount("-t", "tmpfs", "-o", "size=4m,ro", "tmpfs", small)) return this.skip();
    try {
      await rejectsWith(createTarget(options({ path: join(small, "disk") })), "TARGET_READ_ONLY");
    } finally {
      unmount(small);
    }
  });
});
