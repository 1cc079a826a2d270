// The local backend with several processes on one folder, processes that are killed, and a real limit on file sizes.

import assert from "node:assert/strict";
import { execFile, fork } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

const CHILD = fileURLToPath(new URL("localChild.js", import.meta.url));
const run = promisify(execFile);

describe("local backend and processes", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await makeTemporaryFolder("processes");
  });
  afterEach(() => folder.remove());

  const unfinished = () => fs.readdirSync(join(folder.path, "tmp"));

  it("shows nothing of a put that was killed before its last step", async () => {
    const backend = await openLocalBackend(folder.path);
    await backend.put("config", new Uint8Array([1, 2, 3]));
    assert.equal(await endOf("die-before-rename", folder.path), "SIGKILL");
    assert.equal(await endOf("die-before-link", folder.path), "SIGKILL");
    assert.equal(unfinished().length, 2);
    const keys: string[] = [];
    for await (const { key } of backend.list("")) keys.push(key);
    assert.deepEqual(keys, ["config"]);
    assert.deepEqual(await backend.get("config"), new Uint8Array([1, 2, 3]));
    assert.equal(await backend.putIfAbsent("snapshots/s", new Uint8Array(1)), "created");
  });

  it("has the whole object after a kill between the link and the clean-up, and cleans up a day later", async () => {
    assert.equal(await endOf("die-after-link", folder.path), "SIGKILL");
    const backend = await openLocalBackend(folder.path);
    assert.equal(await backend.putIfAbsent("snapshots/s", new Uint8Array(1)), "exists");
    assert.equal((await backend.get("snapshots/s")).length, 200_000);
    const [left] = unfinished();
    const longAgo = Date.now() / 1000 - 25 * 3600;
    fs.utimesSync(join(folder.path, "tmp", left!), longAgo, longAgo);
    assert.equal((await (await openLocalBackend(folder.path)).get("snapshots/s")).length, 200_000);
    assert.deepEqual(unfinished(), []);
  });

  it("holds only whole objects after kills at any moment", async () => {
    for (let round = 0; round < 5; round++) {
      const child = fork(CHILD, ["overwrite", folder.path]);
      await new Promise((resolve) => child.once("message", resolve));
      await new Promise((resolve) => setTimeout(resolve, 30 + round * 23));
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      const backend = await openLocalBackend(folder.path);
      let found = 0;
      for await (const { key, sizeBytes } of backend.list("objects/")) {
        const bytes = await backend.get(key);
        assert.equal(bytes.length, sizeBytes);
        const n = sizeBytes - 200_000;
        assert.equal(key, `objects/${n % 10}`);
        assert.ok(
          bytes.every((byte) => byte === n % 251),
          `${key} is mixed`,
        );
        found++;
      }
      assert.ok(found > 0, "the child stored something");
    }
  });

  it("lets exactly one of four processes win each of 40 names", async () => {
    const startMs = String(Date.now() + 1500);
    const racers = Array.from({ length: 4 }, () => run(process.execPath, [CHILD, "race", folder.path, startMs]));
    const won = (await Promise.all(racers)).map(({ stdout }) => JSON.parse(stdout) as number[]);
    assert.deepEqual(
      won.flat().sort((a, b) => a - b),
      [...Array(40).keys()],
    );
    const backend = await openLocalBackend(folder.path);
    for (let n = 0; n < 40; n++) {
      const text = new TextDecoder().decode(await backend.get(`claims/${n}`));
      const pid = Number.parseInt(text, 10);
      assert.equal(text, `${pid} `.repeat(100 + (pid % 50)), "whole contents of one process");
    }
    assert.deepEqual(unfinished(), []);
  });

  it("says STORAGE_FULL when the system accepts no more bytes, and leaves nothing behind", async function () {
    if (process.platform === "win32") this.skip();
    // A limit on file sizes (2000 blocks of 512 bytes) stands in for a full disk: both fail in the middle of a write.
    const command = 'ulimit -f 2000; exec "$@"';
    const { stdout } = await run("sh", ["-c", command, "sh", process.execPath, CHILD, "put-large", folder.path]);
    assert.deepEqual(JSON.parse(stdout), ["done", "STORAGE_FULL"]);
    assert.deepEqual(unfinished(), []);
    assert.deepEqual(fs.readdirSync(join(folder.path, "put")), ["1000"]);
  });
});

/** Runs a task and returns the signal that ended it. */
async function endOf(task: string, path: string): Promise<string | null> {
  const child = fork(CHILD, [task, path]);
  return await new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
}
