import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { type ImageTree, openImages, restorePath } from "./imageTree.js";
import { machineDisks, SPARSE_BYTES, TEXTS } from "./machineDisk.js";

describe("restoring files", function () {
  this.timeout(60_000);
  let disks: ImageTree;
  let folder: TemporaryFolder;
  const at = (...names: string[]) => join(folder.path, ...names);

  before(async () => {
    const [first] = await machineDisks();
    disks = await openImages({ sda: first });
  });
  after(() => disks.close());
  beforeEach(async () => {
    folder = await makeTemporaryFolder("restore-files");
  });
  afterEach(() => folder.remove());

  it("brings back a folder with contents, modes, times, links and holes", async () => {
    const report = await restorePath(disks.tree, "/sda/p2", at("out"));
    assert.deepEqual(report.skippedFiles, []);
    assert.deepEqual(report.leftOut, []);
    const top = at("out", "p2");
    for (const [path, text] of Object.entries(TEXTS)) assert.equal(await readFile(join(top, path), "utf8"), text, path);
    assert.equal(await readlink(join(top, "web")), "/etc/nginx");
    assert.equal(await readlink(join(top, "etc/nginx/current")), "../nginx/sites/default");
    assert.equal(await readlink(join(top, "broken")), "/nowhere/at/all");
    const hostname = await lstat(join(top, "etc/hostname"), { bigint: true });
    assert.equal(hostname.mtimeMs, BigInt(Date.parse("2026-01-02T03:04:05Z")));
    assert.equal(hostname.mode & 0o7777n, 0o644n);
    const sparse = await stat(join(top, "var/lib/sparse.bin"));
    assert.equal(sparse.size, SPARSE_BYTES);
    assert.ok(sparse.blocks * 512 < 100_000, `${sparse.blocks} blocks`);
    const [one, other] = [await stat(join(top, "var/lib/data.bin")), await stat(join(top, "var/lib/same.bin"))];
    assert.equal(one.ino, other.ino);
    assert.equal(report.hardLinks, 1);
    const odd = await readdir(Buffer.from(join(top, "home/old")), { encoding: "buffer" });
    assert.ok(odd.some((name) => name.equals(Buffer.from("bad-\xff\x01", "latin1"))));
  });

  it("brings back extended attributes", async function () {
    const report = await restorePath(disks.tree, "/etc/nginx/nginx.conf", at("out"));
    const left = report.leftOut.find(({ what }) => what.includes("attributes"));
    if (left !== undefined) return this.skip();
    const shown = execFileSync("getfattr", ["--only-values", "-n", "user.origin", at("out", "nginx.conf")]);
    assert.equal(shown.toString(), "web1");
    assert.equal((await stat(at("out", "nginx.conf"))).mode & 0o777, 0o644);
  });

  it("restores a file and a followed link under the name that was asked for", async () => {
    await restorePath(disks.tree, "/etc/hostname", at("out"));
    assert.equal(await readFile(at("out", "hostname"), "utf8"), "web1\n");
    await restorePath(disks.tree, "/web", at("out"));
    assert.equal(await readFile(at("out", "web", "nginx.conf"), "utf8"), TEXTS["etc/nginx/nginx.conf"]);
  });

  it("restores the whole machine by disks and volumes", async () => {
    const report = await restorePath(disks.tree, "/", at("out"));
    assert.equal(report.skipped, 0);
    assert.equal(await readFile(at("out", "sda", "p1", "EFI", "grub.cfg"), "utf8"), "set default=0\n");
    assert.equal(await readFile(at("out", "sda", "p2", "etc", "hostname"), "utf8"), "web1\n");
  });

  it("writes nothing in a dry run, and counts the same", async () => {
    const dry = await restorePath(disks.tree, "/sda/p2", at("out"), { dryRun: true });
    assert.deepEqual(await readdir(folder.path), []);
    const real = await restorePath(disks.tree, "/sda/p2", at("out"));
    assert.equal(dry.files, real.files + real.hardLinks);
    assert.equal(dry.folders, real.folders);
    assert.equal(dry.links, real.links);
  });

  it("refuses what is there, replaces it, or leaves it", async () => {
    await restorePath(disks.tree, "/etc/nginx", at("out"));
    const conf = at("out", "nginx", "nginx.conf");
    await writeFile(conf, "mine\n");
    await assertCode(restorePath(disks.tree, "/etc/nginx", at("out")), "TARGET_EXISTS");
    const kept = await restorePath(disks.tree, "/etc/nginx", at("out"), { existing: "keep" });
    assert.equal(await readFile(conf, "utf8"), "mine\n");
    assert.ok(kept.kept >= 3);
    assert.equal(kept.skipped, 0);
    await restorePath(disks.tree, "/etc/nginx", at("out"), { existing: "replace" });
    assert.equal(await readFile(conf, "utf8"), TEXTS["etc/nginx/nginx.conf"]);
    assert.equal(await readlink(at("out", "nginx", "current")), "../nginx/sites/default");
  });

  it("never writes through a link that is there", async () => {
    await mkdir(at("outside"));
    await mkdir(at("out"));
    await symlink(at("outside"), at("out", "nginx"));
    const report = await restorePath(disks.tree, "/etc/nginx", at("out"), { existing: "replace" });
    assert.equal(report.skipped, 1);
    assert.deepEqual(await readdir(at("outside")), []);
    // a link in place of a file is replaced itself
    await writeFile(at("outside", "victim"), "untouched");
    await symlink(at("outside", "victim"), at("out", "hostname"));
    await restorePath(disks.tree, "/etc/hostname", at("out"), { existing: "replace" });
    assert.equal(await readFile(at("outside", "victim"), "utf8"), "untouched");
    assert.equal(await readFile(at("out", "hostname"), "utf8"), "web1\n");
  });

  it("asks for the parent of the target, and for a folder", async () => {
    await assertCode(restorePath(disks.tree, "/etc/hostname", at("no", "such")), "TARGET_WRITE_FAILED");
    await writeFile(at("file"), "");
    await assertCode(restorePath(disks.tree, "/etc/hostname", at("file")), "TARGET_UNSUPPORTED");
  });

  it("leaves no half file when it is cancelled", async () => {
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(restorePath(disks.tree, "/var/lib", at("out"), {}, stop.signal), { name: "AbortError" });
    const left = await readdir(folder.path, { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.includes(".tmp") || name.endsWith(".bin")),
      [],
    );
  });

  it("gives files to nobody without owners", async () => {
    await restorePath(disks.tree, "/etc/hostname", at("out"), { owners: false });
    assert.equal((await stat(at("out", "hostname"))).uid, process.getuid?.());
  });
});
