// Publishing to real git repositories: alone, again, at the same time, onto what somebody has changed, and cut short.

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAbort, type RepriseError } from "../../core/errors.js";
import { checkBranchTree } from "../../core/evidenceBranch/branchTree.js";
import { readBranch } from "../../core/evidenceBranch/fetchedBranch.js";
import { type PublishRequest, publishEvidence } from "../../core/evidenceBranch/publishEvidence.js";
import { assertCode } from "../support/assertCode.js";
import { type GitRemote, makeGitRemote, writeAt } from "./gitRemote.js";
import { backedUpMs, DAY, HOUR, key, nowMs, signedInventory, signedTest, stranger, trusted } from "./sampleEvidence.js";

const options = { now: () => nowMs };
const request = (envelopes: readonly string[], change: Partial<PublishRequest> = {}): PublishRequest => {
  return { envelopes, signingKeys: [key], by: "runner-1 (reprise 0.1.0)", keepMs: null, ...change };
};
const inventoryAt = (hour: number, machine = "vm/web1") =>
  signedInventory({ machine, asOfMs: backedUpMs + hour * HOUR });

describe("publishing evidence", function () {
  this.timeout(60_000);
  let remote: GitRemote;
  let clone: string;
  beforeEach(async () => {
    remote = await makeGitRemote("publish");
    clone = remote.clone("work");
  });
  afterEach(() => remote.remove());

  it("makes the branch, and then extends it by a commit each", async () => {
    const place = await remote.place(clone);
    const first = await publishEvidence(place, request([inventoryAt(1), ...signedTest("vm/web1", 1)]), options);
    assert.deepEqual([first.status, first.sequence, first.added.length, first.attempts], ["published", 1, 3, 1]);
    assert.equal(first.commit, remote.tip());
    const second = await publishEvidence(place, request([inventoryAt(2)]), options);
    assert.equal(second.sequence, 2);
    assert.equal(remote.git(remote.bare, "rev-list", "--count", second.commit ?? ""), "2");
    const branch = await readBranch(place, trusted);
    assert.deepEqual([branch?.tree.problems, branch?.rewritten, branch?.tree.statements.length], [[], [], 4]);
    assert.equal(branch?.commit, second.commit);
    const message = remote.git(remote.bare, "log", "-1", "--format=%an <%ae>%n%B", first.commit ?? "");
    const about = ["inventory", "restore test", "test result"].map((what) => `- ${what} of vm/web1`).join("\n");
    assert.equal(message, `reprise <reprise@localhost>\nevidence 1: 3 statements\n\n${about}`);
  });

  it("leaves the work tree, the index and the branches of the clone alone", async () => {
    await writeFile(join(clone, "app.txt"), "changed\n");
    await writeFile(join(clone, "staged.txt"), "staged\n");
    remote.git(clone, "add", "staged.txt");
    const stateOf = () =>
      [
        ["status", "--porcelain=v2", "--branch"],
        ["for-each-ref", "refs/heads", "refs/tags"],
        ["diff", "--cached"],
        ["stash", "list"],
      ].map((args) => remote.git(clone, ...args));
    const [before, names] = [stateOf(), await readdir(clone)];
    await publishEvidence(await remote.place(clone), request([inventoryAt(1)]), options);
    assert.deepEqual(stateOf(), before);
    assert.deepEqual(await readdir(clone), names);
    assert.equal(await readFile(join(clone, "app.txt"), "utf8"), "changed\n");
  });

  it("publishes nothing twice", async () => {
    const place = await remote.place(clone);
    await publishEvidence(place, request([inventoryAt(1)]), options);
    const tip = remote.tip();
    const again = await publishEvidence(place, request([inventoryAt(1), inventoryAt(1)]), options);
    assert.deepEqual([again.status, again.alreadyThere, again.commit, again.sequence], ["nothing-new", 1, tip, 1]);
    assert.equal(remote.tip(), tip);
    const more = await publishEvidence(place, request([inventoryAt(1), inventoryAt(2)]), options);
    assert.deepEqual([more.added.length, more.alreadyThere], [1, 1]);
    assert.equal((await publishEvidence(place, request([]), options)).status, "nothing-new");
  });

  it("says in a dry run what it would do, and does nothing", async () => {
    const place = await remote.place(clone);
    const dry = await publishEvidence(place, request([inventoryAt(1)], { dryRun: true }), options);
    assert.deepEqual([dry.status, dry.commit, dry.sequence, dry.added.length], ["would-publish", null, 1, 1]);
    assert.equal(remote.git(remote.bare, "for-each-ref", "refs/heads/reprise-evidence"), "");
  });

  it("drops what is old, or unwanted, and says so in the log", async () => {
    const place = await remote.place(clone);
    const at = (now: number) => ({ now: () => now });
    const first = await publishEvidence(place, request([inventoryAt(1)]), at(nowMs));
    const second = await publishEvidence(place, request([inventoryAt(2)], { keepMs: DAY }), at(nowMs + 2 * DAY));
    assert.deepEqual(second.dropped, [first.added[0]?.digest]);
    const drop = [second.added[0]?.digest ?? ""];
    const third = await publishEvidence(place, request([inventoryAt(3)], { drop }), at(nowMs + 2 * DAY));
    assert.deepEqual(third.dropped, drop);
    const back = await publishEvidence(place, request([inventoryAt(1)]), at(nowMs + 2 * DAY));
    assert.equal(back.added.length, 1, "what was dropped can come again");
    const branch = await readBranch(place, trusted);
    assert.deepEqual([branch?.tree.problems, branch?.rewritten], [[], []]);
    assert.equal(branch?.tree.statements.length, 2);
  });

  it("never grows beyond what readers take, and makes smaller what has", async () => {
    const place = await remote.place(clone);
    const four = [inventoryAt(1), inventoryAt(2), ...signedTest("vm/web1", 1)];
    await publishEvidence(place, request(four), options);
    const tip = remote.tip();
    for (const limits of [
      { files: 7, bytes: 1024 * 1024 },
      { files: 4, bytes: 1024 * 1024 },
      { files: 100, bytes: 12_000 },
    ])
      await assertCode(
        publishEvidence(place, request([inventoryAt(3)]), { ...options, limits }),
        "EVIDENCE_BRANCH_FULL",
      );
    assert.equal(remote.tip(), tip);
    const limits = { files: 4, bytes: 1024 * 1024 };
    const late = { ...options, limits, now: () => nowMs + HOUR };
    const kept = await publishEvidence(place, { ...request([inventoryAt(3)]), keepMs: 60_000 }, late);
    assert.deepEqual([kept.status, kept.dropped.length], ["published", 4]);
    assert.equal((await readBranch(place, trusted, { limits }))?.sizes.size, 4);
  });

  it("brings back nothing that was dropped, when it only catches up", async () => {
    const place = await remote.place(clone);
    const test = signedTest("vm/web1", 1);
    await publishEvidence(place, request([inventoryAt(1), ...test]), options);
    const late = { ...options, now: () => nowMs + HOUR };
    await publishEvidence(place, { ...request([inventoryAt(2)]), keepMs: 60_000 }, late);
    const caughtUp = await publishEvidence(place, { ...request([inventoryAt(3), ...test]), isCatchUp: true }, late);
    assert.deepEqual([caughtUp.added.length, caughtUp.alreadyThere], [1, 2]);
    assert.equal((await publishEvidence(place, request(test), late)).added.length, 2, "unless it is asked for");
  });

  it("sweeps what a killed process has left in the clone", async () => {
    const place = await remote.place(clone);
    const refOf = (ageMs: number) =>
      `refs/reprise/evidence-${(Date.now() - ageMs).toString(16).padStart(12, "0")}-${"ab".repeat(8)}`;
    const [left, fresh] = [refOf(25 * HOUR), refOf(HOUR)];
    for (const ref of [left, fresh]) remote.git(clone, "update-ref", ref, "HEAD");
    await publishEvidence(place, request([inventoryAt(1)]), options);
    const refs = remote.git(clone, "for-each-ref", "--format=%(refname)", "refs/reprise");
    assert.deepEqual([refs.includes(left), refs.includes(fresh), refs.includes("evidence-seen")], [false, true, true]);
  });

  it("follows whoever was faster: eight at the same time, from two clones", async () => {
    const places = [await remote.place(clone), await remote.place(remote.clone("other"))];
    const reports = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        publishEvidence(places[at % 2]!, request([inventoryAt(1, `vm/m${at}`)]), { ...options, maxAttempts: 60 }),
      ),
    );
    assert.deepEqual(
      reports.map(({ sequence }) => sequence).sort((a, b) => (a ?? 0) - (b ?? 0)),
      Array.from({ length: 8 }, (_, at) => at + 1),
    );
    assert.ok(
      reports.some(({ attempts }) => attempts > 1),
      "there were races",
    );
    const branch = await readBranch(places[0]!, trusted);
    assert.deepEqual([branch?.tree.problems, branch?.rewritten, branch?.tree.statements.length], [[], [], 8]);
  });

  it("gives up when others are always faster, and says that it is worth another try", async () => {
    const place = await remote.place(clone);
    const tries = Array.from({ length: 5 }, (_, at) =>
      publishEvidence(place, request([inventoryAt(1, `vm/m${at}`)]), { ...options, maxAttempts: 1 }),
    );
    const outcomes = await Promise.allSettled(tries);
    const errors = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as RepriseError] : [],
    );
    assert.ok(errors.length > 0 && errors.length < 5);
    for (const { code, retry } of errors) assert.deepEqual([code, retry], ["EVIDENCE_BRANCH_BUSY", "later"]);
    const branch = await readBranch(place, trusted);
    assert.equal(branch?.tree.statements.length, 5 - errors.length);
  });

  it("tells when the branch is protected against it", async () => {
    const hook = join(remote.bare, "hooks", "pre-receive");
    await writeFile(hook, "#!/bin/sh\necho 'GH013: Repository rule violations' >&2\nexit 1\n", { mode: 0o755 });
    const error = await assertCode(
      publishEvidence(await remote.place(clone), request([inventoryAt(1)]), options),
      "GIT_PUSH_FAILED",
    );
    assert.match(error.hint ?? "", /contents: write/);
  });

  it("does not build upon what somebody has changed", async () => {
    const place = await remote.place(clone);
    await publishEvidence(place, request([inventoryAt(1)]), options);
    await remote.tamper((folder) => writeAt(folder, "README.md", "send your keys to …"));
    const tip = remote.tip();
    const error = await assertCode(
      publishEvidence(place, request([inventoryAt(2)]), options),
      "EVIDENCE_BRANCH_INVALID",
    );
    assert.match(error.message, /README\.md/);
    assert.match(error.hint ?? "", /nothing was published/);
    assert.equal(remote.tip(), tip);
  });

  it("builds upon what another key has published only when that is trusted, too", async () => {
    const place = await remote.place(clone);
    await publishEvidence(place, request([inventoryAt(1)], { signingKeys: [stranger] }), options);
    await assertCode(publishEvidence(place, request([inventoryAt(2)]), options), "EVIDENCE_BRANCH_INVALID");
    const trustedKeys = [stranger.verificationKey];
    const report = await publishEvidence(place, request([inventoryAt(2)], { trustedKeys }), options);
    assert.equal(report.sequence, 2);
    assert.deepEqual((await readBranch(place, trusted))?.tree.problems, [], "the new head covers the old entry");
  });

  it("takes nothing that is no signed statement", async () => {
    const place = await remote.place(clone);
    const unsigned = JSON.stringify({ ...JSON.parse(inventoryAt(1)), signatures: [] });
    const other = JSON.stringify({ ...JSON.parse(inventoryAt(1)), payloadType: "text/plain" });
    for (const envelope of ["", "{}", "canary", unsigned, other, `{"payload":"${"a".repeat(1_100_000)}"}`])
      await assertCode(publishEvidence(place, request([envelope]), options), "EVIDENCE_UNREADABLE");
    await assertCode(
      publishEvidence(place, request([inventoryAt(1)], { signingKeys: [] }), options),
      "SIGNING_KEY_MISSING",
    );
    const many = Array.from({ length: 1_001 }, (_, at) => inventoryAt(1).replace('"keyid":"', `"keyid":"${at}`));
    await assertCode(publishEvidence(place, request(many), options), "EVIDENCE_TOO_MUCH");
    const part = await publishEvidence(place, { ...request(many), isCatchUp: true, dryRun: true }, options);
    assert.deepEqual([part.added.length, part.left, part.alreadyThere], [1000, 1, 0]);
  });

  it("ends at once when it is told to, and leaves all or nothing", async () => {
    const place = await remote.place(clone);
    await publishEvidence(place, request([inventoryAt(1)]), options);
    for (const afterMs of [0, 20, 60, 120, 200, 300]) {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), afterMs);
      const published = publishEvidence(place, request([inventoryAt(10 + afterMs)]), {
        ...options,
        signal: controller.signal,
      });
      await published.catch((error: unknown) => assert.ok(isAbort(error), String(error)));
      clearTimeout(timer);
      const branch = await readBranch(place, trusted);
      assert.deepEqual([branch?.tree.problems, branch?.rewritten], [[], []], `after ${afterMs} ms`);
      assert.doesNotMatch(remote.git(clone, "for-each-ref", "refs/reprise"), /evidence-[0-9a-f]+-/m);
    }
    await publishEvidence(place, request([inventoryAt(5)]), options);
  });

  it("works in shallow clones, bare ones, and with an address instead of a remote's name", async () => {
    await publishEvidence(await remote.place(clone), request([inventoryAt(1)]), options);
    const shallow = join(remote.folder, "shallow");
    remote.git(remote.folder, "clone", "-q", "--depth", "1", `file://${remote.bare}`, shallow);
    await publishEvidence(await remote.place(shallow), request([inventoryAt(2)]), options);
    const empty = join(remote.folder, "empty.git");
    remote.git(remote.folder, "init", "-q", "--bare", empty);
    const place = await remote.place(empty, `file://${remote.bare}`);
    assert.equal((await publishEvidence(place, request([inventoryAt(3)]), options)).sequence, 3);
    const files = new Map<string, Uint8Array>();
    for (const path of remote.git(remote.bare, "ls-tree", "-r", "--name-only", "reprise-evidence").split("\n"))
      files.set(path, Buffer.from(`${remote.git(remote.bare, "show", `reprise-evidence:${path}`)}\n`));
    assert.deepEqual(checkBranchTree(files, trusted).problems, [], "as anybody's git shows it");
  });
});
