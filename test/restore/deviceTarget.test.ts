import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isOurError } from "../../core/errors.js";
import { createTarget, openBlockWriter } from "../../core/restore/openTarget.js";
import { attachLoop, detachLoop, mount, unmount } from "../support/loopDevice.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const sizeBytes = 8 * 1024 * 1024;

describe("block device as restore target", () => {
  let folder: TemporaryFolder;
  let file: string;
  let device: string;

  beforeEach(async function () {
    folder = await makeTemporaryFolder("device");
    file = join(folder.path, "disk");
    await writeFile(file, noise(1, sizeBytes));
    const attached = attachLoop(file);
    if (attached === undefined) return this.skip();
    device = attached;
  });
  afterEach(async () => {
    if (device !== undefined) detachLoop(device);
    await folder.remove();
  });

  const options = { format: "raw", sizeBytes: 5_000_000, resumeKey: "0123456789abcdef" } as const;

  async function rejectsWith(work: Promise<unknown>, code: string): Promise<void> {
    await assert.rejects(work, (error) => {
      assert.ok(isOurError(error, code), String(error));
      return true;
    });
  }

  it("is overwritten in place, zeros included, and no further than the image", async () => {
    const path = join(folder.path, "link-to-device");
    await symlink(device, path);
    const target = await createTarget({ ...options, path, force: true });
    assert.deepEqual([target.resumed, target.startsZeroed], [false, false]);
    const writer = await openBlockWriter(target.location);
    await writer.write(noise(2, 1_000_000), 0);
    await writer.zero(1_000_000, 4_000_000);
    await writer.close();
    await target.publish();
    const expected = noise(1, sizeBytes);
    expected.set(noise(2, 1_000_000));
    expected.fill(0, 1_000_000, 5_000_000);
    detachLoop(device);
    assert.ok(Buffer.compare(expected, await readFile(file)) === 0);
  });

  it("is refused without force, when too small, and for qcow2", async () => {
    await rejectsWith(createTarget({ ...options, path: device, force: false }), "TARGET_EXISTS");
    await rejectsWith(
      createTarget({ ...options, path: device, force: true, sizeBytes: sizeBytes + 1 }),
      "TARGET_TOO_SMALL",
    );
    await rejectsWith(createTarget({ ...options, path: device, force: true, format: "qcow2" }), "TARGET_UNSUPPORTED");
  });

  it("is refused while mounted", async function () {
    const place = join(folder.path, "mounted");
    await mkdir(place);
    execFileSync("mkfs.ext4", ["-q", "-F", device]);
    if (!mount(device, place)) return this.skip();
    try {
      await assert.rejects(createTarget({ ...options, path: device, force: true }), (error) => {
        return isOurError(error, "TARGET_IN_USE") && String(error.data.user).includes(place);
      });
    } finally {
      unmount(place);
    }
    const target = await createTarget({ ...options, path: device, force: true });
    await target.discard({ keep: false });
  });

  it("cannot be mounted while it is written", async () => {
    const place = join(folder.path, "mounted");
    await mkdir(place);
    execFileSync("mkfs.ext4", ["-q", "-F", device]);
    const target = await createTarget({ ...options, path: device, force: true });
    try {
      assert.equal(mount(device, place), false);
    } finally {
      unmount(place);
      await target.discard({ keep: false });
    }
  });

  it("of a second restore is refused", async () => {
    const target = await createTarget({ ...options, path: device, force: true });
    await rejectsWith(createTarget({ ...options, path: device, force: true }), "TARGET_IN_USE");
    await target.discard({ keep: true });
  });

  it("is refused when read-only", async () => {
    detachLoop(device);
    await truncate(file, sizeBytes);
    device = execFileSync("losetup", ["-r", "-f", "--show", file], { encoding: "utf8" }).trim();
    await rejectsWith(createTarget({ ...options, path: device, force: true }), "TARGET_READ_ONLY");
  });
});
