// The gate's step as a value: where its checkout begins, and that what the policy names in the environment is hidden.

import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkoutOf, publishingFolder } from "../../action/checkout.js";
import type { CommandStep } from "../../action/commandStep.js";
import { gateCommand } from "../../action/gateCommand.js";
import { readInputs } from "../../action/inputs.js";
import type { Runner } from "../../action/runner.js";
import { assertCode } from "../support/assertCode.js";
import { GitSandbox, inScratch } from "../support/gitSandbox.js";

const POLICY = `version: 1
repositories:
  main: { location: env:WHERE, passphrase: env:WORD }
machines: { vm/101: {} }
gates:
  production:
    evidence: main
    rules: [{ paths: db/, machines: vm/101 }]
`;

function stepIn(workspace: string, config: string, env: Record<string, string> = {}) {
  const hidden: string[] = [];
  const told: string[] = [];
  const runner: Partial<Runner> = {
    env: { GITHUB_WORKSPACE: workspace, ...env },
    hide: (secret) => hidden.push(secret),
    log: (text) => told.push(text),
    debug: (text) => told.push(text),
  };
  const read = readInputs({
    values: new Map(Object.entries({ command: "gate", config, base: "base", head: "main" })),
    unknown: [],
  });
  assert.ok("inputs" in read);
  const event = { name: "pull_request", labels: [], pullRequest: null, defaultBranch: null, actor: "ada", url: null };
  const step = { runner, inputs: read.inputs, event, signal: new AbortController().signal, reportFolder: workspace };
  return { step: step as unknown as CommandStep, hidden };
}

describe("the step of a gate", function () {
  this.timeout(60_000);

  async function checkOut(folder: string, path: string): Promise<GitSandbox> {
    const work = GitSandbox.init(folder);
    await work.commit({ [path]: POLICY, "db/a.sql": "1" });
    work.git("branch", "base");
    await work.commit({ "db/a.sql": "2" });
    return work;
  }

  it("finds a checkout below the workspace, as actions/checkout makes it with a path", () =>
    inScratch(async (scratch) => {
      await checkOut(join(scratch, "infra"), "ops/reprise.yml");
      const { step } = stepIn(scratch, "infra/ops/reprise.yml");
      const { report } = await gateCommand(step);
      assert.deepEqual([report.gate?.decision, report.gate?.policyFile], ["blocked", "ops/reprise.yml"]);
      assert.equal(await publishingFolder(step), join(scratch, "infra"), "evidence is published from there");
      await assertCode(gateCommand(stepIn(scratch, "reprise.yml").step), "GIT_REPOSITORY_MISSING");
      assert.equal(await publishingFolder(stepIn(scratch, "/etc/reprise.yml").step), scratch);
    }));

  it("publishes from the folder in which git has trouble, so that the trouble is told", () =>
    inScratch(async (scratch) => {
      await mkdir(join(scratch, "infra", "ops"), { recursive: true });
      await writeFile(join(scratch, "infra", ".git"), "no gitfile\n");
      const { step } = stepIn(scratch, "infra/ops/reprise.yml");
      assert.equal(await publishingFolder(step), join(scratch, "infra"));
      await assertCode(checkoutOf(step), "GIT_FAILED");
    }));

  it("stays at the top of the checkout, also where a change has put a link in the way", () =>
    inScratch(async (scratch) => {
      const work = await checkOut(join(scratch, "checkout"), "ops/reprise.yml");
      GitSandbox.init(join(scratch, "elsewhere"));
      await symlink("../elsewhere", join(work.folder, "link"));
      const folderOf = async (config: string) => await checkoutOf(stepIn(work.folder, config).step);
      assert.deepEqual(await folderOf("link/reprise.yml"), { folder: work.folder, configPath: "link/reprise.yml" });
      assert.deepEqual(await folderOf("./ops/reprise.yml"), { folder: work.folder, configPath: "ops/reprise.yml" });
      assert.deepEqual(await folderOf("../x/reprise.yml"), { folder: work.folder, configPath: "../x/reprise.yml" });
    }));

  it("hides what the policy names in the environment before it opens anything", () =>
    inScratch(async (scratch) => {
      const work = await checkOut(join(scratch, "checkout"), "reprise.yml");
      const env = { WHERE: join(scratch, "a-secret-place"), WORD: "a word that nobody may see" };
      const { step, hidden } = stepIn(work.folder, "reprise.yml", env);
      const { report } = await gateCommand(step);
      assert.equal(report.gate?.machines[0]?.reasons[0]?.code, "repository-unreadable");
      assert.deepEqual(hidden.toSorted(), Object.values(env).toSorted());
    }));
});
