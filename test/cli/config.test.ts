// `reprise config`, and `reprise test` with a configuration.

import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli, cliJson, cliText, memoryLocation } from "./runInProcess.js";

describe("reprise config", () => {
  let folder: TemporaryFolder;
  let sound: string;
  let wrong: string;
  let odd: string;

  before(async () => {
    folder = await makeTemporaryFolder("cli-config");
    [sound, wrong, odd] = ["sound.yml", "wrong.yml", "odd.yml"].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(join(folder.path, "keys"));
    await writeFile(join(folder.path, "keys/evidence.pub"), "-----BEGIN PUBLIC KEY-----\n");
    await copyFile(inProject("test/config/example.yml"), sound);
    await writeFile(
      wrong,
      'repositories:\n  main: {location: x, passphrase: hunter2}\njobs:\n  a: {verify: all, "\\e[31mx": 1}\n',
    );
    await writeFile(odd, "repositories:\n  a: {location: /x}\n  b: {location: /x}\n");
  });

  after(async () => {
    await folder.remove();
  });

  it("check: a sound one", async () => {
    const { code, stdout } = await cli(["config", "check", sound]);
    assert.equal(code, 0);
    assert.equal(stdout, `${sound} is sound: 2 repositories, 4 machines, 5 jobs, 2 restore tests, 1 gate\n`);
  });

  it("check: mistakes, each at its place, and no secret", async () => {
    const { code, stdout, stderr } = await cli(["config", "check", wrong]);
    assert.equal(code, 64);
    assert.match(stdout, /wrong\.yml:2:35: error: passphrase must be a reference/);
    assert.ok(!`${stdout}${stderr}`.includes("hunter2"));
    assert.ok(!stdout.includes("\u001b"));
    const document = await cliJson<{ valid: boolean; problems: { line: number; severity: string; file: string }[] }>(
      ["config", "check", wrong],
      { code: 64 },
    );
    assert.equal(document.valid, false);
    assert.deepEqual(document.problems[0], { ...document.problems[0], line: 2, severity: "error", file: wrong });
  });

  it("check: what is odd, and several files", async () => {
    const { code, stdout } = await cli(["config", "check", odd]);
    assert.equal(code, 3);
    assert.match(stdout, /odd\.yml:3:17: warning: b and a are the same place/);
    assert.equal((await cli(["config", "check", sound, wrong, odd])).code, 64);
  });

  it("check: a file that is not there", async () => {
    const { code, stderr } = await cli(["config", "check", join(folder.path, "none.yml")]);
    assert.equal(code, 64);
    assert.match(stderr, /CONFIG_UNREADABLE/);
  });

  it("show: tables, and everything as JSON", async () => {
    const text = await cliText(["config", "show", sound]);
    assert.match(
      text,
      /nightly +backup vm\/web1 vm\/db1 host\/files +main +Monday to Friday at 02:30, Europe\/Berlin +\d{4}-\d\d-\d\d 02:30:00/,
    );
    assert.match(
      text,
      /production +web\/ +vm\/web1: serves; backup at most 1d2h old; proven within 32d; in at most 15m/,
    );
    const document = await cliJson<{
      jobs: { name: string; schedule: { text: string; words: string; next: string[] } | null }[];
      repositories: { passphrase: string }[];
    }>(["config", "show", sound, "--runs", "5"]);
    assert.equal(document.repositories[0]!.passphrase, "env:BACKUP_PASSPHRASE");
    assert.equal(document.jobs[0]!.schedule!.next.length, 5);
    assert.equal(document.jobs[4]!.schedule, null);
    assert.ok(JSON.stringify(document).includes('"matches":"ok"'), "a pattern as it was written");
  });

  it("a wrong one is told line by line by every verb that reads it", async () => {
    const { code, stderr } = await cli(["config", "show", wrong]);
    assert.equal(code, 64);
    assert.match(
      stderr,
      /^reprise: the configuration .*wrong\.yml has 2 mistakes \[CONFIG_INVALID\]\n.*wrong\.yml:2:35: /,
    );
  });

  it("test: the restore tests of a configuration, from its only repository", async () => {
    const location = memoryLocation();
    const env = { REPRISE_REPOSITORY_MAIN: location, MINE: "a passphrase" };
    const disk = join(folder.path, "web1.img");
    await writeFile(disk, new Uint8Array(4096).fill(7));
    const own = join(folder.path, "reprise.yml");
    await writeFile(
      own,
      [
        "repositories: {main: {location: x, passphrase: 'env:MINE'}}",
        "machines: {vm/web1: {disks: web1.img}, vm/db1: }",
        "jobs: {b: {backup: all}}",
        "restore-tests:",
        "  - {name: web1, machine: vm/web1, level: intact}",
        "  - {name: db1, machine: vm/db1, level: intact}",
      ].join("\n"),
    );
    await cliText(["init", "-r", location], { env: { REPRISE_PASSPHRASE: env.MINE } });
    await cliText(["backup", disk, "--group", "vm/web1", "-r", location], { env: { REPRISE_PASSPHRASE: env.MINE } });
    const passed = await cliJson<{ passed: boolean; machines: { spec: { name: string } }[] }>(
      ["test", own, "--test", "web1"],
      { env },
    );
    assert.equal(passed.passed, true);
    assert.equal(passed.machines.length, 1);
    assert.equal((await cli(["test", own, "--test", "web2"], { env })).code, 64);
    const all = await cliJson<{ untested: { machine: string }[] }>(["test", own], { env, code: 2 });
    assert.deepEqual(
      all.untested.map(({ machine }) => machine),
      ["vm/db1"],
    );
    const unclear = await cli(["test", sound, "--test", "web1"], { env });
    assert.equal(unclear.code, 64);
    assert.match(unclear.stderr, /not clear which repository/);
  });
});
