import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { type ChangeOptions, type ChangeRange, changedFiles } from "../../core/git/changedFiles.js";
import { writeBlob, writeTree } from "../../core/git/gitCommits.js";
import { listTree, readFileAt } from "../../core/git/gitObjects.js";
import { openGitRepository } from "../../core/git/gitRepository.js";
import { assertCode } from "../support/assertCode.js";
import { GitSandbox, inScratch } from "../support/gitSandbox.js";

const ZEROS = "0".repeat(40);

async function changes(sandbox: GitSandbox, range: Partial<ChangeRange>, options: Partial<ChangeOptions> = {}) {
  const repository = await openGitRepository(sandbox.folder);
  const whole: ChangeRange = { compare: "merge-base", base: "main", head: "HEAD", ...range };
  return await changedFiles(repository, whole, { remote: null, ...options });
}

async function paths(sandbox: GitSandbox, range: Partial<ChangeRange>, options: Partial<ChangeOptions> = {}) {
  return (await changes(sandbox, range, options)).files.map(({ path }) => path);
}

describe("changed files of a pull request", () => {
  it("are those since the merge base, whatever happened on the base", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ "db/a.sql": "1", "app/b": "1", c: "1" });
      sandbox.git("checkout", "-q", "-b", "topic");
      await sandbox.commit({ "db/a.sql": "2", "new/d": "1" });
      await sandbox.commit({ c: null });
      sandbox.git("checkout", "-q", "main");
      await sandbox.commit({ "app/b": "2" });
      sandbox.git("checkout", "-q", "topic");
      const found = await changes(sandbox, {});
      assert.deepEqual(found.files, [
        { path: "c", change: "deleted", kind: "file" },
        { path: "db/a.sql", change: "modified", kind: "file" },
        { path: "new/d", change: "added", kind: "file" },
      ]);
      assert.equal(found.base, sandbox.head("main"));
      assert.deepEqual(found.comparedWith, [sandbox.head("main^")]);
      sandbox.git("merge", "-q", "--no-edit", "main");
      assert.deepEqual(await paths(sandbox, {}), ["c", "db/a.sql", "new/d"]);
      assert.deepEqual(await paths(sandbox, { base: "topic" }), []);
    }));

  it("count a rename and a copy with both names, and a change of mode", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ "db/old.sql": "x\n".repeat(50), "db/kept.sql": "y\n".repeat(50), run: "#!" });
      sandbox.git("config", "diff.renames", "copies");
      sandbox.git("checkout", "-q", "-b", "topic");
      sandbox.git("mv", "db/old.sql", "elsewhere.sql");
      await sandbox.commit({ "copy.sql": "y\n".repeat(50), "db/kept.sql": "y\n".repeat(51) });
      sandbox.git("update-index", "--chmod=+x", "run");
      sandbox.git("commit", "-q", "-m", "mode");
      assert.deepEqual(await paths(sandbox, {}), ["copy.sql", "db/kept.sql", "db/old.sql", "elsewhere.sql", "run"]);
    }));

  it("are all of those that any of several merge bases shows", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ base: "1" });
      sandbox.git("checkout", "-q", "-b", "topic");
      const onTopic = await sandbox.commit({ topic: "1" });
      sandbox.git("checkout", "-q", "main");
      const onMain = await sandbox.commit({ main: "1" });
      sandbox.git("merge", "-q", "--no-edit", onTopic);
      sandbox.git("checkout", "-q", "topic");
      sandbox.git("merge", "-q", "--no-edit", onMain);
      await sandbox.commit({ later: "1" });
      const found = await changes(sandbox, {});
      assert.equal(found.comparedWith.length, 2);
      assert.deepEqual(
        found.files.map(({ path }) => path),
        ["later", "main", "topic"],
      );
    }));

  it("are found through octopus merges, and unknown between unrelated histories", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ base: "1" });
      for (const name of ["one", "two", "three"]) {
        sandbox.git("checkout", "-q", "-b", name, "main");
        await sandbox.commit({ [name]: "1" });
      }
      sandbox.git("checkout", "-q", "-b", "topic", "main");
      sandbox.git("merge", "-q", "-m", "octopus", "one", "two", "three");
      assert.deepEqual(await paths(sandbox, {}), ["one", "three", "two"]);
      sandbox.git("checkout", "-q", "--orphan", "orphan");
      await sandbox.commit({ alone: "1" });
      await assertCode(changes(sandbox, {}), "CHANGES_UNKNOWN");
      await assertCode(changes(sandbox, { base: "gone" }), "CHANGES_UNKNOWN");
      await assertCode(changes(sandbox, { base: null }), "CHANGES_UNKNOWN");
      await assertCode(changes(sandbox, { head: "--output=x" }), "GIT_NAME_INVALID");
    }));

  it("keep hostile names apart, and say what is a link or a submodule", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      const first = await sandbox.commit({ ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\tignore = all\n' });
      sandbox.git("checkout", "-q", "-b", "topic");
      const names = [
        "with space",
        "new\nline",
        "::set-output name=x::y",
        'quote"d',
        "-dash",
        "tab\tx",
        "ü\u202e",
        ":(top)x",
      ];
      await symlink("/etc", join(folder, "link"));
      await sandbox.commit(Object.fromEntries(names.map((name) => [name, "1"])));
      const blob = sandbox.gitWithInput("x", "hash-object", "-w", "--stdin");
      const raw = Buffer.concat([Buffer.from(`100644 ${blob}\tdb/`), Buffer.of(0xff, 0xfe, 0)]);
      sandbox.gitWithInput(raw, "update-index", "-z", "--index-info");
      sandbox.git("update-index", "--add", "--cacheinfo", `160000,${first},sub`);
      sandbox.git("commit", "-q", "-m", "odd");
      const { files } = await changes(sandbox, {});
      const expected = [...names, "db/\udcff\udcfe", "link", "sub"].sort((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(
        files.map(({ path }) => path),
        expected,
      );
      const kinds = new Map(files.map(({ path, kind }) => [path, kind]));
      assert.equal(kinds.get("link"), "link");
      assert.equal(kinds.get("sub"), "submodule");
      sandbox.git("update-index", "--cacheinfo", `160000,${sandbox.head()},sub`);
      sandbox.git("commit", "-q", "-m", "submodule moves");
      assert.deepEqual(await paths(sandbox, { base: "HEAD^" }), ["sub"]);
    }));

  it("may be ten thousand", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ first: "1" });
      sandbox.git("checkout", "-q", "-b", "topic");
      const blob = sandbox.gitWithInput("x", "hash-object", "-w", "--stdin");
      const name = (number: number) => `folder-${number % 100}/file number ${number}.txt`;
      const lines = Array.from({ length: 12_000 }, (_, number) => `100644 ${blob}\t${name(number)}\n`);
      sandbox.gitWithInput(lines.join(""), "update-index", "--index-info");
      sandbox.git("commit", "-q", "-m", "many");
      assert.equal((await paths(sandbox, {})).length, 12_000);
    }));

  it("are compared with a branch, not with a tag of its name", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ a: "1" });
      sandbox.git("checkout", "-q", "-b", "topic");
      await sandbox.commit({ "db/x": "1" });
      sandbox.git("tag", "main");
      assert.deepEqual(await paths(sandbox, {}), ["db/x"]);
      sandbox.git("update-ref", "refs/remotes/origin/base", "main^{commit}~1");
      sandbox.git("tag", "base");
      assert.deepEqual(await paths(sandbox, { base: "base" }, { remote: "origin" }), ["db/x"]);
      assert.deepEqual(await paths(sandbox, { base: "origin/base" }), ["db/x"]);
    }));

  it("are not bent by replaced commits", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      const base = await sandbox.commit({ a: "1" });
      sandbox.git("checkout", "-q", "-b", "topic");
      const head = await sandbox.commit({ "db/x": "1" });
      sandbox.git("replace", head, base);
      assert.deepEqual(await paths(sandbox, { head }), ["db/x"]);
    }));
});

