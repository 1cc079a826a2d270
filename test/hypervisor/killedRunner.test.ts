import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { removeLeftovers } from "../../core/hypervisor/leftovers.js";
import { tinyGuest } from "../fixtures/guests.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";

describe("a run that is killed with kill -9", function () {
  this.timeout(240_000);
  let base: TemporaryFolder;
  before(async () => {
    base = await makeTemporaryFolder("killed");
  });
  after(() => base.remove());

  it("takes its machine with it, and the next start removes the rest", async () => {
    const script = inProject("build", "test", "support", "machineRunner.js");
    const runner = spawn(process.execPath, [script, await tinyGuest(), base.path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(runner.stdout, "data")) as [Buffer];
    const { machine, ours, folder } = JSON.parse(String(line)) as { machine: number; ours: number[]; folder: string };
    assert.equal(ours.length, 2, "QEMU and swtpm");
    assert.ok(ours.includes(machine));
    runner.kill("SIGKILL");
    await once(runner, "exit");
    await removeLeftovers({ base: base.path });
    assert.ok(!existsSync(folder));
    assert.deepEqual(await readdir(base.path), []);
    for (let round = 0; round < 50 && ours.some((pid) => existsSync(`/proc/${pid}`)); round++) await sleep(200);
    assert.deepEqual(
      ours.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    );
  });
});
