// `evidence publish` and `evidence log` as a person or a pipeline uses them, with a real git remote.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { signTestEvidence } from "../../core/evidence/testStatements.js";
import { readEvidenceBranch } from "../../core/evidenceBranch/readEvidenceBranch.js";
import { loadCatalog } from "../../core/repository/catalog.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { systemEnvironment } from "../../core/repository/repository.js";
import { storeTestRecord } from "../../core/restoreTest/storedRecords.js";
import { openBackend } from "../../core/storage/openBackend.js";
import { type GitRemote, makeGitRemote, writeAt } from "../evidenceBranch/gitRemote.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";
import { cli, cliJson, cliText, memoryLocation } from "./runInProcess.js";

const MINUTE = 60_000;
const onWarning = () => {};

interface Published {
  status: string;
  commit: string | null;
  sequence: number | null;
  added: { digest: string; predicateType: string }[];
  dropped: string[];
  alreadyThere: number;
  machines: { machine: string; snapshots: number; tests: number; unsignedTests: number }[];
}

interface Log {
  state: string;
  problems: string[];
  entries: { sequence: number; by: string; signedBy: string[]; added: number; about: string[] }[];
  statements: number;
}

describe("the evidence branch on the command line", function () {
  this.timeout(60_000);
  let remote: GitRemote;
  let env: Record<string, string>;
  let place: string[];
  const key = SigningKey.generate();
  const file = (name: string) => join(remote.folder, name);

  beforeEach(async () => {
    remote = await makeGitRemote("cli-publish");
    place = ["--git", remote.clone("work")];
    await writeFile(file("key.pem"), key.toPem(), { mode: 0o600 });
    await writeFile(file("key.pub"), key.verificationKey.toPem());
    await writeFile(file("other.pub"), SigningKey.generate().verificationKey.toPem());
    env = { REPRISE_REPOSITORY: memoryLocation(), REPRISE_SIGNING_KEY: key.toPem() };
    await cliText(["init", "--no-encryption"], { env });
    for (const machine of ["vm/web1", "vm/db"]) await backUp(machine);
  });
  afterEach(() => remote.remove());

  async function backUp(machine: string): Promise<void> {
    await writeFile(file("disk.raw"), randomBytes(20_000));
    await cliText(["backup", file("disk.raw"), "-g", machine], { env });
  }

  /** Stores a test of the machine's newest snapshot; its envelopes. */
  async function test(machine: string, keys: readonly SigningKey[] = [key]): Promise<string[]> {
    const backend = await openBackend(env.REPRISE_REPOSITORY as string);
    const secret = async () => assert.fail("the repository is not encrypted");
    const trust = { stateFolder: file("state"), expected: undefined, onFirstMeeting: () => {} };
    const environment = systemEnvironment("0.0.1");
    const repository = await openRepository(backend, { secret, environment, cacheFolder: null, onWarning, trust });
    const { snapshots, records } = await loadCatalog(repository, { onWarning });
    const snapshot = snapshots.filter(({ manifest }) => manifest.group === machine).at(-1);
    assert.ok(snapshot);
    const record = recordWithOutcome("passed");
    const at = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
    const tested = {
      ...record,
      recordId: randomBytes(16).toString("hex"),
      asset: { ...record.asset, machine },
      backup: { ...record.backup, snapshotId: snapshot.sid, manifestDigest: snapshot.digest },
      times: { ...record.times, startedAt: at(10 * MINUTE), finishedAt: at(5 * MINUTE) },
    };
    const envelopes = keys.length === 0 ? [] : signTestEvidence(tested, keys);
    await storeTestRecord(repository, snapshot, tested, envelopes, records);
    return envelopes;
  }

  const publish = (args: string[], code = 0) =>
    cliJson<Published>(["evidence", "publish", ...args, ...place], { env, code });
  const log = (code = 0, pub = "key.pub") => cliJson<Log>(["evidence", "log", "--key", file(pub), ...place], { code });
  async function facts() {
    const trust = { keys: [key.verificationKey], nowMs: Date.now(), repositoryId: null };
    return await readEvidenceBranch(await remote.place(place[1] ?? ""), trust);
  }

  it("publishes what the whole repository has to say", async () => {
    await test("vm/web1");
    const first = await publish([]);
    assert.deepEqual([first.status, first.sequence, first.added.length], ["published", 1, 4]);
    assert.deepEqual(
      first.machines.map(({ machine, snapshots, tests }) => [machine, snapshots, tests]),
      [
        ["vm/db", 1, 0],
        ["vm/web1", 1, 1],
      ],
    );
    const { machines, problems } = await facts();
    assert.deepEqual([problems, [...machines.keys()]], [[], ["vm/db", "vm/web1"]]);
    assert.equal(machines.get("vm/web1")?.envelopes.length, 2);
  });

  it("publishes one machine, again with what is new about it", async () => {
    await publish(["vm/web1"]);
    await backUp("vm/web1");
    await test("vm/web1");
    const second = await publish(["vm/web1"]);
    assert.deepEqual([second.sequence, second.added.length], [2, 3]);
    const web1 = (await facts()).machines.get("vm/web1");
    assert.deepEqual([web1?.snapshots.length, web1?.envelopes.length], [2, 2]);
    const text = await cliText(["evidence", "log", "--key", file("key.pub"), ...place]);
    assert.match(text, /ENTRY +PUBLISHED/);
    assert.match(text, /inventory of vm\/web1, restore test of vm\/web1, test result of vm\/web1/);
  });

  it("publishes files without a repository, and none of them twice", async () => {
    const envelopes = await test("vm/web1");
    await writeFile(file("e.jsonl"), envelopes.map((text) => `${text}\n`).join(""));
    env = { REPRISE_SIGNING_KEY: key.toPem() };
    assert.equal((await publish([file("e.jsonl")])).added.length, 2);
    const again = await publish([file("e.jsonl")]);
    assert.deepEqual([again.status, again.alreadyThere, again.added], ["nothing-new", 2, []]);
    const text = await cliText(["evidence", "publish", file("e.jsonl"), ...place], { env });
    assert.match(text, /^nothing new: 2 statements there already/m);
  });

  it("says in a dry run what it would do", async () => {
    const { status, sequence, added } = await publish(["vm/db@latest", "--dry-run"]);
    assert.deepEqual([status, sequence, added.length], ["would-publish", 1, 1]);
    assert.equal(((await log(2)) as unknown as { error: { code: string } }).error.code, "EVIDENCE_BRANCH_MISSING");
  });

  it("says that a machine has nothing, with a warning, and that tests are not signed", async () => {
    await test("vm/web1", []);
    const { stderr } = await cli(["evidence", "publish", "vm/web1", ...place], { env });
    assert.match(stderr, /1 restore test of vm\/web1 without a signature/);
    const { machines } = await publish(["vm/gone"], 3);
    assert.deepEqual(machines, [{ machine: "vm/gone", snapshots: 0, tests: 0, unsignedTests: 0 }]);
    assert.deepEqual((await facts()).machines.get("vm/gone")?.snapshots, []);
  });

  it("drops what is old or unwanted", async () => {
    const [first] = (await publish(["vm/db"])).added;
    assert.deepEqual((await publish(["vm/db", "--keep", "0s"])).dropped, [first?.digest]);
    const { added } = await publish(["vm/web1", "--keep", "forever"]);
    const last = await publish(["vm/web1", "--drop", added[0]?.digest ?? "", "--author", "Ops <ops@example.com>"]);
    assert.deepEqual(last.dropped, [added[0]?.digest]);
    assert.equal(remote.git(remote.bare, "log", "-1", "--format=%an %ae", last.commit ?? ""), "Ops ops@example.com");
    const { state, statements, entries } = await log();
    assert.deepEqual([state, statements, entries.length], ["sound", 2, 4]);
  });

  it("lists the log and who has signed it", async () => {
    await publish(["vm/web1"]);
    await publish(["vm/db"]);
    const { state, entries } = await log();
    assert.equal(state, "sound");
    assert.deepEqual(
      entries.map(({ sequence, signedBy, about }) => [sequence, signedBy, about]),
      [
        [1, [key.verificationKey.keyId], ["inventory of vm/web1"]],
        [2, [key.verificationKey.keyId], ["inventory of vm/db"]],
      ],
    );
    const newest = await cliJson<Log>(["evidence", "log", "-n", "1", "--key", file("key.pub"), ...place]);
    assert.deepEqual(
      newest.entries.map(({ sequence }) => sequence),
      [2],
    );
    const strange = await log(1, "other.pub");
    assert.deepEqual([strange.state, strange.entries.length], ["forged", 2]);
  });

  it("tells what somebody has changed, and publishes nothing upon it", async () => {
    await publish(["vm/web1"]);
    await remote.tamper((folder) => writeAt(folder, "log/\n::error::\u001b[2Jx", "{}"));
    const { code, stdout } = await cli(["evidence", "log", "--key", file("key.pub"), ...place]);
    assert.equal(code, 1);
    assert.match(stdout, /FORGED: 1 publication, 2 problems/);
    assert.doesNotMatch(stdout, /^::|\p{Co}|(?!\n)\p{Cc}/mu);
    const refused = await cliJson<{ error: { code: string } }>(["evidence", "publish", "vm/db", ...place], {
      env,
      code: 1,
    });
    assert.equal(refused.error.code, "EVIDENCE_BRANCH_INVALID");
  });

  it("refuses what it cannot do, with a code and without secrets", async () => {
    const codeOf = async (args: string[], code: number) =>
      (await cliJson<{ error: { code: string } }>(["evidence", "publish", ...args], { env, code })).error.code;
    assert.equal(await codeOf(["vm/web1", "--git", file("nowhere")], 2), "GIT_REPOSITORY_MISSING");
    assert.equal(await codeOf(["vm/web1", ...place, "--keep", "soon"], 64), "COMMAND_LINE_INVALID");
    assert.equal(await codeOf(["vm/web1", ...place, "--drop", "x"], 64), "COMMAND_LINE_INVALID");
    assert.equal(await codeOf(["vm/web1", ...place, "--author", "x"], 64), "COMMAND_LINE_INVALID");
    assert.equal(await codeOf(["vm/gone@latest", ...place], 2), "SNAPSHOT_NOT_FOUND");
    assert.equal(await codeOf([file("not-there.jsonl"), ...place], 2), "EVIDENCE_UNREADABLE");
    assert.equal(await codeOf([file("key.pem"), ...place], 2), "EVIDENCE_UNREADABLE");
    for (const address of [
      "https://user:canary@localhost:1/x.git",
      "https://canary@localhost:1/x",
      "ssh://u:canary@h/x",
    ]) {
      const args = ["evidence", "publish", "vm/web1", ...place, "--remote", address];
      const { code, stdout, stderr } = await cli(args, { env });
      assert.equal(code, 64, stderr);
      assert.ok(!(stdout + stderr).includes("canary"), stderr);
    }
    env = { REPRISE_REPOSITORY: env.REPRISE_REPOSITORY as string };
    assert.equal(await codeOf(["vm/web1", ...place], 2), "SIGNING_KEY_MISSING");
  });
});
