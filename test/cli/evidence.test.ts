// The verbs around evidence, as a person or a gate uses them: keys, checking, export.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SigningKey } from "../../core/evidence/signingKey.js";
import { signTestEvidence } from "../../core/evidence/testStatements.js";
import type { RestoreTestRecord } from "../../core/format/restoreTestRecord.js";
import { loadCatalog } from "../../core/repository/catalog.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { systemEnvironment } from "../../core/repository/repository.js";
import { storeTestRecord } from "../../core/restoreTest/storedRecords.js";
import { openBackend } from "../../core/storage/openBackend.js";
import { checkEnvelope, pae } from "../evidence/independentDsse.js";
import { recordWithOutcome } from "../support/sampleTestRecord.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { type CliResult, cli, cliJson, cliText, memoryLocation } from "./runInProcess.js";

const MINUTE = 60_000;
const onWarning = () => {};

interface Verdict {
  decision: string;
  snapshotId: string | null;
  reasons: { code: string; message: string; file: string | null; envelope: number | null }[];
  ignored: { code: string }[];
  test: { recordId: string; provenLevel: string; signedBy: string[] } | null;
}

/** A test of this snapshot that has just ended. */
function recordFor(snapshot: { sid: string; digest: string }, outcome: "passed" | "failed" | "warned") {
  const record = recordWithOutcome(outcome);
  const at = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
  return {
    ...record,
    recordId: randomBytes(16).toString("hex"),
    backup: { ...record.backup, snapshotId: snapshot.sid, manifestDigest: snapshot.digest },
    times: { ...record.times, startedAt: at(10 * MINUTE), finishedAt: at(5 * MINUTE) },
  };
}

