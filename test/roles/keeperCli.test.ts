// The keeper on the command line: made by init, given as a file or in the environment, remembered, refused.

import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cli, cliJson, memoryLocation } from "../cli/runInProcess.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("cli: the keeper", () => {
  let folder: TemporaryFolder;
  let repo: string;
  let keyFile: string;
  let env: Record<string, string>;
  let fingerprint: string;

  before(async () => {
    folder = await makeTemporaryFolder("keeper");
    repo = join(folder.path, "repository");
    keyFile = join(folder.path, "keeper.pem");
    env = { REPRISE_REPOSITORY: repo, REPRISE_STATE_DIR: join(folder.path, "state"), REPRISE_LANES: "0" };
    const made = await cliJson<{ keeper: string }>(["init", "--no-encryption", "--new-keeper-key", keyFile], { env });
    fingerprint = made.keeper;
    await writeFile(join(folder.path, "disk.raw"), new Uint8Array(70_000).fill(7));
    for (let i = 0; i < 2; i++) {
      await cliJson(["backup", join(folder.path, "disk.raw"), "--group", "vm/a"], { env });
    }
  });

  after(() => folder.remove());

  it("is made by init, in a file that only its owner can read", async () => {
    assert.match(fingerprint, /^[0-9a-f]{32}$/);
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    const shown = await cliJson<Record<string, unknown>>(["key", "keeper"], { env });
    assert.deepEqual([shown.fingerprint, shown.isKeeper], [fingerprint, false]);
    const again = await cli(["init", "--no-encryption", "--new-keeper-key", keyFile, "-r", `${repo}2`], { env });
    assert.equal(again.code, 64);
    assert.match(again.stderr, /exists already/);
  });

  it("is needed for forget, prune, gc and unprotect, not for their dry runs", async () => {
    const refused = [["forget", "vm/a@latest"], ["prune", "--keep-last", "1"], ["gc"]];
    for (const args of refused) {
      const { error } = await cliJson<{ error: { code: string } }>(args, { env, code: 2 });
      assert.equal(error.code, "KEEPER_KEY_REQUIRED");
    }
    await cliJson(["protect", "vm/a@latest"], { env });
    const { error } = await cliJson<{ error: { code: string } }>(["unprotect", "vm/a@latest"], { env, code: 2 });
    assert.equal(error.code, "KEEPER_KEY_REQUIRED");
    await cliJson(["prune", "--keep-last", "1", "--dry-run"], { env });
    await cliJson(["gc", "--dry-run"], { env });
    await cliJson(["unprotect", "vm/a@latest", "--keeper-key", keyFile], { env });
    await cliJson(["prune", "--keep-last", "1", "--keeper-key", keyFile], { env });
    const pem = await readFile(keyFile, "utf8");
    await cliJson(["gc"], { env: { ...env, REPRISE_KEEPER_KEY: pem } });
    assert.equal((await cliJson<unknown[]>(["snapshots"], { env })) !== undefined, true);
  });

  it("is remembered, and another one is refused", async () => {
    const other = ["--trust-keeper", "0".repeat(32)];
    assert.equal((await cli(["snapshots", ...other], { env })).code, 1);
    assert.equal((await cli(["snapshots", "--trust-keeper", fingerprint], { env })).code, 0);
    assert.equal((await cli(["snapshots", "--trust-keeper", "abc"], { env })).code, 64);
    const secret = await cli(["gc", "--keeper-key", join(folder.path, "disk.raw")], { env });
    assert.equal(secret.code, 2);
    assert.match(secret.stderr, /KEEPER_KEY_INVALID|not a private key/);
  });
});

describe("cli: policies and shares", () => {
  it("prints a policy as JSON and makes nothing", async () => {
    const args = ["init", "-r", "s3:https://s3.example.com/backups/lab", "--runner", "arn:aws:iam:::user/r"];
    const { code, stdout } = await cli([...args, "--print-policy", "s3-bucket"]);
    assert.equal(code, 0);
    const { Statement } = JSON.parse(stdout) as { Statement: { Sid: string; Principal: { AWS: string[] } }[] };
    assert.deepEqual(Statement[0]?.Principal.AWS, ["arn:aws:iam:::user/r"]);
    assert.ok(Statement.every(({ Sid }) => Sid !== "RunnerOverwritesNothing"));
    const bound = await cli([...args, "--print-policy", "s3-bucket", "--proxy", "192.0.2.0/28"]);
    assert.match(bound.stdout, /"NotIpAddress": \{\n *"aws:SourceIp": \[\n *"192\.0\.2\.0\/28"/);
    const haproxy = await cli(["init", "-r", args[2]!, "--print-policy", "haproxy"]);
    assert.match(haproxy.stdout, /^frontend reprise-runners$[\s\S]*server storage s3\.example\.com:443 ssl/m);
    const aws = await cli(["init", "-r", "s3:backups", "--print-policy", "s3-runner"]);
    assert.match(aws.stdout, /s3:if-none-match/);
    assert.equal((await cli(["init", "-r", "s3:backups", "--print-policy", "other"])).code, 64);
    assert.equal((await cli(["init", "-r", "/srv/backup", "--print-policy", "s3-runner"])).code, 64);
  });

  it("asks before most of a machine's snapshots go", async () => {
    const env = { REPRISE_REPOSITORY: memoryLocation() };
    await cliJson(["init", "--no-encryption"], { env });
    const backup = ["backup", "-", "--group", "vm/a", "--name", "root"];
    for (let i = 0; i < 4; i++) await cliJson(backup, { env, input: `disk ${i}` });
    const prune = ["prune", "--keep-last", "1"];
    const { error } = await cliJson<{ error: { code: string } }>(prune, { env, code: 64 });
    assert.equal(error.code, "PRUNE_DROPS_MANY");
    await cliJson([...prune, "--dry-run"], { env });
    const { marks } = await cliJson<{ marks: { remove: number } }>([...prune, "--confirm"], { env });
    assert.equal(marks.remove, 3);
  });
});
