import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeEnvelope, signersOf } from "../../core/evidence/dsse.js";
import { signInventory } from "../../core/evidence/signedInventories.js";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { publishEvidence } from "../../core/evidenceBranch/publishEvidence.js";
import { type GateRequest, type GateRun, runGate } from "../../core/gate/runGate.js";
import { openGitRepository } from "../../core/git/gitRepository.js";
import { decodeJobReport } from "../../core/jobReport/decodeJobReport.js";
import { encodeJobReport } from "../../core/jobReport/encodeJobReport.js";
import { assertCode } from "../support/assertCode.js";
import { GitSandbox, inScratch } from "../support/gitSandbox.js";
import { DAY, HOUR, key, nowMs, sign, snapshot, stranger, testOf } from "./gateCases.js";

const POLICY = `version: 1
repositories:
  main: { location: ./no-such-repository }
machines:
  vm/101: {}
gates:
  production:
    keys: keys/ci.pub
    proof: newest
    level: serves
    rules:
      - paths: [db/, "*.never"]
        machines: vm/101
        max-backup-age: 2d
        max-test-age: 7d
    override: { label: skip-gate, reason-prefix: Reason }
`;

interface Story {
  origin: GitSandbox;
  work: GitSandbox;
  /** Publishes an inventory as of `asOfMs` and these statements. */
  publish(envelopes: string[], asOfMs?: number, newest?: number): Promise<void>;
  gate(request?: Partial<GateRequest>, now?: number, signingKeys?: SigningKey[]): Promise<GateRun>;
}

/** A project with a policy on main, a bare origin, and a branch `topic` that changes `db/`. */
async function inStory(use: (story: Story) => Promise<void>): Promise<void> {
  await inScratch(async (folder) => {
    const origin = GitSandbox.init(join(folder, "origin"), "--bare");
    const work = GitSandbox.init(join(folder, "work"));
    await work.commit({ "ops/reprise.yml": POLICY, "ops/keys/ci.pub": key.verificationKey.toPem(), "db/a.sql": "1" });
    work.git("remote", "add", "origin", origin.folder);
    work.git("push", "-q", "origin", "main");
    work.git("checkout", "-q", "-b", "topic");
    await work.commit({ "db/a.sql": "2" });
    const repository = await openGitRepository(work.folder);
    const place = { repository, remote: "origin", branch: "reprise-evidence" };
    const publish = async (envelopes: string[], asOfMs = nowMs - HOUR, newest = 2) => {
      const inventory = inventoryOf(newest, asOfMs);
      const request = { envelopes: [inventory, ...envelopes], signingKeys: [key], by: "ci", keepMs: null };
      await publishEvidence(place, request, { now: () => asOfMs });
    };
    const gate = (request: Partial<GateRequest> = {}, now = nowMs, signingKeys: SigningKey[] = []) =>
      runGate({ ...standard(work.folder), ...request }, optionsAt(now, signingKeys));
    await use({ origin, work, publish, gate });
  });
}

function standard(folder: string): GateRequest {
  return {
    folder,
    configPath: "ops/reprise.yml",
    gate: null,
    range: { compare: "merge-base", base: "origin/main", head: "topic" },
    defaultBranch: null,
    policyFrom: "base",
    override: { labels: [], description: null, by: "ada" },
    url: null,
  };
}

function optionsAt(now: number, signingKeys: SigningKey[]) {
  const environment = {
    now: () => now,
    random: (count: number) => new Uint8Array(count),
    host: "host",
    tool: { name: "reprise", version: "0.0.1" },
    heartbeatMs: 0,
  };
  const signal = new AbortController().signal;
  return { remote: "origin", env: {}, environment, signingKeys, cacheFolder: null, signal, onWarning: () => {} };
}

function inventoryOf(newest: number, asOfMs: number): string {
  const numbers = Array.from({ length: newest }, (_, index) => newest - index);
  const snapshots = numbers.map((number) => {
    const { sid, digest, timeMs } = snapshot(number, (54 - number * 10) * HOUR);
    const time = new Date(timeMs).toISOString().replace(/\.\d+Z$/, "Z");
    return { sid, manifestDigest: digest, time, copiedFrom: null, verification: null, test: null };
  });
  const about = { repositoryId: "33".repeat(16), location: "/srv", machine: "vm/101" };
  const asOf = new Date(asOfMs).toISOString();
  return signInventory({ ...about, asOf, total: newest, unreadable: 0, snapshots }, [key]);
}

function codes({ report }: GateRun): string[] {
  const { decision = "", machines = [] } = report.gate ?? {};
  return [decision, ...(machines[0]?.reasons.map(({ code }) => code) ?? [])];
}

