// One restore at a time writes a partial file, whoever asks: this process, another one, or somebody who wants it gone.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isOurError } from "../../core/errors.js";
import { requireTool, type ToolName } from "../../core/platform/tool.js";
import type { RestoreTarget } from "../../core/restore/blockTarget.js";
import { type CreateTargetOptions, createTarget, openBlockWriter } from "../../core/restore/openTarget.js";
import { partialPathOf } from "../../core/restore/partialFile.js";
import { locksRanges, removeUnfinished } from "../../core/restore/partialLock.js";
import { contentsByQemu } from "../support/diskImages.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const sizeBytes = 4 * 1024 * 1024;
const key = "0123456789abcdef";
const data = noise(1, 100_000);

for (const format of ["raw", "qcow2"] as const) {
  describe(`an unfinished ${format} file`, () => {
    let folder: TemporaryFolder;
    let path: string;
    let partial: string;
    const partialName = `.disk.${format}.reprise-${key}.partial`;
    const options = (signal?: AbortSignal): CreateTargetOptions => {
      return { path, format, sizeBytes, force: false, resumeKey: key, signal };
    };

    beforeEach(async () => {
      folder = await makeTemporaryFolder("lock");
      path = join(folder.path, `disk.${format}`);
      partial = partialPathOf(path, key);
    });
    afterEach(() => folder.remove());

    it("is refused to a second run while the first one writes, in this process and in another", async () => {
      const first = await createTarget(options());
      await writeData(first);
      await refused(createTarget(options()));
      assert.equal(await otherProcess("try"), "TARGET_IN_USE");
      await first.publish();
      await assert.rejects(createTarget(options()), (error) => isOurError(error, "TARGET_EXISTS"));
      assert.deepEqual(await readdir(folder.path), [`disk.${format}`]);
      assert.deepEqual((await contentsByQemu(path, format)).slice(0, data.length), data);
    });

    it("is free again, and gone on with, when the first run has kept it", async () => {
      const first = await createTarget(options());
      await writeData(first);
      await first.discard({ keep: true });
      const second = await createTarget(options());
      assert.ok(second.resumed);
      await second.discard({ keep: false });
      assert.deepEqual(await readdir(folder.path), []);
    });

    it("is free again, and gone on with, once the process that wrote it was killed", async () => {
      assert.equal(await otherProcess("kill"), "made");
      const target = await createOnceFree();
      assert.ok(target.resumed);
      await target.discard({ keep: false });
    });

    it("is made by one of many that begin at once, and none of the others takes it away", async () => {
      for (let round = 0; round < 5; round++) {
        const made = await Promise.allSettled(Array.from({ length: 8 }, () => createTarget(options())));
        const targets = made.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        for (const one of made) if (one.status === "rejected") assert.ok(isOurError(one.reason, "TARGET_IN_USE"));
        assert.equal(targets.length, 1);
        assert.deepEqual(await readdir(folder.path), [partialName]);
        await targets[0]?.discard({ keep: false });
        assert.deepEqual(await readdir(folder.path), []);
      }
    });

    it("is not removed while a restore writes it, and is once it has ended", async () => {
      const target = await createTarget(options());
      assert.equal(await removeUnfinished(partial), false);
      await writeData(target);
      assert.equal(await removeUnfinished(partial), false);
      await target.discard({ keep: true });
      assert.equal(await removeUnfinished(partial), true);
      assert.equal(await removeUnfinished(partial), false);
      assert.deepEqual(await readdir(folder.path), []);
    });

    it("is whole or not begun for whoever restores while somebody removes it", async () => {
      for (let round = 0; round < 10; round++) {
        await (await createTarget(options())).discard({ keep: true });
        const [made, removed] = await Promise.allSettled([createTarget(options()), removeUnfinished(partial)]);
        assert.equal(removed.status, "fulfilled");
        if (made.status === "rejected") assert.ok(isOurError(made.reason, "TARGET_IN_USE"), String(made.reason));
        else {
          await writeData(made.value);
          await made.value.publish();
          assert.deepEqual((await contentsByQemu(path, format)).slice(0, data.length), data);
        }
        await folder.remove();
        folder = await makeTemporaryFolder("lock");
        path = join(folder.path, `disk.${format}`);
        partial = partialPathOf(path, key);
      }
    });

    it("is locked also without the program that locks", async () => {
      await withPrograms(["qemu-img", "qemu-nbd"], async () => {
        const first = await createTarget(options());
        await refused(createTarget(options()));
        assert.equal(await otherProcess("try"), "TARGET_IN_USE");
        assert.equal(await removeUnfinished(partial), false);
        await first.discard({ keep: true });
        const second = await createTarget(options());
        assert.ok(second.resumed);
        await second.discard({ keep: false });
      });
    });

    it("is left alone when the lock of the file itself is somebody's, as from another machine", async () => {
      await (await createTarget(options())).discard({ keep: true });
      const holder = spawn("flock", ["-x", partial, "sh", "-c", "echo; exec cat"], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      try {
        await once(holder.stdout, "data");
        await refused(createTarget(options()));
        assert.equal(await removeUnfinished(partial), false);
      } finally {
        holder.stdin.end();
        await once(holder, "close");
      }
      const target = await createTarget(options());
      assert.ok(target.resumed);
      await target.discard({ keep: false });
    });

    /** Only they are found meanwhile. */
    async function withPrograms(names: readonly ToolName[], work: () => Promise<void>): Promise<void> {
      const bin = await makeTemporaryFolder("bin");
      const { PATH } = process.env;
      for (const name of names) await symlink(await requireTool(name), join(bin.path, name));
      process.env.PATH = bin.path;
      await work().finally(async () => {
        process.env.PATH = PATH;
        await bin.remove();
      });
    }

    async function createOnceFree(): Promise<RestoreTarget> {
      for (let tries = 0; ; tries++) {
        try {
          return await createTarget(options());
        } catch (error) {
          // the server of the killed process still closes its image
          if (format === "raw" || tries > 100 || !isOurError(error, "TARGET_IN_USE")) throw error;
          await sleep(50);
        }
      }
    }

    /** What making the same target comes to in another process; "kill": it ends by a signal with the target made. */
    async function otherProcess(then: "try" | "kill"): Promise<string> {
      const module = new URL("../../core/restore/openTarget.js", import.meta.url).href;
      const end = then === "kill" ? "process.kill(process.pid, 'SIGKILL')" : "";
      const script = `import { writeSync } from "node:fs";
      const { createTarget } = await import(${JSON.stringify(module)});
      try { globalThis.made = await createTarget(${JSON.stringify(options())}); writeSync(1, "made"); ${end} }
      catch (error) { writeSync(1, error.code); }`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString();
      });
      await once(child, "close");
      return said;
    }
  });
}

describe("the lock of an unfinished file", () => {
  it("is no lock of ranges where a server would hold it against the writers", () => {
    const [ext4, nfs, cifs, smb2] = [0xef53, 0x6969, 0xff534d42, 0xfe534d42];
    assert.deepEqual([locksRanges(ext4, "raw"), locksRanges(ext4, "qcow2")], [false, false]);
    assert.deepEqual([locksRanges(nfs, "raw"), locksRanges(nfs, "qcow2")], [false, true]);
    // as a signed number, too
    for (const type of [cifs, smb2, cifs | 0]) assert.ok(locksRanges(type, "raw") && locksRanges(type, "qcow2"));
  });
});

async function writeData(target: RestoreTarget): Promise<void> {
  const writer = await openBlockWriter(target.location);
  await writer.write(data, 0).finally(() => writer.close());
}

async function refused(work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isOurError(error, "TARGET_IN_USE"), String(error));
    return true;
  });
}
