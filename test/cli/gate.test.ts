// The verb gate with real git repositories and a real repository of backups: as a pipeline other than GitHub's would call it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { signTestEvidence } from "../../core/evidence/testStatements.js";
import { loadCatalog } from "../../core/repository/catalog.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { systemEnvironment } from "../../core/repository/repository.js";
import { storeTestRecord } from "../../core/restoreTest/storedRecords.js";
import { openBackend } from "../../core/storage/openBackend.js";
import { GitSandbox } from "../support/gitSandbox.js";
import { sampleTestRecord } from "../support/sampleTestRecord.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText } from "./runInProcess.js";

const MINUTE = 60_000;
const onWarning = () => {};

interface GateDocument {
  decision: string;
  verdict: string;
  isSigned: boolean;
  statements: string[];
  warnings: object[];
  report: { gate: { machines: { reasons: { code: string }[] }[]; evidence: { source: string } | null } };
}

function policy(location: string, evidence: string, keys: string): string {
  return `version: 1
repositories:
  main: { location: "${location}" }
machines:
  vm/web1: {}
gates:
  production:
    evidence: ${evidence}
    proof: newest
    level: serves
${keys}    rules:
      - paths: [db/]
        machines: vm/web1
    override: { label: skip-gate, reason-prefix: Reason }
`;
}

