import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { Interruption } from "../../cli/interruption.js";
import { runCli } from "../../cli/runCli.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { cli } from "./runInProcess.js";

const run = promisify(execFile);

describe("reprise nbd", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let repo: string;
  const disk = new Uint8Array(6 * 1024 * 1024);
  const env = { REPRISE_PASSPHRASE: "secret", REPRISE_CACHE_DIR: "/dev/null/none" };

  before(async () => {
    folder = await makeTemporaryFolder("nbd");
    repo = join(folder.path, "repo");
    disk.set(noise(3, 2 * 1024 * 1024), 1024 * 1024);
    await writeFile(join(folder.path, "root.raw"), disk);
    for (const args of [["init"], ["backup", join(folder.path, "root.raw"), "--group", "vm/a"]])
      assert.equal((await cli([...args, "-r", repo], { env })).code, 0);
  });
  after(() => folder.remove());

  it("serves a disk straight from the repository until it is interrupted", async () => {
    const stop = new AbortController();
    const stdout = new PassThrough();
    const stderr = new PassThrough().resume();
    const stdin = new PassThrough();
    const io = { stdin, stdout, stderr, env, signal: stop.signal };
    const ended = runCli(["nbd", "vm/a@latest", "--port", "0", "--json", "-r", repo], io);
    const first = JSON.parse(String(await new Promise((resolve) => stdout.once("data", resolve))));
    assert.equal(first.event, "serving");
    const copy = join(folder.path, "copy");
    await run("nbdcopy", [first.uris[0], copy]);
    assert.ok(Buffer.compare(await readFile(copy), disk) === 0);
    const { stdout: map } = await run("nbdinfo", ["--json", "--map=base:allocation", "--totals", first.uris[0]]);
    assert.match(map, /hole,zero/);
    let last = "";
    stdout.on("data", (chunk) => {
      last += chunk;
    });
    stop.abort(new Interruption("SIGINT"));
    assert.equal(await ended, 0);
    assert.ok(JSON.parse(last).clientsServed >= 2);
  });

  it("refuses what makes no sense, and a network without TLS", async () => {
    for (const args of [
      ["--socket", "/tmp/x", "--port", "1"],
      ["--port", "70000"],
      ["--bind", "0.0.0.0"],
      ["--tls-cert", "x"],
      ["--tls-psk", "/nonexistent"],
      ["--tls-cert", "/dev/null", "--tls-key", "/nonexistent"],
      ["--disk", "nothing", "--port", "0"],
    ]) {
      const { code, stderr } = await cli(["nbd", "vm/a@latest", ...args, "-r", repo], { env });
      assert.equal(code, 64, `${args}: ${stderr}`);
    }
  });
});