describe("changed files of a push", () => {
  it("are those between before and after, also when history was rewritten", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      const first = await sandbox.commit({ a: "1", b: "1" });
      const before = await sandbox.commit({ a: "2" });
      sandbox.git("reset", "-q", "--hard", first);
      await sandbox.commit({ b: "2" });
      assert.deepEqual(await paths(sandbox, { compare: "direct", base: before }), ["a", "b"]);
      const gone = "1".repeat(40);
      await assertCode(changes(sandbox, { compare: "direct", base: gone }), "CHANGES_UNKNOWN");
    }));

  it("of a new branch are those since the default branch, or all", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ a: "1" });
      sandbox.git("checkout", "-q", "-b", "topic");
      await sandbox.commit({ b: "1" });
      const range = { compare: "direct", base: ZEROS } as const;
      assert.deepEqual(await paths(sandbox, range), ["a", "b"]);
      assert.deepEqual(await paths(sandbox, range, { defaultBranch: "main" }), ["b"]);
      assert.deepEqual(await paths(sandbox, { ...range, head: "main" }), ["a"]);
    }));

  it("of a tag are those since the tag that is named", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ a: "1" });
      sandbox.git("tag", "v1");
      await sandbox.commit({ b: "1" });
      await sandbox.commit({ c: "1" });
      sandbox.git("tag", "-a", "-m", "two", "v2");
      assert.deepEqual(await paths(sandbox, { base: "v1", head: "v2" }), ["b", "c"]);
    }));
});

