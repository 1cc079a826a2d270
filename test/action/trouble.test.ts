// What people get wrong and what others do on purpose: clear annotations, exit 1, no secret, no command in the log.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ActionStory, assertClean, CANARY, filesBelow } from "./actionStory.js";
import { type EndedAction, runAction, startAction } from "./runAction.js";

const HOSTILE = "x\n::error::pwned\n##[error]pwned\r\n ::set-output name=result::passed %0A::warning::pwned";

describe("the action in trouble", function () {
  this.timeout(60_000);
  let story: ActionStory;
  let location: string;

  before(async () => {
    story = await ActionStory.begin("trouble");
    location = await story.repository("main");
  });
  after(() => story.end());

  async function failed(inputs: Record<string, string>, code: string): Promise<EndedAction> {
    const ended = await story.run(inputs);
    assert.deepEqual(
      [ended.code, ended.outputs.result, ended.outputs["error-code"]],
      [1, "failed", code],
      ended.printed,
    );
    assert.ok(ended.annotations.some(({ severity }) => severity === "error"));
    assert.notEqual(ended.summary, "");
    return ended;
  }

  it("with inputs that are missing, unknown and contradictory: all at once", async () => {
    await failed({}, "INPUT_INVALID");
    const ended = await failed({ command: "backpu", "fail-on": "sometimes", "dry-run": "yes" }, "INPUT_INVALID");
    const messages = ended.annotations.map(({ message }) => message);
    assert.equal(messages.length, 3);
    assert.ok(messages.some((message) => /did you mean backup/.test(message)));
    const named = await failed({ command: "verify", gate: "x", "report-folder": "left" }, "INPUT_INVALID");
    const { verdict } = JSON.parse(await readFile(named.outputs["report-json"] as string, "utf8")) as {
      verdict: string;
    };
    assert.match(verdict, /input gate means nothing/, "an upload of the folder finds the reason");
    assert.equal(named.outputs["report-folder"], join(story.workspace, "left"));
    await failed({ command: "backup", repository: location }, "INPUT_INVALID");
  });

  it("with a secret given as an input: it is masked, refused and never seen", async () => {
    const env = { REPRISE_PASSPHRASE: "", "INPUT_AWS-SECRET-ACCESS-KEY": CANARY };
    const ended = await runAction(story.step({ command: "backup", passphrase: CANARY }, { env }));
    await assertClean(ended);
    assert.ok(ended.masks.includes(CANARY));
    assert.equal(ended.outputs["error-code"], "INPUT_INVALID");
    assert.equal(ended.annotations.filter(({ message }) => /looks like a secret/.test(message)).length, 2);
  });

  it("with a secret in a location, or in a name", async () => {
    for (const repository of [`sftp://user:${CANARY}@host/backup`, `s3:https://key:${CANARY}@host/bucket`]) {
      const inputs = { command: "status", repository };
      const ended = await runAction(story.step(inputs, { env: { REPRISE_PASSPHRASE: "" } }));
      assert.equal(ended.code, 1);
      await assertClean(ended);
    }
    const named = await story.run({ command: "status", repository: join(story.folder, CANARY) });
    assert.deepEqual([named.code, named.outputs.result], [1, "failed"]);
  });

  it("with a location that only the environment knows: reports and statements name the variable", async () => {
    const place = story.path("LOCATION-secret");
    await story.cli("init", "-r", place, "--pack-size", "1M");
    const disk = await story.disk("hidden", 300_000);
    await story.file("reprise.yml", {
      repositories: { main: { location: "env:PLACE" } },
      machines: { "vm/web1": { disks: disk } },
      jobs: { nightly: { backup: "all" } },
    });
    const { privateKey } = generateKeyPairSync("ed25519");
    const REPRISE_SIGNING_KEY = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const env = { PLACE: place, REPRISE_SIGNING_KEY };
    const seen: string[] = [];
    const steps: Record<string, string>[] = [{ command: "backup", "publish-evidence": "false" }, { command: "status" }];
    for (const step of steps) {
      const ended = await story.run(step, { env });
      const folder = ended.outputs["report-folder"] as string;
      for (const file of await filesBelow(folder)) seen.push(await readFile(file, "utf8"));
      seen.push(ended.summary, ended.printed, JSON.stringify(ended.outputs));
      assert.ok(ended.masks.includes(place));
      if (step.command === "backup") {
        const [envelope] = (await readFile(join(folder, "statements.jsonl"), "utf8")).split("\n");
        const { payload } = JSON.parse(envelope as string) as { payload: string };
        seen.push(Buffer.from(payload, "base64").toString());
        assert.match(seen.at(-1) as string, /"env:PLACE"/);
      }
    }
    await rm(place, { recursive: true });
    const gone = await story.run({ command: "status" }, { env });
    assert.equal(gone.outputs.result, "failed");
    assert.match(gone.outputs.verdict as string, /env:PLACE/);
    for (const text of [...seen, gone.summary, gone.printed]) assert.ok(!text.includes("LOCATION-secret"), text);
  });

  it("without a configuration, with a broken one, with an empty one", async () => {
    await rm(join(story.workspace, "reprise.yml"), { force: true });
    const missing = await failed({ command: "run" }, "CONFIG_UNREADABLE");
    assert.match(missing.annotations[0]?.message ?? "", /actions\/checkout/);
    await story.file("broken.yml", "repositories:\n  main: {location: /x}\njobs:\n  a: {backup: [vm/web1\n");
    const broken = await failed({ command: "run", config: "broken.yml" }, "CONFIG_INVALID");
    assert.equal(broken.annotations[0]?.file, "broken.yml");
    assert.ok((broken.annotations[0]?.line ?? 0) >= 4);
    await story.file(
      "wrong.yml",
      "repositories:\n  main: {location: /x}\njobs:\n  a:\n    backup: vm/web9\n    shedule: daily\n",
    );
    const wrong = await failed({ command: "run", config: "wrong.yml" }, "CONFIG_INVALID");
    assert.deepEqual([wrong.annotations[0]?.file, wrong.annotations[0]?.line], ["wrong.yml", 6]);
    await story.file("empty.yml", "");
    await failed({ command: "plan", config: "empty.yml" }, "CONFIG_INVALID");
  });

  it("with a broken spec that a configuration in a folder names", async () => {
    await mkdir(join(story.workspace, "infra", "tests"), { recursive: true });
    const head = "apiVersion: reprise/v1\nkind: RestoreTest\nmetadata: {name: bad}\nspec:\n";
    await story.file("infra/tests/bad.yaml", `${head}  machine: vm/web1\n  levl: boots\n`);
    await story.file("infra/reprise.yml", {
      repositories: { main: { location } },
      machines: { "vm/web1": {} },
      "restore-tests": [{ file: "tests/bad.yaml" }],
    });
    const ended = await failed({ command: "restore-test", config: "infra/reprise.yml" }, "CONFIG_INVALID");
    const [first] = ended.annotations;
    assert.deepEqual([first?.file, first?.line], ["infra/tests/bad.yaml", 6], JSON.stringify(ended.annotations));
  });

  it("with names that look like commands of the runner", async () => {
    await story.file("reprise.yml", {
      repositories: { main: { location } },
      machines: {
        "vm/web1": { owner: HOSTILE.replace(/[\n\r]/g, " "), disks: { path: `/no/${HOSTILE}`, name: "root" } },
      },
      jobs: { nightly: { backup: "all", description: HOSTILE } },
    });
    for (const command of ["backup", "status", "plan"]) {
      const ended = await story.run({ command });
      for (const { message } of ended.annotations) assert.ok(!message.startsWith("pwned"), message);
      assert.ok(!Object.values(ended.outputs).includes("passed") || command !== "backup");
    }
    const named = await story.run({ command: "backup", job: HOSTILE.slice(2, 20) });
    assert.equal(named.code, 1);
    for (const { message } of named.annotations) assert.ok(!message.startsWith("pwned"), message);
  });

  it("on a server without job summaries: the log has it", async () => {
    const ended = await story.run({ command: "plan" }, { summaries: false });
    assert.equal(ended.summary, "");
    assert.match(ended.log, /^Plan|^#|nightly/m);
    const gone = { GITHUB_STEP_SUMMARY: story.path("is-not-there") };
    const without = await story.run({ command: "plan" }, { env: gone });
    assert.equal(without.outputs.result, "passed");
    assert.match(without.printed, /::group::Summary/);
  });

  it("with a runner whose file for outputs is missing: nobody may believe that it went well", async () => {
    const ended = await story.run({ command: "plan" }, { env: { GITHUB_OUTPUT: story.path("is-not-there") } });
    assert.equal(ended.code, 1);
    assert.ok(ended.annotations.some(({ message }) => /is-not-there|file at path/.test(message)));
  });

  it("with an event that is nonsense", async () => {
    const event = { name: "pull_request", payload: { pull_request: HOSTILE, sender: { login: HOSTILE } } };
    const ended = await story.run({ command: "plan" }, { event });
    assert.equal(ended.outputs.result, "passed");
  });

  it("cancelled before anything is done", async () => {
    await writeFile(join(story.workspace, "big.yml"), `# ${"x".repeat(3_000_000)}\n`);
    const started = await startAction(story.step({ command: "run", config: "big.yml" }));
    started.child.kill("SIGINT");
    const ended = await started.ended;
    // a signal before the first line is the system's to handle
    if (ended.signal === null) assert.equal(ended.code, 1);
  });
});
