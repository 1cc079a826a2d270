import assert from "node:assert/strict";
import { chmod, chown, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { encodeText } from "../../core/format/bytes.js";
import { writeBlob, writeCommit, writeTree } from "../../core/git/gitCommits.js";
import { gitEnvironment } from "../../core/git/gitEnvironment.js";
import { listTree, readBlobs, readFileAt } from "../../core/git/gitObjects.js";
import { fetchBranch, pushCommit } from "../../core/git/gitRemote.js";
import { openGitRepository, resolveCommit } from "../../core/git/gitRepository.js";
import { pathFromBytes, pathToBytes } from "../../core/git/pathBytes.js";
import { assertCode } from "../support/assertCode.js";
import { GitSandbox, inScratch } from "../support/gitSandbox.js";

const MAX = { maxBytes: 1_000_000 };
const WHO = { name: "Reprise", email: "reprise@example.org", atMs: Date.UTC(2026, 10, 22) };

describe("git objects", () => {
  it("reads files at a commit, not those of the work tree", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      const first = await sandbox.commit({ "a b/ö\n::x": "one", "big.bin": "x".repeat(5000) });
      await writeFile(join(folder, "a b/ö\n::x"), "two");
      await symlink("big.bin", join(folder, "link"));
      const second = await sandbox.commit({});
      const repository = await openGitRepository(join(folder, "a b"));
      assert.equal(repository.folder, folder);
      const text = async (commit: string, path: string) => {
        const bytes = await readFileAt(repository, commit, path, MAX);
        return bytes && new TextDecoder().decode(bytes);
      };
      assert.equal(await text(first, "a b/ö\n::x"), "one");
      assert.equal(await text(second, "a b/ö\n::x"), "two");
      assert.equal(await text(first, "link"), null);
      assert.equal(await text(first, "*"), null);
      await assertCode(readFileAt(repository, second, "link", MAX), "GIT_FILE_UNREADABLE");
      await assertCode(readFileAt(repository, second, "a b", MAX), "GIT_FILE_UNREADABLE");
      await assertCode(readFileAt(repository, second, "big.bin", { maxBytes: 4999 }), "GIT_FILE_UNREADABLE");
      const paths = (await listTree(repository, second)).map(({ path, kind }) => [path, kind]);
      assert.deepEqual(paths, [
        ["a b/ö\n::x", "file"],
        ["big.bin", "file"],
        ["link", "link"],
      ]);
      assert.equal(await resolveCommit(repository, "main"), second);
      assert.equal(await resolveCommit(repository, "no-such-branch"), null);
      assert.equal(await resolveCommit(repository, "main:link"), null);
      await assertCode(resolveCommit(repository, "--all"), "GIT_NAME_INVALID");
    }));

  it("says what is wrong with a folder", () =>
    inScratch(async (folder) => {
      await assertCode(openGitRepository(folder), "GIT_REPOSITORY_MISSING");
      await assertCode(openGitRepository(join(folder, "gone")), "GIT_REPOSITORY_MISSING");
      const before = process.env.PATH;
      process.env.PATH = folder;
      try {
        await assertCode(openGitRepository(folder), "GIT_MISSING");
      } finally {
        process.env.PATH = before;
      }
    }));

  it("runs no program that a repository's configuration names", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(join(folder, "repository"));
      await sandbox.commit({ ".gitattributes": "* diff=evil filter=evil\n", file: "1" });
      const witness = join(folder, "witness");
      const evil = join(folder, "evil.sh");
      await writeFile(evil, `#!/bin/sh\ntouch '${witness}'\n`);
      await chmod(evil, 0o755);
      await mkdir(join(sandbox.folder, ".git/hooks"), { recursive: true });
      for (const hook of ["reference-transaction", "post-index-change", "pre-push", "pre-auto-gc"]) {
        await writeFile(join(sandbox.folder, ".git/hooks", hook), `#!/bin/sh\ntouch '${witness}'\n`, { mode: 0o755 });
      }
      for (const name of ["core.fsmonitor", "core.pager", "diff.external", "diff.evil.command", "diff.evil.textconv"])
        sandbox.git("config", name, evil);
      for (const name of ["filter.evil.clean", "filter.evil.smudge", "pager.rev-parse", "pager.ls-tree", "gpg.program"])
        sandbox.git("config", name, evil);
      sandbox.git("config", "push.gpgSign", "true");
      sandbox.git("config", "commit.gpgSign", "true");
      GitSandbox.init(join(folder, "remote"), "--bare");
      const repository = await openGitRepository(sandbox.folder);
      const commit = await resolveCommit(repository, "HEAD");
      await readFileAt(repository, commit ?? "", "file", MAX);
      const blob = await writeBlob(repository, encodeText("x"));
      const tree = await writeTree(repository, commit, [{ path: "x", blob }]);
      const next = await writeCommit(repository, { tree, parents: [commit ?? ""], message: "m", ...WHO });
      const remote = join(folder, "remote");
      assert.equal(await pushCommit(repository, { remote, branch: "e", commit: next }), "pushed");
      await fetchBranch(repository, { remote, branch: "e", into: "refs/reprise/e" });
      await assert.rejects(readFile(witness));
      const ext = `ext::sh -c "touch% ${witness}"`;
      const target = { remote: ext, branch: "e", into: "refs/reprise/e" };
      await assertCode(fetchBranch(repository, target), "GIT_FETCH_FAILED");
      await assert.rejects(readFile(witness));
    }));

  it("tells how to trust a folder of somebody else", async function () {
    if (process.getuid?.() !== 0) return this.skip();
    await inScratch(async (folder) => {
      GitSandbox.init(folder);
      await chown(folder, 12_345, 12_345);
      await chown(join(folder, ".git"), 12_345, 12_345);
      const before = process.env.GIT_CONFIG_GLOBAL;
      process.env.GIT_CONFIG_GLOBAL = "/dev/null";
      try {
        const error = await assertCode(openGitRepository(folder), "GIT_FOLDER_UNTRUSTED");
        assert.match(error.hint ?? "", /safe\.directory/);
      } finally {
        if (before === undefined) delete process.env.GIT_CONFIG_GLOBAL;
        else process.env.GIT_CONFIG_GLOBAL = before;
      }
    });
  });

  it("hands git no secret, and nothing that leads it elsewhere", () => {
    const ours = { PATH: "/bin", REPRISE_PASSPHRASE: "s", INPUT_X: "s", MY_SECRET: "s", GIT_DIR: "/x", GIT_TRACE: "1" };
    const given = gitEnvironment({ ...ours, GIT_SSH_COMMAND: "ssh -i k", PAGER: "less", HOME: undefined });
    assert.deepEqual(
      Object.keys(given).filter((name) => !/^(LC_ALL|LANGUAGE|GIT_(TERM|OPT|NO_|ALLOW))/.test(name)),
      ["PATH", "GIT_SSH_COMMAND"],
    );
  });

  it("ends on an abort, and before it has begun", () =>
    inScratch(async (folder) => {
      const sandbox = GitSandbox.init(folder);
      await sandbox.commit({ file: "1" });
      await assert.rejects(openGitRepository(folder, { signal: AbortSignal.abort() }), { name: "AbortError" });
      const controller = new AbortController();
      const opening = openGitRepository(folder, { signal: controller.signal });
      controller.abort();
      await assert.rejects(opening, { name: "AbortError" });
    }));
});