describe("evidence on the command line", function () {
  this.timeout(30_000);
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  const key = SigningKey.generate();
  const file = (name: string) => join(folder.path, name);

  before(async () => {
    folder = await makeTemporaryFolder("cli-evidence");
    env = { REPRISE_REPOSITORY: memoryLocation() };
    await writeFile(file("key.pem"), key.toPem(), { mode: 0o600 });
    await writeFile(file("key.pub"), key.verificationKey.toPem());
    await writeFile(file("other.pub"), SigningKey.generate().verificationKey.toPem());
    await writeFile(file("web1.raw"), randomBytes(50_000));
    await cliText(["init", "--no-encryption"], { env });
    for (let number = 0; number < 2; number++) {
      await writeFile(file("web1.raw"), randomBytes(50_000));
      await cliText(["backup", file("web1.raw"), "-g", "vm/web1"], { env });
    }
  });
  after(() => folder.remove());

  /** Stores a record of the newest snapshot of vm/web1, or of the one before, and answers its envelopes as a file. */
  async function test(outcome: "passed" | "failed" | "warned", back = 0): Promise<string> {
    const backend = await openBackend(env.REPRISE_REPOSITORY as string);
    const environment = systemEnvironment("0.0.1");
    const secret = async () => assert.fail("the repository is not encrypted");
    const trust = { stateFolder: file("state"), expected: undefined, onFirstMeeting: () => {} };
    const repository = await openRepository(backend, { secret, environment, cacheFolder: null, onWarning, trust });
    const { snapshots, records } = await loadCatalog(repository, { onWarning });
    const snapshot = snapshots.filter(({ manifest }) => manifest.group === "vm/web1").at(-1 - back);
    assert.ok(snapshot);
    const record: RestoreTestRecord = recordFor(snapshot, outcome);
    const envelopes = signTestEvidence(record, [key]);
    await storeTestRecord(repository, snapshot, record, envelopes, records);
    const name = file(`${record.recordId}.intoto.jsonl`);
    await writeFile(name, envelopes.map((text) => `${text}\n`).join(""));
    return name;
  }

  const verify = (args: string[], code: number) => cliJson<Verdict>(["evidence", "verify", ...args], { env, code });
  const codesOf = ({ decision, reasons }: Verdict) =>
    decision === "accepted" ? decision : reasons.map(({ code }) => code).join();

  describe("key signing", () => {
    it("makes a key in a file that only its owner reads, and prints the public half and nothing else", async () => {
      const path = file("new.pem");
      const { code, stdout, stderr } = await cli(["key", "signing", "generate", "--out", path]);
      assert.equal(code, 0, stderr);
      const pem = await readFile(path, "utf8");
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      assert.match(stdout, /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n$/);
      assert.match(stderr, /private key is in/);
      const secret = pem.split("\n")[1] as string;
      assert.ok(!(stdout + stderr).includes(secret));
      assert.equal(await cliText(["key", "signing", "public", "--signing-key", path]), stdout);
      assert.equal(await cliText(["key", "signing", "public"], { env: { REPRISE_SIGNING_KEY: pem } }), stdout);
      assert.equal(await cliText(["key", "signing", "public"], { env: { REPRISE_SIGNING_KEY_FILE: path } }), stdout);
      const document = await cliJson(["key", "signing", "public", "--signing-key", path]);
      assert.deepEqual(Object.keys(document), ["keyId", "publicKey", "warnings"]);
      const derived = execFileSync("openssl", ["pkey", "-in", path, "-pubout"], { encoding: "utf8" });
      assert.equal(derived, stdout, "openssl reads it, too");
      const again = await cli(["key", "signing", "generate", "--out", path]);
      assert.equal(again.code, 64);
      assert.equal(await readFile(path, "utf8"), pem, "an existing key is not replaced");
    });

    it("takes a key that openssl has made", async () => {
      execFileSync("openssl", ["genpkey", "-algorithm", "ed25519", "-out", file("openssl.pem")]);
      const printed = await cliText(["key", "signing", "public", "--signing-key", file("openssl.pem")]);
      const derived = execFileSync("openssl", ["pkey", "-in", file("openssl.pem"), "-pubout"], { encoding: "utf8" });
      assert.equal(printed, derived);
    });

    it("says what is missing or wrong, and shows no key", async () => {
      const missing = await cliJson<{ error: { code: string } }>(["key", "signing", "public"], { code: 2 });
      assert.equal(missing.error.code, "SIGNING_KEY_MISSING");
      await writeFile(file("canary.pem"), "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
      const canary = await readFile(file("canary.pem"), "utf8");
      const attempts: CliResult[] = [
        await cli(["key", "signing", "public", "--signing-key", file("canary.pem")]),
        await cli(["key", "signing", "public"], { env: { REPRISE_SIGNING_KEY: canary, REPRISE_DEBUG: "1" } }),
        await cli(["key", "signing", "public", "--signing-key", file("not-there.pem"), "--json"]),
        await cli(["key", "signing", "public", "--signing-key", file("key.pub")]),
      ];
      for (const { code, stdout, stderr } of attempts) {
        assert.equal(code, 2);
        assert.match(stdout + stderr, /SIGNING_KEY_INVALID/);
        assert.ok(!(stdout + stderr).includes("canary\n"));
      }
      for (const args of [["destroy"], [], ["public", "--out", "x"], ["generate", "--signing-key", "x"]])
        assert.equal((await cli(["key", "signing", ...args])).code, 64, args.join(" "));
    });
  });

  describe("evidence verify", () => {
    let good: string;
    let trusted: string[];
    before(async () => {
      good = await test("passed");
      trusted = ["--key", file("key.pub"), "--snapshot", "vm/web1@latest"];
    });

    it("accepts what proves the snapshot", async () => {
      const demands = ["--require-level", "serves", "--require-check", "http", "--max-age", "1h"];
      const verdict = await verify([good, ...trusted, ...demands], 0);
      assert.equal(verdict.decision, "accepted");
      assert.match(verdict.snapshotId ?? "", /^[0-9a-f]{32}$/);
      assert.deepEqual([verdict.test?.provenLevel, verdict.test?.signedBy], ["serves", [key.verificationKey.keyId]]);
      const text = await cliText(["evidence", "verify", good, ...trusted], { env });
      assert.match(text, /^accepted\n {2}test of vm\/web1, passed, proves: serves; ended .* ago\n {2}signed by /);
    });

    it("needs no repository when the digest is given", async () => {
      const [newest] = (await cliJson<{ digest: string }[]>(["snapshots"], { env })).slice(-1);
      const args = ["evidence", "verify", good, "--key", file("key.pub"), "--digest", newest?.digest ?? ""];
      assert.equal((await cliJson<Verdict>(args)).decision, "accepted");
    });

    it("rejects another key, another snapshot, a changed payload, and what the policy does not allow", async () => {
      const other = ["--key", file("other.pub"), "--snapshot", "vm/web1@latest"];
      assert.equal(codesOf(await verify([good, ...other], 1)), "signature-untrusted");
      const before = ["--key", file("key.pub"), "--snapshot", "vm/web1~1"];
      assert.equal(codesOf(await verify([good, ...before], 1)), "subject-differs");
      const [line] = (await readFile(good, "utf8")).split("\n");
      const { payload, ...rest } = JSON.parse(line as string) as { payload: string };
      const changed = Buffer.from(payload, "base64").toString().replace('"serves"', '"intact"');
      const forgery = { ...rest, payload: Buffer.from(changed).toString("base64") };
      await writeFile(file("forged.json"), JSON.stringify(forgery, undefined, 2));
      assert.equal(codesOf(await verify([file("forged.json"), ...trusted], 1)), "signature-untrusted");
      assert.equal(codesOf(await verify([good, ...trusted, "--require-check", "canary"], 1)), "check-missing");
      assert.equal(codesOf(await verify([good, ...trusted, "--max-age", "1min"], 1)), "too-old");
      const inMinutes = await verify([good, ...trusted, "--max-age", "1m"], 1);
      assert.equal(codesOf(inMinutes), "too-old", "m: minutes, as in specs");
      assert.match(inMinutes.reasons[0]?.message ?? "", /, 5 min .*ago; allowed are 1 min$/);
      const both = ["--key", file("other.pub"), "--threshold", "2"];
      assert.equal(codesOf(await verify([good, ...trusted, ...both], 1)), "signature-untrusted");
      const warned = await test("warned", 1);
      assert.equal(codesOf(await verify([warned, ...before], 1)), "warned");
      assert.equal(codesOf(await verify([warned, ...before, "--allow-warned"], 0)), "accepted");
    });

    it("tells where a reason lies, and quotes nothing that a terminal would obey", async () => {
      const evil = { payloadType: "\u001b[31mx", payload: "", signatures: [] };
      await writeFile(file("evil.jsonl"), `{}\n${JSON.stringify(evil)}\n`);
      const verdict = await verify([file("evil.jsonl"), ...trusted], 1);
      assert.deepEqual(
        verdict.ignored.map(({ code }) => code),
        ["envelope-invalid", "payload-type-unknown"],
      );
      const { stdout } = await cli(["evidence", "verify", file("evil.jsonl"), ...trusted], { env });
      assert.match(stdout, /^REJECTED\n/);
      assert.match(stdout, /evil\.jsonl, envelope 2/);
      assert.ok(!stdout.includes("\u001b"));
    });

    it("rejects when the newest test has failed", async () => {
      const failed = await test("failed", 1);
      const passedBefore = await test("passed", 1);
      const before = ["--key", file("key.pub"), "--snapshot", "vm/web1~1"];
      assert.equal(codesOf(await verify([failed, ...before], 1)), "failed");
      assert.equal(codesOf(await verify([failed, passedBefore, ...before], 0)), "accepted", "it passed again later");
    });

    it("ends with 2 when nothing could be checked, and with 64 when it was asked wrongly", async () => {
      await writeFile(file("empty"), "");
      const could = [
        [file("not-there"), ...trusted],
        [file("empty"), ...trusted],
        [good, "--key", file("not-there.pub"), "--snapshot", "vm/web1@latest"],
        [good, "--key", file("key.pem"), "--snapshot", "vm/web1@latest"],
        [good, "--key", file("key.pub"), "--snapshot", "vm/nothing@latest"],
      ];
      for (const args of could) assert.equal((await cli(["evidence", "verify", ...args], { env })).code, 2, args[0]);
      const wrong = [
        [good, "--key", file("key.pub")],
        [good, "--snapshot", "vm/web1@latest"],
        [good, ...trusted, "--digest", "00".repeat(32)],
        [good, "--key", file("key.pub"), "--digest", "abc"],
        [good, ...trusted, "--require-level", "perfect"],
        [good, ...trusted, "--max-age", "soon"],
        [good, ...trusted, "--max-age", "1mo"],
        [good, ...trusted, "--max-age", "1y"],
        [good, ...trusted, "--threshold", "0"],
        [...trusted],
      ];
      for (const args of wrong)
        assert.equal((await cli(["evidence", "verify", ...args], { env })).code, 64, args.join());
    });
  });

  describe("evidence export", () => {
    it("hands over what others need: the manifest, records, envelopes that openssl and cosign can check", async () => {
      const out = file("export");
      const document = await cliJson<{ files: string[]; digest: string; tests: { recordId: string }[] }>(
        ["evidence", "export", "vm/web1@latest", "--out", out],
        { env },
      );
      assert.deepEqual((await readdir(out)).sort(), [...document.files].sort());
      const manifest = await readFile(join(out, "manifest.json"));
      assert.equal(createHash("sha256").update(manifest).digest("hex"), document.digest);
      const pem = key.verificationKey.toPem();
      const lines = (await readFile(join(out, "evidence.intoto.jsonl"), "utf8")).trimEnd().split("\n");
      for (const line of lines) {
        const { signers, body } = checkEnvelope(line, [pem]);
        assert.deepEqual(signers, [pem]);
        const { subject } = JSON.parse(body.toString()) as { subject: { digest: { sha256: string } }[] };
        assert.equal(subject[0]?.digest.sha256, document.digest);
      }
      const [{ recordId }] = document.tests as [{ recordId: string }];
      const record = JSON.parse(await readFile(join(out, `test-${recordId}.json`), "utf8")) as RestoreTestRecord;
      assert.equal(record.recordId, recordId);
      const bare = await readFile(join(out, `test-${recordId}.1.cosign.json`), "utf8");
      assert.ok(!bare.includes("keyid"));
      assert.deepEqual(checkEnvelope(bare, [pem]).signers, [pem]);
      const all = ["evidence", "verify", join(out, "evidence.intoto.jsonl"), "--key", file("key.pub")];
      assert.equal((await cliJson<Verdict>([...all, "--digest", document.digest])).decision, "accepted");
    });

    it("gives bytes whose signature openssl finds good", async () => {
      const out = file("export");
      const name = (await readdir(out)).find((each) => each.endsWith(".1.cosign.json")) as string;
      const envelope = JSON.parse(await readFile(join(out, name), "utf8")) as {
        payloadType: string;
        payload: string;
        signatures: [{ sig: string }];
      };
      await writeFile(file("signed"), pae(envelope.payloadType, Buffer.from(envelope.payload, "base64")));
      await writeFile(file("signature"), Buffer.from(envelope.signatures[0].sig, "base64"));
      const args = ["pkeyutl", "-verify", "-pubin", "-inkey", file("key.pub"), "-rawin"];
      const files = ["-in", file("signed"), "-sigfile", file("signature")];
      assert.match(execFileSync("openssl", [...args, ...files], { encoding: "utf8" }), /Verified Successfully/);
    });

    it("replaces nothing without --force, and says when there was no test", async () => {
      const again = ["evidence", "export", "vm/web1@latest", "--out", file("export")];
      assert.equal((await cliJson<{ error: { code: string } }>(again, { env, code: 2 })).error.code, "TARGET_EXISTS");
      await cliJson([...again, "--force"], { env });
      await cliText(["backup", file("web1.raw"), "-g", "vm/untested"], { env });
      const text = await cliText(["evidence", "export", "vm/untested@latest", "--out", file("none")], { env });
      assert.match(text, /manifest\.json\nthis snapshot has not been tested/);
    });
  });

  describe("snapshots and show", () => {
    it("tell of the newest test", async () => {
      await test("failed");
      const [newest] = (await cliJson<{ group: string; restoreTest: object }[]>(["snapshots"], { env }))
        .filter(({ restoreTest }) => restoreTest !== null)
        .slice(-1);
      assert.deepEqual(Object.keys(newest?.restoreTest ?? {}), ["outcome", "provenLevel", "at", "recordId", "of"]);
      const list = await cliText(["snapshots", "--group", "vm/web1"], { env });
      const { at = "" } = (newest?.restoreTest ?? {}) as { at?: string };
      assert.match(
        list,
        new RegExp(`serves \\d{4}-\\d\\d-\\d\\d\\n.*FAILED ${at.slice(0, 10)}`),
        "midnight may lie between",
      );
      assert.match(await cliText(["show", "vm/web1@latest"], { env }), /tested +\S+: failed, proven: boots, record /);
      assert.match(await cliText(["show", "vm/untested@latest"], { env }), /tested +never/);
    });
  });
});
