// Which events say by themselves what has changed: all others leave the gate shut until base is given.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { ActionStory } from "./actionStory.js";
import type { EndedAction } from "./runAction.js";

const ZEROS = "0".repeat(40);

describe("a gate without a change to judge", function () {
  this.timeout(60_000);
  let story: ActionStory;
  let head: string;

  before(async () => {
    story = await ActionStory.begin("events");
    git("init", "-q", "-b", "main");
    await story.file("reprise.yml", {
      machines: { "vm/db1": {} },
      gates: { production: { keys: "evidence.pub", rules: [{ paths: "db/", machines: "vm/db1" }] } },
    });
    commit("the beginning");
    git("tag", "v1.0");
    await appendFile(join(story.workspace, "README"), "a change\n");
    head = commit("the change");
  });
  after(() => story.end());

  function git(...args: string[]): string {
    const config = ["-c", "user.name=dev", "-c", "user.email=dev@example.invalid"];
    return execFileSync("git", [...config, ...args], { cwd: story.workspace, encoding: "utf8" }).trim();
  }

  function commit(message: string): string {
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  }

  async function gate(
    name: string,
    payload: object,
    { env, inputs }: { env?: Record<string, string>; inputs?: Record<string, string> } = {},
  ): Promise<EndedAction> {
    const more = { repository: { default_branch: "main" }, ...payload };
    return await story.run(
      { command: "gate", ...inputs },
      { event: { name, payload: more }, env: { GITHUB_SHA: head, ...env } },
    );
  }

  function assertUnknown({ code, outputs, printed }: EndedAction): void {
    assert.deepEqual(
      [code, outputs["gate-decision"], outputs["error-code"]],
      [1, "blocked", "CHANGES_UNKNOWN"],
      printed,
    );
  }

  for (const name of ["workflow_dispatch", "deployment", "release", "issue_comment", "pull_request_review"]) {
    it(`stays shut for ${name}`, async () => assertUnknown(await gate(name, {})));
  }

  it("stays shut for a default branch that is new, and for a branch that is gone", async () => {
    assertUnknown(await gate("push", { ref: "refs/heads/main", before: ZEROS, after: head }));
    assertUnknown(await gate("push", { ref: "refs/heads/old", before: head, after: ZEROS }));
    assertUnknown(await gate("push", {}));
  });

  it("asks for the base of a tag: whoever pushes tags must not choose it", async () => {
    git("tag", "v1.1");
    const env = { GITHUB_REF_TYPE: "tag", GITHUB_REF_NAME: "v1.1" };
    const push = { ref: "refs/tags/v1.1", before: ZEROS, after: head };
    const ended = await gate("push", push, { env });
    assertUnknown(ended);
    assert.match(ended.annotations[0]?.message ?? "", /tag that was deployed last/);
    const named = await gate("push", push, { env, inputs: { base: "v1.0" } });
    assert.deepEqual([named.outputs["gate-decision"], named.outputs["error-code"]], ["not-needed", ""], named.printed);
  });
});