describe("the gate, from git to the verdict", function () {
  this.timeout(60_000);

  it("passes a change to db/ while the newest backup is proven, and not after", () =>
    inStory(async ({ publish, gate }) => {
      assert.deepEqual(codes(await gate()), ["blocked", "evidence-missing", "machine-unknown"]);
      await publish(sign(testOf(2, 25 * HOUR)));
      const run = await gate();
      assert.deepEqual(codes(run), ["go", "proven"]);
      assert.equal(run.report.outcome, "passed");
      assert.match(run.report.verdict, /^go: vm\/101 has a backup from yesterday whose restore was proven yesterday/);
      assert.deepEqual(codes(await gate({}, nowMs + 2 * DAY)), ["blocked", "evidence-stale", "backup-too-old"]);
      await publish([], nowMs - HOUR / 2, 3);
      assert.deepEqual(codes(await gate()), ["blocked", "untested"]);
      // the old inventory, published again, does not bring the old time back
      await publish([], nowMs - HOUR, 2);
      assert.deepEqual(codes(await gate()), ["blocked", "untested"]);
      assert.deepEqual(decodeJobReport(encodeJobReport(run.report)), run.report);
    }));

  it("asks no repository that a change could have brought along", () =>
    inStory(async ({ work, gate }) => {
      const ask = async (location: string) => {
        const policy = POLICY.replace("./no-such-repository", location).replace("keys:", "evidence: main\n    keys:");
        await work.commit({ "ops/reprise.yml": policy });
        return (await gate({ policyFrom: "head" })).report.gate?.machines[0]?.reasons[0];
      };
      for (const inside of [
        "backups",
        "../db/backups",
        "/".concat(work.folder.slice(1), "/x"),
        `file://${work.folder}/x`,
      ]) {
        const reason = await ask(inside);
        assert.deepEqual([reason?.code, inside], ["policy-invalid", inside]);
        assert.match(reason?.message ?? "", /main is inside of the work tree/);
      }
      await symlink(work.folder, join(work.folder, "../by-link"));
      await symlink("/", join(work.folder, "out"));
      assert.equal((await ask("../../by-link/x"))?.code, "policy-invalid", "into it by a link");
      assert.equal((await ask("../out/srv/x"))?.code, "policy-invalid", "out of it by a link");
      assert.equal((await ask("../../outside"))?.code, "repository-unreadable");
    }));

  it("reads the policy of the base: a change cannot open its own gate", () =>
    inStory(async ({ work, publish, gate }) => {
      await publish(sign(testOf(2, 25 * HOUR), stranger));
      assert.deepEqual(codes(await gate()), ["blocked", "evidence-forged"]);
      await work.commit({ "ops/keys/ci.pub": stranger.verificationKey.toPem() });
      assert.deepEqual(codes(await gate()), ["blocked", "evidence-forged"]);
      await work.commit({
        "ops/reprise.yml": POLICY.replace("machines: vm/101", "machines: none").replace(/ +max-.*\n/g, ""),
      });
      assert.deepEqual(codes(await gate()), ["blocked", "evidence-forged"]);
      assert.deepEqual(codes(await gate({ policyFrom: "head" })), ["not-needed"]);
    }));

  it("says with the line of the policy why it is shut, and which patterns match nothing", () =>
    inStory(async ({ gate }) => {
      const { report } = await gate();
      const [blocked, notice] = report.problems;
      assert.deepEqual([blocked?.code, blocked?.file, blocked?.line], ["GATE_BLOCKED", "ops/reprise.yml", 12]);
      assert.deepEqual([notice?.code, notice?.severity], ["GATE_PATTERN_UNMATCHED", "notice"]);
      assert.match(notice?.message ?? "", /\*\.never/);
    }));

  it("asks for nothing, and reads no evidence, when no rule matches", () =>
    inStory(async ({ work, origin, gate }) => {
      work.git("checkout", "-q", "-b", "docs", "main");
      await work.commit({ "docs/db.md": "1" });
      work.git("remote", "set-url", "origin", `${origin.folder}-gone`);
      assert.deepEqual(codes(await gate({ range: { compare: "merge-base", base: "main", head: "docs" } })), [
        "not-needed",
      ]);
    }));

  it("is shut, with a reason, when changes or keys cannot be read", () =>
    inStory(async ({ work, publish, gate }) => {
      await publish(sign(testOf(2, 25 * HOUR)));
      work.git("checkout", "-q", "--orphan", "orphan");
      await work.commit({ "docs/x": "1" });
      const unknown = await gate({ range: { compare: "merge-base", base: "main", head: "orphan" } });
      assert.deepEqual(codes(unknown), ["blocked", "changes-unknown"]);
      assert.equal(unknown.report.problems[0]?.code, "CHANGES_UNKNOWN");
      assert.deepEqual(JSON.parse(unknown.statements[0] ?? "").subject[0].digest, { gitCommit: work.head("orphan") });
      work.git("checkout", "-q", "main");
      const base = await work.commit({ "ops/keys/ci.pub": "no key" });
      await work.commit({ "db/a.sql": "3" });
      const range = { compare: "direct", base, head: "main" } as const;
      assert.equal(codes(await gate({ range }))[1], "key-unreadable");
    }));

  it("cannot be decided without a policy, a gate of that name, or a base", () =>
    inStory(async ({ work, gate }) => {
      await assertCode(gate({ configPath: "reprise.yml" }), "GATE_POLICY_MISSING");
      await assertCode(gate({ configPath: "../elsewhere.yml" }), "GATE_POLICY_MISSING");
      await assertCode(gate({ gate: "staging" }), "GATE_UNKNOWN");
      const range = { compare: "merge-base", base: "9".repeat(40), head: "topic" } as const;
      await assertCode(gate({ range }), "CHANGES_UNKNOWN");
      const fresh = { compare: "direct", base: "0".repeat(40), head: "topic" } as const;
      await assertCode(gate({ range: fresh }), "GATE_POLICY_MISSING");
      assert.deepEqual(codes(await gate({ range: fresh, defaultBranch: "main" })).slice(0, 1), ["blocked"]);
      await work.commit({ "ops/reprise.yml": "gates: 3\n" });
      await assertCode(gate({ policyFrom: "head" }), "CONFIG_INVALID");
      await mkdir(join(work.folder, "sub"));
      await writeFile(join(work.folder, "sub/x"), "");
      assert.equal(
        codes(await gate({ folder: join(work.folder, "sub"), configPath: "../ops/reprise.yml" }))[0],
        "blocked",
      );
    }));

  it("is overridden by a label and a reason, and both are recorded", () =>
    inStory(async ({ gate }) => {
      const override = { labels: ["skip-gate"], description: "Reason: the disk burns", by: "ada" };
      const { report, statements } = await gate({ override });
      assert.equal(report.outcome, "warned");
      assert.match(report.verdict, /^no: .*; let through by ada: the disk burns$/);
      const [svr, vsa] = statements.map((text) => JSON.parse(text));
      assert.deepEqual(svr.predicate.properties, ["REPRISE_GATE_OVERRIDDEN"]);
      assert.deepEqual(svr.predicate.reprise_gate.override, {
        label: "skip-gate",
        reason: "the disk burns",
        by: "ada",
      });
      assert.equal(vsa.predicate.verificationResult, "FAILED");
      const without = await gate({ override: { ...override, description: "nothing" } });
      assert.equal(without.report.outcome, "failed");
      assert.ok(without.report.problems.some(({ code }) => code === "GATE_OVERRIDE_WITHOUT_REASON"));
    }));

  it("leaves a signed statement about the commit and the snapshots it relied on", () =>
    inStory(async ({ work, publish, gate }) => {
      await publish(sign(testOf(2, 25 * HOUR)));
      const signer = SigningKey.generate();
      const { statements, isSigned } = await gate({}, nowMs, [signer]);
      assert.equal(isSigned, true);
      const [svr, vsa] = statements.map((text) => {
        const envelope = decodeEnvelope(text, "statement");
        assert.equal(signersOf(envelope, [signer.verificationKey]).length, 1);
        return JSON.parse(new TextDecoder().decode(envelope.payload));
      });
      assert.equal(svr.predicateType, "https://in-toto.io/attestation/svr/v0.2");
      assert.deepEqual(svr.subject[0].digest, { gitCommit: work.head("topic") });
      assert.deepEqual(svr.subject[1].digest, { sha256: "02".repeat(32) });
      assert.deepEqual(svr.predicate.properties, ["REPRISE_GATE_GO", "REPRISE_RESTORE_PROVEN"]);
      assert.equal(svr.predicate.verifier.policies[0].digest.sha256.length, 64);
      assert.equal(vsa.predicateType, "https://slsa.dev/verification_summary/v1");
      assert.equal(vsa.predicate.verificationResult, "PASSED");
      assert.equal(vsa.predicate.inputAttestations.length, 1);
      const after = await gate({}, nowMs + 9 * DAY);
      const failed = after.statements.map((text) => JSON.parse(text));
      assert.equal(after.isSigned, false);
      assert.deepEqual(failed[0].predicate.properties, []);
      assert.equal(failed[1].predicate.verificationResult, "FAILED");
      assert.equal(failed[0].subject.length, 1);
    }));

  it("notices a branch that was tampered with", () =>
    inStory(async ({ work, origin, publish, gate }) => {
      await publish(sign(testOf(2, 25 * HOUR)));
      const hurt = GitSandbox.clone(origin.folder, `${work.folder}-hurt`, "--branch=reprise-evidence");
      const [log = ""] = hurt.git("ls-files", "statements").split("\n");
      await hurt.commit({ [log]: "{}" });
      hurt.git("push", "-q", "origin", "HEAD:reprise-evidence");
      assert.equal(codes(await gate())[0], "blocked");
      assert.match(codes(await gate())[1] ?? "", /evidence-(forged|rewritten)/);
    }));

  it("gives a clone without remote history the same verdict", () =>
    inStory(async ({ origin, work, publish, gate }) => {
      await publish(sign(testOf(2, 25 * HOUR)));
      work.git("push", "-q", "origin", "topic");
      const shallow = GitSandbox.clone(`file://${origin.folder}`, `${work.folder}-fork`, "--depth=1", "--branch=topic");
      const range = { compare: "merge-base", base: work.head("main"), head: "HEAD" } as const;
      assert.deepEqual(codes(await gate({ folder: shallow.folder, range })), ["go", "proven"]);
    }));
});
