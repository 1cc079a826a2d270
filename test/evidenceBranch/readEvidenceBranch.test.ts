// What a gate learns from a branch in a real git repository, when somebody who may push there but has no key does his worst.

import assert from "node:assert/strict";
import { rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { GateReasonCode } from "../../core/evidence/gateFacts.js";
import { verifyEvidence } from "../../core/evidence/verifyEvidence.js";
import { publishEvidence } from "../../core/evidenceBranch/publishEvidence.js";
import { readEvidenceBranch } from "../../core/evidenceBranch/readEvidenceBranch.js";
import { assertCode } from "../support/assertCode.js";
import { BRANCH, type GitRemote, makeGitRemote, writeAt } from "./gitRemote.js";
import {
  backedUpMs,
  HOUR,
  key,
  manifestDigest,
  nowMs,
  signedInventory,
  signedTest,
  stranger,
  trusted,
} from "./sampleEvidence.js";

const trust = { keys: trusted, nowMs, repositoryId: null };

describe("reading the evidence branch", function () {
  this.timeout(60_000);
  let remote: GitRemote;
  let clone: string;
  before(async () => {
    remote = await makeGitRemote("read-evidence");
  });
  after(() => remote.remove());
  let clones = 0;
  beforeEach(async () => {
    clone = remote.clone(`work-${++clones}`);
    if (remote.git(remote.bare, "for-each-ref", `refs/heads/${BRANCH}`) !== "")
      remote.git(remote.bare, "update-ref", "-d", `refs/heads/${BRANCH}`);
    for (const hour of [1, 2, 3]) await publish([signedInventory({ asOfMs: backedUpMs + hour * HOUR })]);
    await publish([...signedTest("vm/web1", 1), ...signedTest("vm/web1", 0)]);
  });

  async function publish(envelopes: readonly string[], signingKeys = [key]): Promise<void> {
    const request = { envelopes, signingKeys, trustedKeys: trusted, by: "runner-1", keepMs: null };
    await publishEvidence(await remote.place(clone), request, { now: () => nowMs });
  }
  const read = async (change: Partial<typeof trust> = {}, folder = clone, from = "origin") =>
    await readEvidenceBranch(await remote.place(folder, from), { ...trust, ...change });
  /** Nothing is known any more, for one of these reasons. */
  async function assertShut(...codes: GateReasonCode[]): Promise<string> {
    const { machines, machineProblems, ...facts } = await read();
    const problems = [...facts.problems, ...[...machineProblems.values()].flat()];
    assert.deepEqual([...new Set(problems.map(({ code }) => code))].sort(), codes.sort(), JSON.stringify(problems));
    if (codes.includes("evidence-forged")) assert.equal(machines.size, 0);
    return problems.map(({ message }) => message).join("\n");
  }

  it("answers the newest inventory of a machine and the tests of its snapshots", async () => {
    const facts = await read();
    assert.deepEqual([facts.source, facts.problems, facts.sequence, facts.publishedAtMs], ["branch", [], 4, nowMs]);
    assert.equal(facts.commit, remote.tip());
    const web1 = facts.machines.get("vm/web1");
    assert.equal(web1?.asOfMs, backedUpMs + 3 * HOUR);
    assert.deepEqual(
      web1?.snapshots.map(({ digest, timeMs }) => [digest, timeMs]),
      [
        [manifestDigest("vm/web1", 1), backedUpMs],
        [manifestDigest("vm/web1", 0), backedUpMs - 24 * HOUR],
      ],
    );
    assert.equal(web1?.envelopes.length, 4);
    const policy = { requiredLevel: null, requiredChecks: [], allowWarned: false, allowedSpecDigests: null };
    const subjectDigest = web1?.snapshots[0]?.digest ?? "";
    const verdict = verifyEvidence(web1?.envelopes ?? [], {
      ...trust,
      ...policy,
      threshold: 1,
      subjectDigest,
      maxAgeMs: null,
    });
    assert.equal(verdict.decision, "accepted", JSON.stringify(verdict.reasons));
  });

  it("says the same to a fork without secrets, from a read-only, shallow or bare clone", async () => {
    const seen = JSON.stringify([...(await read()).machines]);
    const fork = join(remote.folder, "fork");
    remote.git(remote.folder, "clone", "-q", "--depth=1", "--single-branch", `file://${remote.bare}`, fork);
    assert.equal(JSON.stringify([...(await read({}, fork)).machines]), seen);
    const bare = join(remote.folder, "fork.git");
    remote.git(remote.folder, "init", "-q", "--bare", bare);
    assert.equal(JSON.stringify([...(await read({}, bare, `file://${remote.bare}`)).machines]), seen);
  });

  it("tells a missing branch, a remote out of reach, and keys that cannot do", async () => {
    const unreachable = await read({}, clone, "file:///nowhere/at-all.git");
    assert.deepEqual(
      unreachable.problems.map(({ code }) => code),
      ["evidence-missing"],
    );
    assert.deepEqual(
      (await read({ keys: [] })).problems.map(({ code }) => code),
      ["policy-invalid"],
    );
    remote.git(remote.bare, "update-ref", "-d", `refs/heads/${BRANCH}`);
    await assertShut("evidence-missing");
    await assertCode(read({}, clone, "--upload-pack=x"), "GIT_NAME_INVALID");
  });

  it("believes nobody else's key", async () => {
    const facts = await read({ keys: [stranger.verificationKey] });
    assert.deepEqual([facts.problems.map(({ code }) => code), facts.machines.size], [["evidence-forged"], 0]);
  });

  it("notices a changed statement", async () => {
    const path = remote.git(remote.bare, "ls-tree", "-r", "--name-only", BRANCH, "statements").split("\n")[0] ?? "";
    await remote.tamper((folder) => writeAt(folder, path, `${signedInventory({ count: 9 }, [stranger])}\n`));
    assert.ok((await assertShut("evidence-forged", "evidence-rewritten")).includes(path));
  });

  it("notices a removed entry, which the history shows, too", async () => {
    await remote.tamper((folder) => rm(join(folder, "log/00000002.json")));
    const text = await assertShut("evidence-forged", "evidence-rewritten");
    assert.match(text, /log\/00000002\.json is missing/);
    assert.match(text, /log\/00000002\.json was removed by commit/);
  });

  it("notices the tail cut off by another commit, although what is left is sound", async () => {
    const older = remote.git(remote.bare, "rev-parse", `${BRANCH}~2`);
    await remote.tamper((folder) => void remote.git(folder, "read-tree", "-u", "--reset", older));
    const { problems, sequence } = await read({}, remote.clone("never-there"));
    assert.equal(sequence, 2);
    assert.deepEqual([...new Set(problems.map(({ code }) => code))], ["evidence-rewritten"]);
    assert.match(problems[0]?.message ?? "", /log\/00000003\.json was removed/);
  });

  it("notices the tail cut off and put back, and an empty commit", async () => {
    const [older, newer] = [`${BRANCH}~2`, BRANCH].map((name) => remote.git(remote.bare, "rev-parse", name));
    await remote.tamper((folder) => void remote.git(folder, "read-tree", "-u", "--reset", older ?? ""));
    await remote.tamper((folder) => void remote.git(folder, "read-tree", "-u", "--reset", newer ?? ""));
    await assertShut("evidence-rewritten");
    remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, newer ?? "");
    await remote.tamper(() => {});
    assert.match(await assertShut("evidence-rewritten"), /no next entry/);
  });

  it("takes a force push to an older state for that state where it never was: its times show its age", async () => {
    const older = remote.git(remote.bare, "rev-parse", `${BRANCH}~2`);
    remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, older);
    const facts = await read({}, remote.clone("never-here"));
    assert.deepEqual([facts.problems, facts.sequence], [[], 2]);
    assert.equal(facts.machines.get("vm/web1")?.asOfMs, backedUpMs + 2 * HOUR);
    assert.equal(facts.machines.get("vm/web1")?.envelopes.length, 0);
  });

  it("notices a force push to an older state in a clone that has seen a newer one", async () => {
    const [older, newer] = [`${BRANCH}~2`, BRANCH].map((name) => remote.git(remote.bare, "rev-parse", name));
    assert.deepEqual((await read()).problems, []);
    remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, older ?? "");
    const text = await assertShut("evidence-rewritten");
    assert.match(text, /^log\/00000004\.json was there when this clone read the branch before/);
    const request = { envelopes: [signedInventory({ count: 3 })], signingKeys: [key], by: "x", keepMs: null };
    const publishing = publishEvidence(await remote.place(clone), request, { now: () => nowMs });
    await assertCode(publishing, "EVIDENCE_BRANCH_INVALID");
    remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, newer ?? "");
    assert.deepEqual((await read()).problems, [], "put back, all is well");
    remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, older ?? "");
    const [, forget = ""] =
      /\(git (update-ref -d \S+) forgets that\)/.exec(await assertShut("evidence-rewritten")) ?? [];
    remote.git(clone, ...forget.split(" "));
    assert.deepEqual((await read()).problems, []);
  });

  it("notices another root, a merge, and entries that a stranger has sealed", async () => {
    const elsewhere = remote.clone(`elsewhere-${remote.tip().slice(0, 8)}`);
    remote.git(elsewhere, "checkout", "-q", BRANCH);
    remote.git(elsewhere, "merge", "-q", "--allow-unrelated-histories", "-m", "merge", "origin/main");
    remote.git(elsewhere, "push", "-q", "origin", BRANCH);
    await assertShut("evidence-forged", "evidence-rewritten");
    remote.git(remote.bare, "update-ref", "-d", `refs/heads/${BRANCH}`);
    const request = {
      envelopes: [signedInventory({ count: 5 }, [stranger])],
      signingKeys: [stranger],
      by: "x",
      keepMs: null,
    };
    clone = remote.clone(`${elsewhere}-2`.slice(remote.folder.length + 1));
    await publishEvidence(await remote.place(clone), request, { now: () => nowMs });
    // whoever has published it takes it for sound, and remembers
    clone = remote.clone(`${elsewhere}-3`.slice(remote.folder.length + 1));
    assert.match(await assertShut("evidence-forged"), /no trusted key has signed/);
  });

  it("notices links, folders of other names, and names that would talk to a runner", async () => {
    const tip = remote.tip();
    const changes: ((folder: string) => Promise<void>)[] = [
      (folder) => symlink("/etc/passwd", join(folder, "log/00000005.json")),
      (folder) => writeAt(folder, "log/\n::error::pwned.json", "{}"),
      (folder) => writeAt(folder, "\u001b[2J", "{}"),
      (folder) => writeAt(folder, ".gitattributes", "* filter=x text eol=crlf"),
      (folder) => rename(join(folder, "README.md"), join(folder, "LIESMICH.md")),
    ];
    for (const change of changes) {
      await remote.tamper(change);
      const { problems, machines } = await read();
      assert.ok(problems.some(({ code }) => code === "evidence-forged"));
      assert.equal(machines.size, 0);
      for (const { message } of problems) assert.doesNotMatch(message, /\p{Cc}|^::/mu);
      remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, tip);
    }
  });

  it("reads no file and no number of files without bounds", async () => {
    const tip = remote.tip();
    await remote.tamper((folder) => writeAt(folder, "log/00000005.json", "x".repeat(1_100_000)));
    assert.match(await assertShut("evidence-forged"), /1100000 bytes, more than/);
    remote.git(remote.bare, "update-ref", `refs/heads/${BRANCH}`, tip);
  });

  it("is not moved by old statements that are published again", async () => {
    const before = JSON.stringify([...(await read()).machines]);
    const older = signedInventory({ asOfMs: backedUpMs + HOUR / 2, count: 1 });
    await publish([older]);
    assert.equal(JSON.stringify([...(await read()).machines]), before);
    assert.equal((await read()).sequence, 5);
  });

  it("does not choose between two inventories of the same time", async () => {
    const twin = (count: number, hour: number) => signedInventory({ asOfMs: backedUpMs + hour * HOUR, count });
    await publish([twin(1, 3)]);
    assert.match(await assertShut("evidence-invalid"), /as of 2026-11-21T05:00:00.000Z differ/);
    assert.equal((await read()).machines.has("vm/web1"), false);
    await publish([twin(2, 4)]);
    assert.deepEqual((await read()).problems, [], "a newer one settles it");
  });

  it("takes times that are yet to come for a wrong clock", async () => {
    await publish([signedInventory({ asOfMs: nowMs + HOUR })]);
    assert.match(await assertShut("clock"), /yet to come/);
    assert.deepEqual((await read({ nowMs: nowMs + 2 * HOUR })).problems, []);
    assert.deepEqual(
      (await read({ nowMs: nowMs - HOUR })).problems.map(({ code }) => code),
      ["clock"],
    );
    const early = (await read({ nowMs: nowMs - HOUR })).machineProblems.get("vm/web1") ?? [];
    assert.deepEqual(
      early.map(({ code }) => code),
      ["clock"],
    );
  });

  it("ends when it is told to", async () => {
    const controller = new AbortController();
    controller.abort();
    const reading = readEvidenceBranch(await remote.place(clone), trust, { signal: controller.signal });
    await assert.rejects(reading, { name: "AbortError" });
    assert.doesNotMatch(remote.git(clone, "for-each-ref", "refs/reprise"), /evidence-[0-9a-f]+-/m);
  });
});
