import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { RepositoryWriter } from "./repositoryWriter.js";
import { rescueProgram, runRescue } from "./runRescue.js";

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function recoveryText(key: Buffer): string {
  const check = createHash("sha256").update(key).digest().subarray(0, 3);
  const bits = [...key, ...check].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = bits.match(/.{5}/g)!.map((five) => crockford[Number.parseInt(five, 2)]);
  return `RPRS1-${letters
    .join("")
    .match(/.{1,5}/g)!
    .join("-")}`;
}

describe("rescue: secrets", () => {
  const passphrase = "Ångström ﬁne"; // other after NFKC
  const recovery = randomBytes(32);
  let folder: TemporaryFolder;
  let writer: RepositoryWriter;
  const list = (env: Record<string, string>) => runRescue(["list"], { repo: writer.folder, env });

  async function opens(env: Record<string, string>): Promise<void> {
    const run = await list(env);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /vm\/a/);
  }

  beforeEach(async () => {
    folder = await makeTemporaryFolder("rescue");
    writer = new RepositoryWriter(join(folder.path, "repo"), { encrypted: true });
    writer.addPassphrase("another person's");
    writer.addPassphrase(passphrase);
    writer.addRecoveryKey(recovery);
    writer.writeSnapshot([]);
  });

  afterEach(() => folder.remove());

  it("takes a passphrase in any normal form", async () => {
    for (const form of ["NFC", "NFD", "NFKC", "NFKD"]) await opens({ REPRISE_PASSPHRASE: passphrase.normalize(form) });
  });

  it("takes a file, without the end of its line", async () => {
    const file = join(folder.path, "secret");
    for (const end of ["", "\n", "\r\n"]) {
      writeFileSync(file, passphrase + end);
      await opens({ REPRISE_PASSPHRASE_FILE: file });
    }
    writeFileSync(file, `${passphrase}\n\n`);
    assert.equal((await list({ REPRISE_PASSPHRASE_FILE: file })).code, 2);
    const missing = await list({ REPRISE_PASSPHRASE_FILE: join(folder.path, "missing") });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /ENOENT/);
  });

  it("takes a recovery key as people write it", async () => {
    const text = recoveryText(recovery);
    await opens({ REPRISE_RECOVERY_KEY: text });
    await opens({ REPRISE_RECOVERY_KEY: text.toLowerCase().replaceAll("-", " ") });
    await opens({ REPRISE_RECOVERY_KEY: ` ${text.slice(6).replaceAll("0", "o").replaceAll("1", "l")}\n` });
    await opens({ REPRISE_PASSPHRASE: text });
  });

  it("refuses wrong ones", async () => {
    const wrong = recoveryText(Buffer.alloc(32, 7));
    const wrongOnes: Record<string, string>[] = [{ REPRISE_PASSPHRASE: "guess" }, { REPRISE_RECOVERY_KEY: wrong }];
    for (const env of wrongOnes) {
      const run = await list(env);
      assert.equal(run.code, 2);
      assert.match(run.stderr, /wrong passphrase or recovery key/);
    }
  });

  it("says how to give one when there is no terminal", async () => {
    const run = await list({});
    assert.equal(run.code, 2);
    assert.match(run.stderr, /REPRISE_PASSPHRASE/);
  });

  it("asks on a terminal and shows nothing of it", async function () {
    if (!existsSync("/usr/bin/script")) this.skip();
    const { stdout, code } = await onTerminal(`${passphrase}\r`);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /not shown\): \r\n/);
    assert.match(stdout, /vm\/a/);
    assert.ok(!stdout.includes("ngstr"));
    assert.equal((await onTerminal("guess\r")).code, 2);
    assert.equal((await onTerminal("\u0003")).code, 2);
  });

  /** `script` gives the program a terminal; what it shows comes back as output. */
  function onTerminal(typed: string): Promise<{ stdout: string; code: number }> {
    const command = `'${process.execPath}' '${rescueProgram}' --repo '${writer.folder}' list`;
    return new Promise((resolve) => {
      const child = execFile("/usr/bin/script", ["-qec", command, "/dev/null"], (error, stdout) =>
        resolve({ stdout, code: (error?.code as number | undefined) ?? 0 }),
      );
      let hasTyped = false;
      let seen = "";
      child.stdout!.on("data", (text: string) => {
        seen += text;
        if (!hasTyped && seen.includes("not shown")) child.stdin!.write(typed);
        hasTyped ||= seen.includes("not shown");
      });
    });
  }

  it("goes on past slots that are damaged or ask for too much", async () => {
    const salt = "00".repeat(32);
    for (const kdf of [
      { name: "scrypt", n: 2 ** 21, r: 8, p: 1, salt },
      { name: "scrypt", n: 2 ** 20, r: 32, p: 16, salt },
      { name: "scrypt", n: 1000, r: 8, p: 1, salt },
      { name: "scrypt", n: 1024, r: 8, p: 1e9, salt },
      { name: "argon2id", salt },
      {},
    ]) {
      writer.addSlot("passphrase", kdf, Buffer.alloc(32));
    }
    writer.writeObject(`keys/${"0".repeat(32)}`, "null", { open: true });
    writer.writeObject(`keys/${"1".repeat(32)}`, '{"kdf":null,"nonce":7,"version":1}', { open: true });
    await opens({ REPRISE_PASSPHRASE: passphrase });
  });

  it("refuses a config that somebody without the key wrote", async () => {
    const env = { REPRISE_PASSPHRASE: passphrase };
    writer.writeConfig({ packBytes: 1 }, Buffer.alloc(32));
    assert.match((await list(env)).stderr, /forged/);
    writer.writeConfig({ encryption: "none", keyId: null });
    const lowered = await list(env);
    assert.equal(lowered.code, 2);
    assert.match(lowered.stderr, /config was changed/);
  });
});
