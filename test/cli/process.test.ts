// What only a process of its own shows: signals, closed pipes, terminals.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cliJson } from "./runInProcess.js";

const MAIN = inProject("build", "cli", "main.js");

/** Writes the file listens-PID beside the repository once somebody listens to SIGINT. */
const TELLS_LISTENING = `data:text/javascript,${encodeURIComponent(`
  import { writeFileSync } from "node:fs";
  import { dirname, join } from "node:path";
  const file = join(dirname(process.env.REPRISE_REPOSITORY), "listens-" + process.pid);
  process.on("newListener", (name) => {
    if (name === "SIGINT") process.nextTick(() => writeFileSync(file, ""));
  });
`)}`;

/** Presses Ctrl-C at the first moment at which it is handled: before the program itself has been loaded. */
const PRESSES_AT_ONCE = `data:text/javascript,${encodeURIComponent(`
  process.on("newListener", (name) => {
    if (name === "SIGINT") process.nextTick(() => process.kill(process.pid, "SIGINT"));
  });
`)}`;

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

describe("the process", function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;
  let env: Record<string, string>;
  let disk: string;
  const started: ChildProcess[] = [];

  before(async () => {
    folder = await makeTemporaryFolder("cli-process");
    disk = join(folder.path, "disk.raw");
    env = { REPRISE_REPOSITORY: join(folder.path, "repository"), REPRISE_CACHE_DIR: join(folder.path, "cache") };
    await writeFile(disk, randomBytes(12_000_000));
    await cliJson(["init", "--no-encryption", "--pack-size", "1M"], { env });
  });
  after(async () => {
    for (const child of started) child.kill("SIGKILL");
    await folder.remove();
  });

  function start(
    command: string,
    args: string[],
    more: Record<string, string> = {},
  ): { child: ChildProcess; exited: Promise<unknown[]>; ended: Promise<Ended>; seen(text: RegExp): Promise<void> } {
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, ...env, ...more } as NodeJS.ProcessEnv,
      stdio: "pipe",
    });
    started.push(child);
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    const exited = once(child, "exit");
    const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended);
    const seen = async (text: RegExp) => {
      // what a process said last may arrive after the news of its end
      for (let turns = 0; !text.test(stdout + stderr) && turns < 100; turns++) {
        if (child.exitCode === null && child.signalCode === null) turns = 0;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.match(stdout + stderr, text, "it ended before");
    };
    return { child, exited, ended, seen };
  }

  /** Resolves when a backup has announced itself: it is running, and far from its end. */
  async function someSession(): Promise<void> {
    for (;;) {
      const names = await readdir(join(env.REPRISE_REPOSITORY as string, "sessions")).catch(() => []);
      if (names.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Resolves when the program, not Node, handles SIGINT: told by a module that Node loads before it. */
  async function handlesInterrupts(child: ChildProcess): Promise<void> {
    const told = join(folder.path, `listens-${child.pid}`);
    while (child.exitCode === null && child.signalCode === null && !existsSync(told)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const reprise = (...args: string[]) => start(process.execPath, ["--import", TELLS_LISTENING, MAIN, ...args]);

  it("Ctrl-C and SIGTERM end a backup cleanly, and the next one goes on", async () => {
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const { child, ended } = reprise(
        "backup",
        disk,
        "-g",
        "vm/a",
        "--bwlimit",
        "500K",
        "--json",
        "--progress",
        "json",
      );
      await someSession();
      child.kill(signal);
      const result = await ended;
      assert.equal(result.code, code, result.stderr);
      assert.equal((JSON.parse(result.stdout) as { error: { code: string } }).error.code, "INTERRUPTED");
      assert.match(result.stderr, new RegExp(`"interrupted","signal":"${signal}"`));
    }
    assert.deepEqual(await cliJson(["snapshots"], { env }), []);
    const done = await cliJson<{ chunksNew: number }>(["backup", disk, "-g", "vm/a"], { env });
    assert.ok(done.chunksNew > 0);
    const target = join(folder.path, "restored.raw");
    await cliJson(["restore", "vm/a@latest", "--to", target], { env });
    assert.deepEqual(await readFile(target), await readFile(disk));
    await cliJson(["verify", "--read-data"], { env });
  });

  it("a second Ctrl-C ends a command that waits for a passphrase from a pipe nobody writes to", async () => {
    const location = join(folder.path, "locked");
    await cliJson(["init", "--repo", location], { env: { REPRISE_PASSPHRASE: "a secret" } });
    const pipe = join(folder.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const presses of [1, 2]) {
      const args = ["snapshots", "--json", "--repo", location, "--passphrase-file", pipe];
      const { child, ended } = reprise(...args);
      await handlesInterrupts(child);
      await new Promise((resolve) => setTimeout(resolve, 400)); // time to begin waiting for the pipe
      for (let press = 0; press < presses; press++) child.kill("SIGINT");
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 130, stderr);
      assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, "INTERRUPTED");
    }
    const { child, ended } = reprise("snapshots", "--json", "--repo", location, "--passphrase-file", pipe);
    await handlesInterrupts(child);
    await writeFile(pipe, "a secret\n");
    assert.deepEqual(JSON.parse((await ended).stdout), []);
  });

  it("Ctrl-C while the program is still being loaded leaves a document, too", async () => {
    const { ended } = start(process.execPath, ["--import", PRESSES_AT_ONCE, MAIN, "snapshots", "--json"]);
    const { code, stdout } = await ended;
    assert.equal(code, 130);
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, "INTERRUPTED");
  });

  it("Ctrl-C ends a backup of a pipe in which nothing moves", async () => {
    for (const first of ["", "some bytes"]) {
      const { child, ended } = reprise("backup", "-", "-g", "vm/pipe");
      child.stdin?.write(first);
      await handlesInterrupts(child);
      await new Promise((resolve) => setTimeout(resolve, 400)); // time to begin waiting for the pipe
      child.kill("SIGINT");
      const { code, stderr } = await ended;
      assert.equal(code, 130, stderr);
    }
  });

  it("Ctrl-C ends a restore that nobody reads, and a second one ends it at once", async () => {
    for (const presses of [1, 2]) {
      const { child, exited, ended, seen } = reprise("restore", "vm/a@latest", "--to", "-");
      await once(child.stdout as Readable, "data");
      child.stdout?.pause();
      child.kill("SIGINT");
      await seen(/ending cleanly/);
      if (presses === 2) child.kill("SIGINT");
      const [code] = (await exited) as [number];
      assert.equal(code, 130);
      child.stdout?.resume();
      await ended;
    }
  });

  it("a reader that goes away ends it quietly", async () => {
    const { child, ended } = reprise("restore", "vm/a@latest", "--to", "-");
    child.stdout?.once("data", () => child.stdout?.destroy());
    const { code, stderr } = await ended;
    assert.deepEqual([code, stderr], [141, ""]);
  });

  it("asks on a terminal without showing what is typed", async () => {
    const location = join(folder.path, "encrypted");
    const line = [process.execPath, MAIN, "init", "--repo", location].map((word) => `'${word}'`).join(" ");
    const { child, ended, seen } = start("script", ["-qec", line, "/dev/null"], { TERM: "xterm" });
    await seen(/Passphrase for the new repository/);
    child.stdin?.write("canary passphrase\r");
    await seen(/The same again/);
    child.stdin?.write("canary passphrase\r");
    await seen(/made a repository/);
    child.stdin?.end();
    const { code, stdout } = await ended;
    assert.equal(code, 0, stdout);
    assert.ok(!stdout.includes("canary"));
    assert.match(stdout, /RPRS1-/);
    await cliJson(["snapshots"], { env: { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: "canary passphrase" } });
  });
});