describe("changed files in a shallow clone", () => {
  /** main and topic part after `common` commits and have `own` each. */
  async function parted(folder: string, common: number, own: number): Promise<GitSandbox> {
    const origin = GitSandbox.init(folder);
    await origin.commit({ start: "1" });
    const grow = (branch: string, count: number, file: string) => {
      const tip = origin.head();
      const lines = [`reset refs/heads/${branch}\nfrom ${tip}\n`];
      for (let number = 0; number < count; number++) {
        lines.push(`commit refs/heads/${branch}\ncommitter A <a@b> ${1_700_000_000 + number} +0000\ndata 1\nx\n`);
        lines.push(`M 100644 inline ${file}\ndata ${String(number).length}\n${number}\n`);
      }
      origin.gitWithInput(lines.join(""), "fast-import", "--quiet", "--force");
    };
    grow("main", common, "common");
    origin.git("reset", "-q", "--hard", "main");
    grow("topic", own, "topic-file");
    grow("main", own, "main-file");
    return origin;
  }

  it("are found by fetching as much history as it takes", () =>
    inScratch(async (folder) => {
      const origin = await parted(join(folder, "origin"), 400, 100);
      const shallow = GitSandbox.clone(`file://${origin.folder}`, join(folder, "clone"), "--depth=1", "--branch=topic");
      const found = await changes(shallow, { base: origin.head("main") }, { remote: "origin" });
      assert.deepEqual(
        found.files.map(({ path }) => path),
        ["topic-file"],
      );
      assert.equal(shallow.git("rev-parse", "--is-shallow-repository"), "true");
      assert.equal(shallow.git("branch", "-a").includes("main"), false);
      const other = GitSandbox.clone(`file://${origin.folder}`, join(folder, "other"), "--depth=1", "--branch=topic");
      assert.deepEqual(await paths(other, { base: "main" }, { remote: "origin" }), ["topic-file"]);
    }));

  it("are unknown when the history cannot be fetched, or has nothing in common", () =>
    inScratch(async (folder) => {
      const origin = await parted(join(folder, "origin"), 10, 10);
      const clone = (name: string) =>
        GitSandbox.clone(`file://${origin.folder}`, join(folder, name), "--depth=2", "--no-single-branch");
      const base = origin.head("topic");
      await assertCode(changes(clone("a"), { base }), "CHANGES_UNKNOWN");
      const b = clone("b");
      b.git("remote", "set-url", "origin", join(folder, "gone"));
      await assertCode(changes(b, { base }, { remote: "origin" }), "CHANGES_UNKNOWN");
      await assertCode(changes(b, { base: "2".repeat(40) }, { remote: "origin" }), "CHANGES_UNKNOWN");
      origin.git("checkout", "-q", "--orphan", "orphan");
      const alone = await origin.commit({ alone: "1" });
      await assertCode(changes(clone("c"), { base, head: alone }, { remote: "origin" }), "CHANGES_UNKNOWN");
    }));

  it("are compared with the best common ancestor, not with an older one that happens to be here", () =>
    inScratch(async (folder) => {
      // main:  o - a(file=2) - b      topic: starts at a, sets file back to 1; a second way from o to both tips is short
      const origin = GitSandbox.init(join(folder, "origin"));
      const old = await origin.commit({ file: "1" });
      await origin.commit({ file: "2" });
      for (let number = 0; number < 5; number++) await origin.commit({ padding: String(number) });
      const best = origin.head();
      for (let number = 0; number < 6; number++) await origin.commit({ main: String(number) });
      const side = (branch: string, from: string) => {
        origin.git("checkout", "-q", "-B", branch, from);
        origin.git("merge", "-q", "--no-ff", "-s", "ours", "-m", "short way", `short-${branch}`);
      };
      for (const name of ["short-base", "short-topic"]) {
        origin.git("checkout", "-q", "-b", name, old);
        await origin.commit({ [name]: "1" });
      }
      side("base", "main");
      side("topic", best);
      await origin.commit({ file: "1" });
      const shallow = GitSandbox.clone(`file://${origin.folder}`, join(folder, "c"), "--depth=4", "--no-single-branch");
      const bases = shallow.git("merge-base", "--all", "origin/base", "origin/topic");
      assert.equal(bases, old, "the trap is set");
      const found = await changes(shallow, { base: "origin/base", head: "origin/topic" }, { remote: "origin" });
      assert.deepEqual(found.comparedWith, [best]);
      assert.ok(found.files.some(({ path }) => path === "file"));
    }));
});