describe("git commits and branches", () => {
  it("publishes a branch without touching index, work tree or branches", () =>
    inScratch(async (folder) => {
      const bare = GitSandbox.init(join(folder, "remote"), "--bare");
      const sandbox = GitSandbox.init(join(folder, "work"));
      await sandbox.commit({ file: "1" });
      await writeFile(join(sandbox.folder, "staged"), "s");
      sandbox.git("add", "staged");
      const state = () =>
        [sandbox.git("status", "--porcelain"), sandbox.git("branch", "-a"), sandbox.head()].join("\n");
      const before = state();
      const repository = await openGitRepository(sandbox.folder);
      const place = { remote: bare.folder, branch: "reprise-evidence", into: "refs/reprise/evidence" };
      assert.equal(await fetchBranch(repository, place), null);
      const blobs = await Promise.all(["", "one\n", "zwei ✓"].map((text) => writeBlob(repository, encodeText(text))));
      const changes = blobs.map((blob, index) => ({ path: `log/a b/${index}\n`, blob }));
      const tree = await writeTree(repository, null, changes);
      const first = await writeCommit(repository, { tree, parents: [], message: "first", ...WHO });
      assert.equal(await pushCommit(repository, { ...place, commit: first }), "pushed");
      assert.equal(await fetchBranch(repository, place), first);
      const entries = await listTree(repository, first);
      assert.deepEqual(
        entries.map(({ path }) => path),
        changes.map(({ path }) => path),
      );
      const ids = entries.map(({ id }) => id);
      const read = await readBlobs(repository, ids, MAX);
      assert.deepEqual(
        read.map((bytes) => new TextDecoder().decode(bytes)),
        ["", "one\n", "zwei ✓"],
      );
      await assertCode(readBlobs(repository, ["0".repeat(40)], MAX), "GIT_FAILED");
      const smaller = await writeTree(repository, first, [{ path: changes[0]?.path ?? "", blob: null }]);
      const second = await writeCommit(repository, { tree: smaller, parents: [first], message: "second", ...WHO });
      const rival = await writeCommit(repository, { tree, parents: [first], message: "rival", ...WHO });
      assert.equal(await pushCommit(repository, { ...place, commit: second }), "pushed");
      assert.equal(await pushCommit(repository, { ...place, commit: rival }), "rejected");
      const orphan = await writeCommit(repository, { tree, parents: [], message: "orphan", ...WHO });
      assert.equal(await pushCommit(repository, { ...place, commit: orphan }), "rejected");
      assert.equal(await fetchBranch(repository, place), second);
      assert.equal(bare.git("log", "--format=%s %an %ae %ct", "reprise-evidence").split("\n").length, 2);
      assert.equal(state(), before);
    }));

  it("tells a push that is refused from one that comes too late", () =>
    inScratch(async (folder) => {
      const bare = GitSandbox.init(join(folder, "remote"), "--bare");
      await writeFile(join(bare.folder, "hooks/pre-receive"), "#!/bin/sh\necho no >&2\nexit 1\n", { mode: 0o755 });
      const sandbox = GitSandbox.init(join(folder, "work"));
      const commit = await sandbox.commit({ file: "1" });
      const repository = await openGitRepository(sandbox.folder);
      const push = (remote: string, branch: string) => pushCommit(repository, { remote, branch, commit });
      await assertCode(push(bare.folder, "b"), "GIT_PUSH_FAILED");
      await assertCode(push(join(folder, "nowhere"), "b"), "GIT_PUSH_FAILED");
      const error = await assertCode(push("http://user:canary@127.0.0.1:9/x.git", "b"), "GIT_PUSH_FAILED");
      assert.ok(!JSON.stringify([error.message, error.data]).includes("canary"));
      await assertCode(push("--upload-pack=evil", "b"), "GIT_NAME_INVALID");
      for (const branch of ["", "-x", "a..b", "a b", "x.lock", "a//b", "*", "a:b", "@"])
        await assertCode(push(bare.folder, branch), "GIT_NAME_INVALID", branch);
    }));
});

describe("names as bytes", () => {
  it("become text and the same bytes again", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(pathToBytes(pathFromBytes(bytes)), bytes);
      }),
    );
    assert.equal(pathFromBytes(Uint8Array.of(0x64, 0x62, 0x2f, 0xff)), "db/\udcff");
    assert.equal(pathFromBytes(encodeText("ü✓💾\ufeff")), "ü✓💾\ufeff");
  });
});
