import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { facts } from "../hostFacts.js";

/** The passphrase is where nobody has put it: only the editor can. */
const POLICY = `repositories:
  main: {location: ${facts.location}, passphrase: env:ONLY_FOR_THE_TASK}
machines:
  vm/odd: {owner: team-odd}
jobs:
  look:
    verify: all
`;
const CONFIG = join("tasks", "reprise.yml");
const WAIT_MS = 30_000;

const ours = async () => await vscode.tasks.fetchTasks({ type: "reprise" });

/** Its exit code. */
async function run(task: vscode.Task): Promise<number | undefined> {
  const ended = new Promise<number | undefined>((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution.task.name !== task.name) return;
      listener.dispose();
      resolve(exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  return await ended;
}

async function taskNamed(pattern: RegExp): Promise<vscode.Task> {
  for (const endMs = Date.now() + WAIT_MS; ; await sleep(100)) {
    const all = await ours();
    const found = all.find(({ name }) => pattern.test(name));
    if (found !== undefined) return found;
    if (Date.now() > endMs) assert.fail(all.map(({ name }) => name).join(", "));
  }
}

describe("tasks in the extension host", () => {
  before(async () => {
    await mkdir(join(facts.workspace, "tasks"), { recursive: true });
    await writeFile(join(facts.workspace, CONFIG), POLICY);
  });
  after(async () => {
    await vscode.workspace.fs.delete(vscode.Uri.file(join(facts.workspace, "tasks")), { recursive: true });
    for (const terminal of vscode.window.terminals) terminal.dispose();
  });

  it("are the jobs of each reprise.yml, and one that checks it", async () => {
    const job = await taskNamed(/^look \(tasks/);
    assert.deepEqual(job.definition, { type: "reprise", job: "look", config: CONFIG });
    assert.ok(job.problemMatchers.includes("$reprise"));
    const check = await taskNamed(/^check tasks/);
    assert.deepEqual(check.definition, { type: "reprise", config: CONFIG });
  });

  it("run the command line that comes with the extension, with the passphrase that the editor keeps", async () => {
    assert.equal(process.env.ONLY_FOR_THE_TASK, undefined);
    assert.equal(await run(await taskNamed(/^look \(tasks/)), 0);
  });

  it("of tasks.json start nothing when a wish in it is mistyped", async () => {
    const file = join(facts.workspace, ".vscode", "tasks.json");
    const mistyped = { type: "reprise", label: "mistyped look", job: "look", config: CONFIG, dryRun: "true" };
    // the editor takes two tasks for one that differ in the kind of a value only
    const sound = { ...mistyped, label: "sound look", machine: "vm/odd", dryRun: true };
    await mkdir(join(facts.workspace, ".vscode"), { recursive: true });
    await writeFile(file, JSON.stringify({ version: "2.0.0", tasks: [mistyped, sound] }));
    try {
      assert.equal(await run(await taskNamed(/^sound look/)), 0);
      assert.equal(await run(await taskNamed(/^mistyped look/)), 2);
    } finally {
      await rm(file);
    }
  });

  it("check a configuration, and fail when it has a mistake", async () => {
    assert.equal(await run(await taskNamed(/^check tasks/)), 0);
    await writeFile(join(facts.workspace, CONFIG), POLICY.replace("verify: all", "verify: [vm/nobody]"));
    assert.equal(await run(await taskNamed(/^check tasks/)), 64);
  });
});