describe("changed files in other clones", () => {
  it("need no contents of files: those that are not here stay away", () =>
    inScratch(async (folder) => {
      const origin = GitSandbox.init(join(folder, "origin"));
      origin.git("config", "uploadpack.allowFilter", "true");
      await origin.commit({ "db/a": "1", policy: "the policy", other: "x" });
      await origin.commit({ "db/a": "2", moved: "1" });
      const from = `file://${origin.folder}`;
      const clone = GitSandbox.clone(from, join(folder, "clone"), "--filter=blob:none", "--no-checkout");
      const missing = () => clone.git("rev-list", "--objects", "--all", "--missing=print").match(/^\?/gm)?.length ?? 0;
      const before = missing();
      assert.ok(before >= 4);
      assert.deepEqual(await paths(clone, { compare: "direct", base: "HEAD^" }), ["db/a", "moved"]);
      const repository = await openGitRepository(clone.folder);
      await listTree(repository, clone.head(), { withSizes: false });
      assert.equal(missing(), before);
      const policy = await readFileAt(repository, clone.head(), "policy", { maxBytes: 100 });
      assert.equal(new TextDecoder().decode(policy ?? undefined), "the policy");
      assert.equal(missing(), before - 1);
    }));

  it("are found in repositories with SHA-256, and in bare ones", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(join(folder, "work"), "--object-format=sha256");
      await sandbox.commit({ a: "1" });
      await sandbox.commit({ b: "1" });
      assert.deepEqual(await paths(sandbox, { base: "HEAD^" }), ["b"]);
      assert.deepEqual(await paths(sandbox, { compare: "direct", base: "0".repeat(64) }), ["a", "b"]);
      const repository = await openGitRepository(sandbox.folder);
      const blob = await writeBlob(repository, new Uint8Array());
      const tree = await writeTree(repository, sandbox.head(), [
        { path: "a", blob: null },
        { path: "c", blob },
      ]);
      assert.deepEqual(
        (await listTree(repository, tree)).map(({ path }) => path),
        ["b", "c"],
      );
      const bare = GitSandbox.clone(sandbox.folder, join(folder, "bare"), "--bare");
      assert.deepEqual(await paths(bare, { base: "HEAD^" }), ["b"]);
    }));
});