describe("reprise gate", function () {
  this.timeout(60_000);
  const key = SigningKey.generate();
  let folder: TemporaryFolder;
  let work: GitSandbox;
  let location: string;

  before(async () => {
    folder = await makeTemporaryFolder("cli-gate");
    location = join(folder.path, "backups");
    await cliText(["init", "--repo", location, "--no-encryption"]);
    const origin = GitSandbox.init(join(folder.path, "origin"), "--bare");
    work = GitSandbox.init(join(folder.path, "work"));
    work.git("remote", "add", "origin", origin.folder);
    await commitPolicy("branch", "    keys: ci.pub\n");
    work.git("push", "-q", "origin", "main");
    work.git("remote", "set-head", "origin", "main");
    await writeFile(join(folder.path, "key.pem"), key.toPem(), { mode: 0o600 });
    await backUp();
  });
  after(() => folder.remove());

  /** On main, with a branch `topic` on top that changes `db/`. */
  async function commitPolicy(evidence: string, keys: string): Promise<void> {
    work.git("checkout", "-q", "-B", "main");
    await work.commit({ "reprise.yml": policy(location, evidence, keys), "ci.pub": key.verificationKey.toPem() });
    work.git("branch", "-f", "base");
    work.git("checkout", "-q", "-B", "topic");
    await work.commit({ "db/schema.sql": randomBytes(4).toString("hex") });
  }

  async function backUp(): Promise<void> {
    const disk = join(folder.path, "web1.raw");
    await writeFile(disk, randomBytes(50_000));
    await cliText(["backup", disk, "-g", "vm/web1", "--repo", location]);
  }

  /** Of the newest snapshot, ended five minutes ago. */
  async function storeTest(keys: SigningKey[]): Promise<string[]> {
    const backend = await openBackend(location);
    const environment = systemEnvironment("0.0.1");
    const repository = await openRepository(backend, {
      ...{ environment, cacheFolder: null, onWarning },
      secret: async () => assert.fail("it is not encrypted"),
    });
    const { snapshots, records } = await loadCatalog(repository, { onWarning });
    const newest = snapshots.at(-1)!;
    const sample = sampleTestRecord();
    const at = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
    const times = { ...sample.times, startedAt: at(10 * MINUTE), finishedAt: at(-MINUTE) };
    const backup = { ...sample.backup, snapshotId: newest.sid, manifestDigest: newest.digest };
    const record = { ...sample, recordId: randomBytes(16).toString("hex"), backup, times };
    const envelopes = keys.length === 0 ? [] : signTestEvidence(record, keys);
    await storeTestRecord(repository, newest, record, envelopes, records);
    await backend.close();
    return envelopes;
  }

  const gate = (...args: string[]) => ["gate", "--git", work.folder, "--base", "base", ...args];
  async function decided(code: number, ...args: string[]): Promise<GateDocument> {
    return await cliJson<GateDocument>(gate(...args), { code });
  }
  function codes({ decision, report }: GateDocument): string[] {
    return [decision, ...(report.gate.machines[0]?.reasons.map(({ code }) => code) ?? [])];
  }

  it("decides from the evidence branch, without a repository or a secret", async () => {
    assert.deepEqual(codes(await decided(1)), ["blocked", "evidence-missing", "machine-unknown"]);
    await storeTest([key]);
    const publish = ["evidence", "publish", "vm/web1", "--git", work.folder, "--repo", location];
    await cliText([...publish, "--signing-key", join(folder.path, "key.pem")]);
    const open = await decided(0);
    assert.deepEqual(codes(open), ["go", "proven"]);
    assert.match(open.verdict, /^go: vm\/web1 has a backup from .* \(level serves, RTO 45\.0 s\)$/);
    const text = await cliText(["gate", "--git", work.folder]);
    assert.match(text, /^Gate go: (?:go: )?vm\/web1/);
    await backUp();
    await cliText([...publish, "--signing-key", join(folder.path, "key.pem")]);
    assert.deepEqual(codes(await decided(1)), ["blocked", "untested"]);
  });

  it("decides from the repository, where signatures count as well when keys are named", async () => {
    await commitPolicy("main", "    keys: ci.pub\n");
    await storeTest([]);
    assert.deepEqual(codes(await decided(1)), ["blocked", "untested"]);
    await storeTest([SigningKey.generate()]);
    assert.equal(codes(await decided(1))[1], "evidence-forged");
    await storeTest([key]);
    const open = await decided(0);
    assert.deepEqual(codes(open), ["go", "proven"]);
    assert.equal(open.report.gate.evidence?.source, "repository");
    await backUp();
    await storeTest([]);
    await commitPolicy("main", "");
    assert.deepEqual(codes(await decided(0)), ["go", "proven"]);
    await commitPolicy("main", "    keys: gone.pub\n");
    assert.equal(codes(await decided(1))[1], "key-unreadable");
  });

  it("is shut by a repository that is not there, and by a manifest that cannot be read", async () => {
    const real = location;
    location = join(folder.path, "nowhere");
    await commitPolicy("main", "");
    location = real;
    assert.deepEqual(codes(await decided(1)), ["blocked", "repository-unreadable", "machine-unknown"]);
    await commitPolicy("main", "");
    await storeTest([]);
    assert.equal((await decided(0)).decision, "go");
    // one that may be the newest snapshot of this machine
    const manifest = join(location, "snapshots", "ff".repeat(16));
    await writeFile(manifest, randomBytes(100));
    assert.equal(codes(await decided(1))[1], "repository-unreadable");
    await rm(manifest);
    const record = join(location, "records", "ff".repeat(16));
    await writeFile(record, randomBytes(100));
    assert.equal(codes(await decided(1))[1], "repository-unreadable");
    await rm(record);
  });

  it("ends with 0 for go, whatever there is to warn of besides", async () => {
    await commitPolicy("main", "");
    // it hides no snapshot
    const forgotten = join(location, "forgotten", "ff".repeat(16));
    await mkdir(join(location, "forgotten"), { recursive: true });
    await writeFile(forgotten, randomBytes(100));
    const { decision, warnings } = await decided(0);
    assert.deepEqual([decision, warnings.length], ["go", 1]);
    await rm(forgotten);
  });

  it("writes signed and unsigned statements, and replaces no file without being told", async () => {
    await commitPolicy("main", "");
    const out = join(folder.path, "verdict.intoto.jsonl");
    await decided(0, "--out", out);
    const lines = (await readFile(out, "utf8")).trimEnd().split("\n");
    assert.equal(JSON.parse(lines[0] ?? "").predicateType, "https://in-toto.io/attestation/svr/v0.2");
    assert.equal((await cli(gate("--out", out))).code, 2);
    const signed = await decided(0, "--out", out, "--force", "--signing-key", join(folder.path, "key.pem"));
    assert.equal(signed.isSigned, true);
    assert.equal(JSON.parse((await readFile(out, "utf8")).split("\n")[0] ?? "").signatures.length, 1);
    const reports = join(folder.path, "reports");
    await decided(0, "--report", reports);
    assert.ok((await stat(reports)).isDirectory());
  });

  it("is overridden with a label and a reason", async () => {
    await commitPolicy("main", "    keys: gone.pub\n");
    const description = join(folder.path, "description.md");
    await writeFile(description, "Fixes it.\n\nReason: the site is down\n");
    const asked = ["--label", "skip-gate", "--by", "ada"];
    assert.equal((await decided(1, ...asked)).decision, "blocked");
    const passed = await decided(0, ...asked, "--description-file", description);
    assert.equal(passed.decision, "overridden");
    assert.match(passed.verdict, /let through by ada: the site is down$/);
    const { code, stdout } = await cli(gate(...asked, "--description-file", join(folder.path, "gone.md"), "--json"));
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).error.code, "DESCRIPTION_UNREADABLE");
  });

  it("ends with 2 or 64 when it cannot be decided", async () => {
    const error = async (...args: string[]) => {
      const { code, stdout } = await cli([...args, "--json"]);
      return [code, JSON.parse(stdout).error.code];
    };
    assert.deepEqual(await error(...gate("--config", "gone.yml")), [2, "GATE_POLICY_MISSING"]);
    assert.deepEqual(await error(...gate("--gate", "staging")), [64, "GATE_UNKNOWN"]);
    assert.deepEqual(await error("gate", "--git", work.folder, "--base", "1".repeat(40), "--no-fetch"), [
      2,
      "CHANGES_UNKNOWN",
    ]);
    assert.deepEqual(await error("gate", "--git", folder.path), [2, "GIT_REPOSITORY_MISSING"]);
    assert.deepEqual(await error(...gate("--head", "--output=x")), [64, "GIT_NAME_INVALID"]);
  });

  it("compares what a push, a new branch or a tag brings", async () => {
    await commitPolicy("main", "");
    const push = ["gate", "--git", work.folder, "--compare", "direct", "--head", "topic"];
    assert.equal((await cliJson<GateDocument>([...push, "--base", "base"])).decision, "go");
    const fresh = [...push, "--base", "0".repeat(40)];
    assert.equal((await cliJson<GateDocument>([...fresh, "--default-branch", "topic"])).decision, "not-needed");
    assert.equal((await cli(fresh)).code, 2);
    work.git("tag", "v1", "base");
    const tag = ["gate", "--git", work.folder, "--base", "v1", "--head", "topic"];
    assert.equal((await cliJson<GateDocument>(tag)).decision, "go");
  });
});
