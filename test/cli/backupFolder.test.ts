import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeFolder } from "../support/sampleTree.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { settle } from "../support/treeRepository.js";
import { cli, cliJson, cliText } from "./runInProcess.js";

interface BackupDocument {
  bytesRead: number;
  archives: { name: string; kind: string; sizeBytes: number }[];
  trees: { name: string; files: number; filesUnchanged: number; excluded: number }[];
}

describe("backup --dir", function () {
  this.timeout(60_000);
  this.slow(10_000);
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  let www: string;

  before(async () => {
    folder = await makeTemporaryFolder("cli-tree");
    www = join(folder.path, "www");
    env = { REPRISE_REPOSITORY: join(folder.path, "repository") };
    mkdirSync(join(www, "sub"), { recursive: true });
    mkdirSync(join(folder.path, "etc"));
    writeFileSync(join(www, "index.html"), "<p>hello</p>\n");
    writeFileSync(join(www, "sub", "x.tmp"), "x");
    writeFileSync(join(folder.path, "etc", "hostname"), "web1\n");
    writeFileSync(join(folder.path, "disk.img"), Buffer.alloc(300_000, 7));
    await cliText(["init", "--no-encryption"], { env });
    await settle();
  });
  after(() => folder.remove());

  const backUp = (...more: string[]) =>
    cliJson<BackupDocument>(
      ["backup", join(folder.path, "disk.img"), "--dir", www, "--dir", join(folder.path, "etc"), ...more].concat(
        "--group",
        "host/web1",
      ),
      { env },
    );

  it("stores folders beside disks, and reads them once", async () => {
    const rules = join(folder.path, "rules");
    writeFileSync(rules, "# rules\n*.tmp\n");
    const first = await backUp("--exclude-file", rules);
    assert.deepEqual(
      first.archives.map(({ name, kind }) => `${name} ${kind}`),
      ["disk image", "www tree", "etc tree"],
    );
    assert.deepEqual(first.trees[0], {
      name: "www",
      files: 1,
      folders: 2,
      filesUnchanged: 0,
      excluded: 1,
      unreadable: 0,
    });
    const second = await backUp("--exclude", "*.tmp");
    assert.deepEqual(
      second.trees.map(({ files, filesUnchanged }) => [files, filesUnchanged]),
      [
        [1, 1],
        [1, 1],
      ],
    );
    assert.equal(second.bytesRead, 300_000);
  });

  it("shows them to the same verbs", async () => {
    assert.equal(await cliText(["cat", "host/web1@latest:/hostname"], { env }), "web1\n");
    assert.match(await cliText(["ls", "host/web1@latest:/www/fs"], { env }), /index\.html/);
    const to = join(folder.path, "restored");
    await cliText(["restore", "host/web1@latest:/etc/fs/", "--to", to], { env });
    assert.equal(readFileSync(join(to, "fs", "hostname"), "utf8"), "web1\n");
    assert.deepEqual(
      describeFolder(join(to, "fs"), { times: false }).slice(1),
      describeFolder(join(folder.path, "etc"), { times: false }).slice(1),
    );
    assert.match(await cliText(["show", "host/web1@latest"], { env }), /www +folder/);
  });

  it("tells versions and differences by chunks", async () => {
    appendFileSync(join(folder.path, "etc", "hostname"), "x\n");
    await settle();
    await backUp();
    const history = await cliText(["history", "host/web1:/etc/fs/hostname"], { env });
    assert.equal(history.match(/\b[57] B/g)?.length, 2, history);
    const same = await cliText(["history", "host/web1:/www/fs/index.html"], { env });
    assert.equal(same.match(/\b13 B/g)?.length, 1, same);
    const changes = await cliText(["diff", "host/web1~1", "host/web1@latest"], { env });
    assert.match(changes, /hostname/);
    assert.doesNotMatch(changes, /index\.html/);
  });

  it("does not restore a folder as if it were a disk", async () => {
    const target = join(folder.path, "disks");
    const whole = await cliJson(["restore", "host/web1@latest", "--to", `${target}/`], { env });
    assert.deepEqual(whole.leftOut, ["www", "etc"]);
    const { code, stderr } = await cli(["restore", "host/web1@latest", "--disk", "www", "--to", target], { env });
    assert.deepEqual([code, /SNAPSHOT:/.test(stderr)], [64, true]);
  });

  it("refuses what is no folder, wrong rules, and rules without a folder", async () => {
    const group = ["--group", "host/web1"];
    const disk = join(folder.path, "disk.img");
    assert.match((await cli(["backup", "--dir", disk, ...group], { env })).stderr, /no folder/);
    assert.match((await cli(["backup", "--dir", `${www}/none`, ...group], { env })).stderr, /--dir/);
    assert.equal((await cli(["backup", "--dir", www, "--exclude", "/", ...group], { env })).code, 64);
    assert.equal((await cli(["backup", disk, "--exclude", "x", ...group], { env })).code, 64);
  });
});
