import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeLeftovers } from "../../core/hypervisor/leftovers.js";
import { identityOf, stateOf } from "../../core/hypervisor/processIdentity.js";
import { createRunFolder } from "../../core/hypervisor/runFolder.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("leftovers of a killed run", function () {
  this.timeout(30_000);
  let base: TemporaryFolder;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    base = await makeTemporaryFolder("left");
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await base.remove();
  });

  /** Stands in for QEMU: a program of that name with a path in the folder among its words. */
  async function pretendMachine(folder: string, name = "qemu-system-x"): Promise<ChildProcess> {
    const program = join(folder, name);
    await copyFile("/bin/sleep", program);
    const child = spawn(program, ["1000"], { stdio: "ignore" });
    children.push(child);
    await once(child, "spawn");
    while ((await readFile(`/proc/${child.pid}/comm`, "utf8")).trim() !== name) await sleep(10);
    return child;
  }

  /** A folder as `owner` made it. */
  async function folderOf(owner: object | null): Promise<string> {
    const { path } = await createRunFolder({ base: base.path });
    await writeFile(join(path, "owner.json"), JSON.stringify(owner));
    return path;
  }

  it("are found by the folder of a run, and end with it", async () => {
    const own = await identityOf(process.pid);
    const path = await folderOf({ ...own, startTime: "1" });
    const [machine, bystander] = [await pretendMachine(path), await pretendMachine(path, "less")];
    const ended = once(machine, "exit");
    const removed = await removeLeftovers({ base: base.path });
    assert.deepEqual(removed, { folders: [path], processes: [machine.pid] });
    await ended;
    assert.equal(bystander.exitCode, null);
    assert.ok(!existsSync(path));
    assert.deepEqual(await removeLeftovers({ base: base.path }), { folders: [], processes: [] });
  });

  it("are not what a living run has, nor what cannot be judged", async () => {
    const own = await identityOf(process.pid);
    const living = await createRunFolder({ base: base.path });
    assert.equal((await stat(living.path)).mode & 0o777, 0o700);
    const machine = await pretendMachine(living.path);
    await folderOf({ ...own, startTime: "1", namespace: "pid:[1]" });
    await folderOf(null);
    await mkdir(join(base.path, "reprise-other"));
    assert.deepEqual(await removeLeftovers({ base: base.path }), { folders: [], processes: [] });
    assert.equal(machine.exitCode, null);
    await living.remove();
    assert.ok(!existsSync(living.path));
  });

  it("are also folders of an earlier boot, and old ones without an owner", async () => {
    const own = await identityOf(process.pid);
    const rebooted = await folderOf({ ...own, bootId: "another" });
    const nameless = await folderOf(null);
    await utimes(nameless, 0, 0);
    const { folders } = await removeLeftovers({ base: base.path });
    assert.deepEqual([...folders].sort(), [rebooted, nameless].sort());
  });

  it("never include a process whose number is used again", async () => {
    const own = await identityOf(process.pid);
    assert.ok(own !== undefined);
    assert.equal(await stateOf(own), "alive");
    assert.equal(await stateOf({ ...own, startTime: "1" }), "gone");
    assert.equal(await identityOf(2 ** 30), undefined);
  });

  it("need a folder that can be used", async () => {
    await assertCode(createRunFolder({ base: join(base.path, "nothing") }), "RUN_FOLDER_UNUSABLE");
    await assertCode(createRunFolder({ base: `/tmp/${"x".repeat(60)}` }), "RUN_FOLDER_UNUSABLE");
  });
});
