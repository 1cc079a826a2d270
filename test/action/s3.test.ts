// Steps on a repository in a bucket of a real S3 server (Ceph), with credentials in the environment of the step.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { copyTinyGuest } from "../fixtures/guests.js";
import { LONG_BOOT, TINY_HARDWARE } from "../support/machineTests.js";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { ActionStory, CANARY } from "./actionStory.js";
import { runAction } from "./runAction.js";

describe("the action on S3", function () {
  this.timeout(400_000);
  let server: S3Server;
  let story: ActionStory;
  let env: Record<string, string>;
  let signingKey: string;
  const before_ = { ...process.env };

  before(async () => {
    server = await sharedS3Server();
    story = await ActionStory.begin("s3");
    env = server.environment();
    // the command line makes the repository in this process
    Object.assign(process.env, env);
    const location = server.location(await server.newBucket(), "machines");
    const copy = server.location(await server.newBucket(), "copy");
    for (const each of [location, copy]) await story.cli("init", "-r", each, "--pack-size", "1M");
    const guest = story.path("disks", "db1.raw");
    await copyTinyGuest(guest);
    const key = story.path("signing.pem");
    const { publicKey } = await story.cli<{ publicKey: string }>("key", "signing", "generate", "--out", key);
    signingKey = await readFile(key, "utf8");
    await mkdir(join(story.workspace, "db"));
    await story.file("evidence.pub", publicKey);
    await story.file("reprise.yml", {
      repositories: { main: { location }, copy: { location: copy } },
      machines: {
        "vm/web1": { disks: await story.disk("web1", 4_000_000) },
        "vm/db1": { disks: { path: guest, name: "root" } },
      },
      jobs: {
        nightly: { backup: "all", repository: "main", schedule: "daily", "verify-after": "structure" },
        check: { verify: "all", repository: "main", "read-data": true },
        proof: { "restore-test": "all", repository: "main" },
        trim: { prune: "all", repository: "main", retention: { last: 1 } },
        offsite: { sync: "vm/web1", from: "main", repository: "copy" },
      },
      "restore-tests": [
        {
          ...{ name: "db1", machine: "vm/db1", level: "boots", hardware: TINY_HARDWARE, timeouts: LONG_BOOT },
          ready: { serial: "FIXTURE-READY" },
        },
      ],
      gates: {
        production: {
          ...{ evidence: "main", keys: "evidence.pub" },
          rules: [{ paths: "db/", machines: "vm/db1", level: "boots" }],
        },
      },
    });
  });
  after(async () => {
    for (const name of Object.keys(env)) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await story.end();
  });

  it("backs up, verifies, prunes and plans", async () => {
    const made = await story.passes({ command: "run" }, { env });
    assert.ok(Number(made.outputs["added-bytes"]) >= 4_000_000);
    assert.equal((await story.passes({ command: "plan", due: "true" }, { env })).outputs["any-due"], "false");
    await story.passes({ command: "backup" }, { env });
    await story.passes({ command: "verify" }, { env });
    await story.passes({ command: "prune" }, { env });
    const status = await story.run({ command: "status" }, { env });
    assert.ok(Number(status.outputs["backup-age-seconds"]) < 600);
  });

  it("copies to another bucket", async () => {
    const [machine] = JSON.parse((await story.passes({ command: "sync" }, { env })).outputs.machines as string);
    assert.match(machine.reason, /copied 1 of 1/);
  });

  it("boots a machine from the bucket, and opens the gate with what the bucket holds", async () => {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: story.workspace, encoding: "utf8" }).trim();
    git("init", "-q", "-b", "main");
    git("config", "user.email", "dev@example.invalid");
    git("config", "user.name", "dev");
    git("add", "-A");
    git("commit", "-q", "-m", "the beginning");
    const base = git("rev-parse", "HEAD");
    await appendFile(join(story.workspace, "db", "schema.sql"), "create table a (b int);\n");
    git("add", "-A");
    git("commit", "-q", "-m", "a table");
    const gate = { command: "gate", base, head: git("rev-parse", "HEAD") };
    const shut = await story.run(gate, { env });
    assert.deepEqual([shut.code, shut.outputs["gate-decision"]], [1, "blocked"]);
    const tested = await story.passes(
      { command: "restore-test" },
      { env: { ...env, REPRISE_SIGNING_KEY: signingKey } },
    );
    assert.equal(tested.outputs["proven-level"], "boots");
    const open = await story.passes(gate, { env });
    assert.equal(open.outputs["gate-decision"], "go");
    assert.match(open.outputs["gate-reason"] as string, /whose restore was proven/);
  });

  it("shows the credentials to nobody, right or wrong", async () => {
    const secret = `${server.admin.secretAccessKey.slice(0, -4)}WXYZ`;
    const wrong = { ...env, AWS_SECRET_ACCESS_KEY: secret, REPRISE_PASSPHRASE: CANARY };
    const ended = await runAction(story.step({ command: "backup" }, { env: wrong }));
    assert.deepEqual([ended.code, ended.outputs.result], [1, "failed"]);
    assert.ok(ended.masks.includes(secret));
    for (const text of [ended.printed, ended.summary, JSON.stringify(ended.outputs)]) assert.ok(!text.includes(secret));
  });
});
