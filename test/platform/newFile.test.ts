import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimName } from "../../core/platform/claimName.js";
import { makeNewFile, writeNewFile } from "../../core/platform/newFile.js";
import { attachLoop, detachLoop, mount, unmount } from "../support/loopDevice.js";

const BYTES = new TextEncoder().encode("an archive");

/** What has to be so in every folder. */
function itKeepsNames(folder: () => string): void {
  const names = () => readdir(folder());
  const text = (name: string) => readFile(join(folder(), name), "utf8");

  it("appears whole under its name", async () => {
    await writeNewFile(join(folder(), "new.zip"), BYTES, false);
    assert.deepEqual([await names(), await text("new.zip")], [["new.zip"], "an archive"]);
  });

  it("does not replace what has come meanwhile, unless it may", async () => {
    const path = join(folder(), "new.zip");
    const fill = async () => await writeFile(path, "somebody else's");
    await assert.rejects(makeNewFile(path, false, fill), { code: "TARGET_EXISTS" });
    assert.deepEqual([await names(), await text("new.zip")], [["new.zip"], "somebody else's"]);
    await writeNewFile(path, BYTES, true);
    assert.deepEqual([await names(), await text("new.zip")], [["new.zip"], "an archive"]);
  });

  it("leaves nothing when it could not be filled", async () => {
    const fill = () => Promise.reject(new RangeError("no more"));
    await assert.rejects(makeNewFile(join(folder(), "new.zip"), false, fill), { message: "no more" });
    assert.deepEqual(await names(), []);
  });

  it("claims a name for one of many", async () => {
    const all = Array.from({ length: 20 }, (_, i) => `part${i}`);
    for (const name of all) await writeFile(join(folder(), name), name);
    const claims = all.map((name) => claimName(join(folder(), name), join(folder(), "name")));
    const done = (await Promise.allSettled(claims)).flatMap((claim, i) => {
      if (claim.status === "rejected") assert.equal(claim.reason.code, "EEXIST");
      return claim.status === "fulfilled" ? [`part${i}`] : [];
    });
    assert.equal(done.length, 1);
    assert.equal(await text("name"), done[0]);
    assert.deepEqual((await names()).sort(), [...all.filter((name) => name !== done[0]), "name"].sort());
  });
}

describe("a new file", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "reprise-new-file-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  itKeepsNames(() => folder);

  describe("on exFAT, which has no hard links", () => {
    let mounted: string;
    let device: string | undefined;

    beforeEach(async function () {
      const image = join(folder, "image");
      mounted = join(folder, "mounted");
      await mkdir(mounted);
      await writeFile(image, "");
      await truncate(image, 8 * 1024 * 1024);
      execFileSync("mkfs.exfat", [image], { stdio: "ignore" });
      device = attachLoop(image);
      if (device === undefined || !mount("-t", "exfat-fuse", device, mounted)) this.skip();
    });
    afterEach(() => {
      unmount(mounted);
      if (device !== undefined) detachLoop(device);
    });

    itKeepsNames(() => mounted);
  });
});
