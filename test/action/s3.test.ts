// Steps on a repository in a bucket of a real S3 server (Ceph), with credentials in the environment of the step.

import assert from "node:assert/strict";
import { type S3Server, sharedS3Server } from "../support/s3Server.js";
import { ActionStory, CANARY } from "./actionStory.js";
import { runAction } from "./runAction.js";

describe("the action on S3", function () {
  this.timeout(120_000);
  let server: S3Server;
  let story: ActionStory;
  let env: Record<string, string>;
  const before_ = { ...process.env };

  before(async () => {
    server = await sharedS3Server();
    story = await ActionStory.begin("s3");
    env = server.environment();
    // the command line makes the repository in this process
    Object.assign(process.env, env);
    const location = server.location(await server.newBucket(), "machines");
    await story.cli("init", "-r", location, "--pack-size", "1M");
    await story.file("reprise.yml", {
      repositories: { main: { location } },
      machines: { "vm/web1": { disks: await story.disk("web1", 4_000_000) } },
      jobs: {
        nightly: { backup: "all", schedule: "daily", "verify-after": "structure" },
        check: { verify: "all", "read-data": true },
        trim: { prune: "all", retention: { last: 1 } },
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

  it("shows the credentials to nobody, right or wrong", async () => {
    const secret = `${server.admin.secretAccessKey.slice(0, -4)}WXYZ`;
    const wrong = { ...env, AWS_SECRET_ACCESS_KEY: secret, REPRISE_PASSPHRASE: CANARY };
    const ended = await runAction(story.step({ command: "backup" }, { env: wrong }));
    assert.deepEqual([ended.code, ended.outputs.result], [1, "failed"]);
    assert.ok(ended.masks.includes(secret));
    for (const text of [ended.printed, ended.summary, JSON.stringify(ended.outputs)]) assert.ok(!text.includes(secret));
  });
});
