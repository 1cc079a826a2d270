import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Interruption } from "../../cli/interruption.js";
import type { InputStream, OutputStream } from "../../cli/io.js";
import { runCli } from "../../cli/runCli.js";
import { tinyGuest } from "../fixtures/guests.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { BOOT_MS } from "../support/tinyMachine.js";
import { cli } from "./runInProcess.js";

interface Started {
  event: string;
  accelerator: string;
  forwards: { guestPort: number; hostPort: number }[];
  vncSocket: string;
  notes: string[];
}

describe("reprise boot", function () {
  this.timeout(BOOT_MS + 120_000);
  let folder: TemporaryFolder;
  let repo: string;
  const env = { REPRISE_PASSPHRASE: "secret", REPRISE_CACHE_DIR: "/dev/null/none" };

  before(async () => {
    folder = await makeTemporaryFolder("boot");
    repo = join(folder.path, "repo");
    for (const args of [["init"], ["backup", await tinyGuest(), "--group", "vm/tiny"]])
      assert.equal((await cli([...args, "-r", repo], { env })).code, 0, args[0]);
  });
  after(() => folder.remove());

  /** Starts the verb; `first` is its first line of JSON. */
  function boot(args: readonly string[], { terminal = false } = {}) {
    const stop = new AbortController();
    const typed: boolean[] = [];
    const stdin = Object.assign(new PassThrough(), {
      isTTY: terminal,
      setRawMode: (raw: boolean) => typed.push(raw),
    }) as PassThrough & InputStream;
    const stdout = Object.assign(new PassThrough(), { isTTY: terminal }) as PassThrough & OutputStream;
    const stderr = Object.assign(new PassThrough(), { isTTY: terminal }) as PassThrough & OutputStream;
    const said = { out: "", err: "" };
    stdout.on("data", (chunk) => {
      said.out += chunk;
    });
    stderr.on("data", (chunk) => {
      said.err += chunk;
    });
    const all = ["boot", "vm/tiny@latest", "--accelerator", "tcg", ...args, "-r", repo];
    const ended = runCli(all, { stdin, stdout, stderr, env, signal: stop.signal });
    return { stop: () => stop.abort(new Interruption("SIGINT")), stdin, said, typed, ended };
  }

  async function until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + BOOT_MS;
    while (!holds()) {
      assert.ok(Date.now() < deadline, what);
      await sleep(100);
    }
  }

  it("starts the machine straight from the repository and lets us in, until it is interrupted", async () => {
    const run = boot(["--forward", "80", "--memory", "256", "--display", "vnc", "--json"]);
    await until(() => run.said.out.includes("\n"), "the first line");
    const started = JSON.parse(run.said.out) as Started;
    assert.deepEqual([started.event, started.accelerator, started.forwards[0]?.guestPort], ["started", "tcg", 80]);
    assert.ok(existsSync(started.vncSocket));
    let health = "";
    while (health === "") {
      const url = `http://127.0.0.1:${started.forwards[0]?.hostPort}/cgi-bin/health`;
      health = await fetch(url, { signal: AbortSignal.timeout(BOOT_MS) }).then(
        (answer) => answer.text(),
        () => "",
      );
      await sleep(300);
    }
    assert.equal(JSON.parse(health).status, "ok");
    run.stop();
    assert.equal(await run.ended, 0, run.said.err);
    const last = JSON.parse(run.said.out.trim().split("\n").at(-1) ?? "");
    assert.deepEqual([last.end.kind, last.readErrors], ["killed", []]);
    assert.ok(last.ranMs > 1000);
    assert.ok(!existsSync(dirname(started.vncSocket)), "nothing is left");
  });

  it("is a console on a terminal, which Ctrl-] gives back", async () => {
    const run = boot(["--network", "none", "--cpus", "1"], { terminal: true });
    await until(() => run.said.err.includes("Ctrl-] ends it"), "the announcement");
    run.stdin.write("\x1d");
    assert.equal(await run.ended, 0, run.said.err);
    assert.deepEqual(run.typed, [true, false]);
    assert.match(run.said.err, /no network card/);
  });

  it("refuses what makes no sense", async () => {
    for (const args of [
      ["--memory", "lots"],
      ["--cpus", "0"],
      ["--forward", "70000"],
      ["--network", "none", "--forward", "80"],
      ["--subnet", "10.0.0.0/24"],
      ["--subnet", "10.0.0.1/24", "--gateway", "10.0.0.2"],
      ["--disk-bus", "floppy"],
    ]) {
      const { code, stderr } = await cli(["boot", "vm/tiny@latest", ...args, "-r", repo], { env });
      assert.equal(code, 64, `${args.join(" ")}: ${stderr}`);
    }
  });
});
