// What makes a release: the commit with the bundle and its tags, in a repository of its own.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("pushing the tags of a release", () => {
  let folder: TemporaryFolder;
  let work: string;
  const git = (...args: string[]) => execFileSync("git", args, { cwd: work, encoding: "utf8" }).trim();
  const push = (version: string) =>
    execFileSync(inProject("scripts", "pushActionTag.sh"), [version, join(folder.path, "bundle")], {
      cwd: work,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();

  before(async () => {
    folder = await makeTemporaryFolder("release");
    work = join(folder.path, "work");
    await mkdir(join(folder.path, "bundle"));
    await mkdir(work);
    for (const name of ["index.mjs", "worker.mjs"]) await writeFile(join(folder.path, "bundle", name), `// ${name}\n`);
    execFileSync("git", ["init", "-q", "--bare", join(folder.path, "origin.git")]);
    git("init", "-q", "-b", "main");
    git("config", "user.email", "somebody@example.invalid");
    git("config", "user.name", "somebody");
    git("remote", "add", "origin", join(folder.path, "origin.git"));
    await writeFile(join(work, ".gitignore"), "dist/\n");
    await writeFile(join(work, "action.yml"), "name: x\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    git("tag", "v1.2.3");
    git("push", "-q", "origin", "main", "v1.2.3");
  });
  after(() => folder.remove());

  it("makes a commit that holds the release and its bundle, on no branch", () => {
    const commit = push("v1.2.3");
    assert.equal(git("rev-parse", `${commit}^`), git("rev-parse", "main"));
    assert.deepEqual(git("ls-tree", "-r", "--name-only", commit).split("\n"), [
      ".gitignore",
      "action.yml",
      "dist/action/index.mjs",
      "dist/action/worker.mjs",
    ]);
    assert.equal(git("ls-remote", "origin", "refs/tags/v1").split("\t")[0], commit);
    assert.equal(git("ls-remote", "origin", "refs/tags/v1.2.3-action").split("\t")[0], commit);
    assert.equal(git("status", "--porcelain"), "", "work tree and index stay as they were");
    assert.equal(git("ls-remote", "--heads", "origin").split("\n").length, 1);
  });

  it("makes the same commit again from the same bundle", () => {
    assert.equal(push("v1.2.3"), push("v1.2.3"));
  });

  it("moves the tag of the major version to the next release", async () => {
    await writeFile(join(work, "action.yml"), "name: y\n");
    git("commit", "-q", "-a", "-m", "second");
    git("tag", "v1.3.0");
    const commit = push("v1.3.0");
    assert.equal(git("ls-remote", "origin", "refs/tags/v1").split("\t")[0], commit);
    assert.notEqual(git("ls-remote", "origin", "refs/tags/v1.2.3-action").split("\t")[0], commit);
  });

  it("refuses what is no version", () => {
    for (const version of ["main", "1.2.3", "v1", "v01.2.3", "--upload-pack=x"]) assert.throws(() => push(version));
  });
});

describe("the bundles", function () {
  this.timeout(120_000);

  it("are the same bytes wherever and whenever they are built", () => {
    const script = inProject("scripts", "reproducible.mjs");
    const printed = execFileSync(process.execPath, [script, "--only=dist/action"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    assert.match(printed, /^[0-9a-f]{64} {2}dist\/action\/index\.mjs$/m);
    assert.match(printed, /^[0-9a-f]{64} {2}dist\/action\/worker\.mjs$/m);
  });
});
