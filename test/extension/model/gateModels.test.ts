import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BaseSource, findBase, isRevision } from "../../../extension/model/gateBase.js";
import { countFiles, decisionOf, lineOfMachine, rankOf, worstDecision } from "../../../extension/model/gateView.js";
import { ServiceStops } from "../../../extension/model/serviceStops.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";

const IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];

describe("the base of the present changes", () => {
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  const run = promisify(execFile);
  const git = async (...args: string[]) => (await run("git", ["-C", folder.path, ...IDENTITY, ...args])).stdout.trim();
  const commit = async (name: string) => {
    await writeFile(join(folder.path, name), name);
    await git("add", ".");
    await git("commit", "-q", "-m", name);
    return await git("rev-parse", "HEAD");
  };
  /** As a fetch from a remote would leave it. */
  const remoteBranch = (name: string, at = "HEAD") => git("update-ref", `refs/remotes/origin/${name}`, at);
  /** The questions of the editor's git extension, answered by git. */
  const source = (name: string, upstream?: string): BaseSource => ({
    state: {
      HEAD: { name, upstream: upstream === undefined ? undefined : { remote: "origin", name: upstream } },
      remotes: [{ name: "origin" }],
    },
    getCommit: async (ref) => ({ hash: await git("rev-parse", "--verify", `${ref}^{commit}`) }),
    getMergeBase: (a, b) => git("merge-base", a, b),
    getConfig: (key) => git("config", key),
  });
  const nameOf = async (given: BaseSource, setting = "") => (await findBase(given, setting))?.name;

  beforeEach(async () => {
    folder = await makeTemporaryFolder("gate-base");
    await git("init", "-q", "-b", "develop");
    await commit("one");
  });
  afterEach(() => folder.remove());

  it("is never the branch's own upstream: what was pushed is no less a change", async () => {
    await git("checkout", "-q", "-b", "feature");
    await commit("two");
    await remoteBranch("feature");
    assert.equal(await nameOf(source("feature", "feature")), "develop");
    await git("branch", "-q", "-m", "develop", "integration");
    assert.equal(await nameOf(source("feature", "feature")), undefined);
    await remoteBranch("develop", "HEAD^");
    assert.equal(await nameOf(source("feature", "feature")), "origin/develop");
  });

  it("is the upstream of a branch that others start from: a push is compared with what was there", async () => {
    await remoteBranch("develop");
    await remoteBranch("main");
    await commit("two");
    assert.equal(await nameOf(source("develop", "develop")), "origin/develop");
  });

  it("is what git notes of the pull request, before anything else", async () => {
    await remoteBranch("main");
    await remoteBranch("release/1");
    await remoteBranch("release/2");
    await git("checkout", "-q", "-b", "feature");
    await git("config", "branch.feature.gh-merge-base", "release/1");
    assert.equal(await nameOf(source("feature")), "origin/release/1");
    await git("config", "branch.feature.github-pr-base-branch", "owner#project#release/2");
    assert.equal(await nameOf(source("feature")), "origin/release/2");
    assert.equal(await nameOf(source("feature"), "origin/main"), "origin/main");
    assert.equal(await nameOf(source("feature"), "nobody/has/this"), undefined);
  });

  it("is not a default branch that the clone remembers and another one has overtaken", async () => {
    await remoteBranch("production");
    await git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/production");
    await git("checkout", "-q", "-b", "feature");
    assert.equal(await nameOf(source("feature")), "origin/HEAD");
    await commit("two");
    await remoteBranch("main");
    const found = await findBase(source("feature"), "");
    assert.deepEqual([found?.name, found?.leftOut], ["origin/main", "origin/HEAD"]);
    await git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main");
    const same = await findBase(source("feature"), "");
    assert.deepEqual([same?.name, same?.leftOut], ["origin/main", undefined]);
  });

  it("is no option of git", () => {
    for (const name of ["main", "origin/main", "v1.0", "HEAD~2", "main@{1}"]) assert.ok(isRevision(name), name);
    for (const name of ["", "-x", "--output=/tmp/x", "a..b", "a b", "a\nb"]) assert.ok(!isRevision(name), name);
  });
});

describe("what is shown of gates", () => {
  it("is the worst of them", () => {
    assert.equal(worstDecision(["go", "blocked", "unknown"]), "blocked");
    assert.equal(worstDecision(["go", "unknown"]), "unknown");
    assert.equal(worstDecision(["not-needed", "go"]), "go");
    assert.equal(worstDecision([]), undefined);
    assert.ok(rankOf(["go", "blocked"]) < rankOf(["unknown"]) && rankOf(["unknown"]) < rankOf(["go"]));
    assert.equal(decisionOf({ gate: "g", data: null, problem: { code: "X", message: "" } }), "unknown");
  });

  it("counts each changed file once, whichever lists it is in", () => {
    const file = (path: string) => ({ uri: { toString: () => path } });
    assert.equal(countFiles([[file("a"), file("b")], [file("a")], [file("c")], []]), 3);
  });

  const policy = `machines:
  vm/a: {owner: me}
gates:
  other:
    rules:
      - {paths: db/, machines: vm/a}
  production:
    rules:
      # vm/a is not here
      - paths: db/
        machines: [vm/a-copy, vm/b]
      - {paths: web/, machines: "vm/a"}
`;

  it("finds a rule in the file as it is now", () => {
    assert.equal(lineOfMachine(policy, "production", "vm/a"), 11);
    assert.equal(lineOfMachine(policy, "other", "vm/a"), 5);
    assert.equal(lineOfMachine(policy, "production", "vm/b"), 10);
    assert.equal(lineOfMachine(policy, "gone", "vm/a"), 1);
    assert.equal(lineOfMachine(policy, "production", "vm/gone"), 6);
    assert.equal(lineOfMachine("", "production", "vm/a"), 0);
  });
});

describe("deaths of the background service", () => {
  it("let what starts by itself rest after two within a minute", () => {
    const stops = new ServiceStops();
    stops.note(0);
    assert.ok(!stops.isResting(1) && !stops.isEndless(1));
    stops.note(90_000);
    assert.ok(!stops.isResting(90_001));
    stops.note(100_000);
    assert.ok(stops.isResting(100_001) && stops.isEndless(100_001));
    assert.ok(stops.isResting(150_000) && !stops.isEndless(150_000));
    assert.ok(!stops.isResting(100_000 + 11 * 60_000));
  });
});
