import assert from "node:assert/strict";
import { lstat, mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { listFiles } from "../../core/files/listFiles.js";
import { formatTreePath, parseTreePath } from "../../core/files/treePath.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { makeHostileDisk } from "./hostileDisk.js";
import { type ImageTree, openImages, restorePath } from "./imageTree.js";

const isRoot = process.getuid?.() === 0;

describe("restoring files of a hostile disk", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let disks: ImageTree;
  const at = (...names: string[]) => join(folder.path, ...names);

  before(async () => {
    folder = await makeTemporaryFolder("hostile-files");
    await mkdir(at("outside"));
    await makeHostileDisk(folder.path, at("disk.img"), at("outside"));
    disks = await openImages({ sda: at("disk.img") });
  });
  after(async () => {
    await disks.close();
    await folder.remove();
  });

  it("shows entries with forbidden names, escaped, beside the others, and finds none of them", async () => {
    const names: string[] = [];
    const node = await disks.tree.resolve(parseTreePath("/d"));
    for await (const { path, forbidden } of listFiles(disks.tree, node)) {
      const name = formatTreePath(path.slice(-1));
      names.push(forbidden ? `forbidden ${name}` : name);
    }
    assert.ok(names.includes("forbidden /../escape"), names.join(" "));
    assert.ok(names.includes("forbidden /nul\\x00name"));
    assert.ok(names.includes("/good"));
    assert.ok(names.includes("/control\\x1b[2J\\x0aname"));
    await assertCode(disks.tree.resolve(parseTreePath("/d/nul\\x00name")), "FILE_NOT_FOUND");
    const outward = [...parseTreePath("/d"), Buffer.from("../escape")];
    await assertCode(disks.tree.resolve(outward), "FILE_NOT_FOUND");
  });

  it("writes nothing outside the target", async () => {
    const report = await restorePath(disks.tree, "/", at("out"));
    assert.deepEqual(await readdir(at("outside")), []);
    assert.deepEqual((await readdir(folder.path)).sort(), ["disk.img", "out", "outside", "tree"]);
    const top = at("out", "sda", "fs");
    assert.deepEqual(
      (await readdir(join(top, "d"))).sort(),
      ["control\x1b[2J\nname", "good", "link", "passwd", "twin1"].sort(),
    );
    assert.equal(await readFile(join(top, "d", "good"), "utf8"), "good\n");
    assert.equal(await readFile(join(top, "d", "twin1"), "utf8"), "first\n");
    assert.equal(await readlink(join(top, "d", "passwd")), "/etc/passwd");
    const reasons = new Map(report.skippedFiles.map(({ path, reason }) => [path, reason]));
    assert.match(reasons.get("/sda/fs/d/../escape") ?? "", /no file can have/);
    assert.match(reasons.get("/sda/fs/zero") ?? "", /--devices/);
    assert.match(reasons.get("/sda/fs/pipe") ?? "", /--devices/);
    // of a link and a folder, or two files, with one name only one is restored
    assert.ok(reasons.has("/sda/fs/d/link"));
    assert.ok(reasons.has("/sda/fs/d/twin1"));
    assert.match(reasons.get("/sda/fs//absolute") ?? "", /no file can have/);
    // a folder inside itself
    assert.ok(reasons.has("/sda/fs/loop/again"));
    assert.equal(report.skipped, report.skippedFiles.length);
  });

  it("keeps setuid bits only with the owner", async () => {
    const report = await restorePath(disks.tree, "/setuid", at("out-setuid"), { owners: false });
    assert.equal((await lstat(at("out-setuid", "setuid"))).mode & 0o7777, 0o755);
    assert.ok(report.leftOut.some(({ what }) => what === "setuid bits"));
    if (!isRoot) return;
    await restorePath(disks.tree, "/setuid", at("out-owner"));
    assert.equal((await lstat(at("out-owner", "setuid"))).mode & 0o7777, 0o4755);
  });

  it("makes devices for root alone, when asked", async function () {
    if (!isRoot) return this.skip();
    const report = await restorePath(disks.tree, "/sda/fs", at("out-devices"), { devices: true });
    if (report.skippedFiles.some(({ path }) => path.endsWith("/zero"))) return this.skip();
    const zero = await lstat(at("out-devices", "fs", "zero"));
    assert.ok(zero.isCharacterDevice());
    assert.equal(zero.rdev, (1 << 8) | 5);
    assert.ok((await lstat(at("out-devices", "fs", "pipe"))).isFIFO());
  });

  it("writes nothing outside when it replaces what an earlier restore has made", async () => {
    for (const existing of ["replace", "replace", "keep"] as const)
      await restorePath(disks.tree, "/d", at("again"), { existing });
    assert.deepEqual(await readdir(at("outside")), []);
    assert.ok((await readdir(at("again", "d"))).every((name) => !name.includes(".tmp")));
  });
});
