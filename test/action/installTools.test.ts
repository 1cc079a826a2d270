// Missing programs are installed when that is wanted, with a package manager that sees none of the step's secrets.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ActionStory, CANARY } from "./actionStory.js";

describe("installing tools", function () {
  this.timeout(60_000);
  let story: ActionStory;
  let bin: string;
  let inputs: Record<string, string>;

  before(async () => {
    story = await ActionStory.begin("tools");
    bin = story.path("bin");
    await mkdir(bin);
    const repository = await story.repository("main");
    inputs = { command: "backup", repository, machine: "vm/a", disk: await story.disk("a", 100_000) };
  });
  after(() => story.end());

  /** Stands for apt-get and sudo: writes down how it was called. */
  async function packageManager(exitCode: number): Promise<void> {
    const script = `#!/bin/sh\necho "$0 $*" >> ${bin}/calls\n/usr/bin/env >> ${bin}/calls\necho '::error::from apt'\nexit ${exitCode}\n`;
    for (const name of ["apt-get", "sudo"]) await writeFile(join(bin, name), script, { mode: 0o755 });
  }

  it("asks apt-get for the packages, and shows what it says as text", async () => {
    await packageManager(0);
    const ended = await story.passes({ ...inputs, "install-tools": "true" }, { env: { PATH: bin } });
    const calls = await readFile(join(bin, "calls"), "utf8");
    assert.match(calls, /apt-get update -qq/);
    assert.match(calls, /apt-get install -y -qq --no-install-recommends qemu-utils/);
    assert.ok(!calls.includes(CANARY) && !calls.includes("REPRISE_PASSPHRASE"));
    assert.deepEqual(ended.annotations, []);
    assert.match(ended.printed, /::group::Installing qemu-utils/);
  });

  it("says so when that does not succeed, and does nothing unless it is asked to", async () => {
    await packageManager(100);
    const ended = await story.run({ ...inputs, "install-tools": "true" }, { env: { PATH: bin } });
    assert.deepEqual([ended.code, ended.outputs["error-code"]], [1, "TOOLS_NOT_INSTALLED"]);
    const before = await readFile(join(bin, "calls"), "utf8");
    await story.passes(inputs, { env: { PATH: bin } });
    assert.equal(await readFile(join(bin, "calls"), "utf8"), before);
  });
});
