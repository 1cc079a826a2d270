// Every workflow that we run or show: it parses, asks for the least, pins what it uses, and gives the action only inputs that there are.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseDocument } from "yaml";
import { readConfig } from "../../core/config/readConfig.js";
import { inProject } from "../support/projectRoot.js";
import { definition } from "./runAction.js";

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, unknown>;
}
interface Job {
  uses?: string;
  with?: Record<string, unknown>;
  permissions?: unknown;
  "timeout-minutes"?: number;
  steps?: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions?: unknown;
  jobs: Record<string, Job>;
}

/** The checkout itself, or a release. */
const OURS =
  /^\.\/(\.github\/workflows\/[\w-]+\.yml)?$|^reprise\/reprise(\/\.github\/workflows\/gate\.yml)?@v\d+(\.\d+\.\d+-action)?$/;
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
const files = [inProject(".github", "workflows"), inProject("docs", "workflows")].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".yml"))
    .map((name) => join(folder, name)),
);

function stepsOf(workflow: Workflow): Step[] {
  return Object.values(workflow.jobs).flatMap(({ steps }) => steps ?? []);
}

for (const file of files) {
  describe(file.slice(inProject().length + 1), () => {
    const text = readFileSync(file, "utf8");
    const workflow = parse(text) as Workflow;

    it("parses, without errors and warnings", () => {
      const document = parseDocument(text);
      assert.deepEqual([...document.errors, ...document.warnings], []);
      assert.ok(Object.keys(workflow.on).length > 0 && Object.keys(workflow.jobs).length > 0);
    });

    it("asks for the least: nothing may be written but where a job says so", () => {
      assert.deepEqual(workflow.permissions, { contents: "read" });
      for (const [name, job] of Object.entries(workflow.jobs)) {
        if (job.permissions !== undefined) assert.ok(typeof job.permissions === "object", name);
        if (job.steps !== undefined) assert.ok((job["timeout-minutes"] ?? 0) > 0, `${name} has a time-out`);
      }
      assert.ok(!("pull_request_target" in workflow.on));
    });

    it("pins what it uses by commit, and says which version that is", () => {
      const used = [...stepsOf(workflow), ...Object.values(workflow.jobs)].flatMap(({ uses }) => uses ?? []);
      for (const name of used.filter((each) => !OURS.test(each))) {
        assert.match(name, PINNED);
        assert.match(text, new RegExp(`${name} # v\\d+\\.\\d+\\.\\d+$`, "m"));
      }
    });

    it("gives the action inputs that there are, and secrets in the environment only", () => {
      for (const step of stepsOf(workflow).filter(({ uses }) => OURS.test(uses ?? ""))) {
        assert.deepEqual(
          Object.keys(step.with ?? {}).filter((name) => !(name in definition.inputs)),
          [],
        );
        assert.ok(!JSON.stringify(step.with).includes("secrets."));
      }
      for (const [, id, name] of text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
        const step = stepsOf(workflow).find((each) => each.id === id) ?? assert.fail(`no step ${id}`);
        if (OURS.test(step.uses ?? "")) assert.ok((name as string) in definition.outputs, name);
      }
    });

    it("lets no text of others into a script", () => {
      for (const { run } of stepsOf(workflow)) assert.ok(!/\$\{\{/.test(run ?? ""), run);
    });
  });
}

describe("the reusable gate", () => {
  it("is called with inputs that it has", () => {
    const gate = parse(readFileSync(inProject(".github", "workflows", "gate.yml"), "utf8")) as {
      on: { workflow_call: { inputs: Record<string, { description: string }> } };
    };
    const example = parse(readFileSync(inProject("docs", "workflows", "gate.yml"), "utf8")) as Workflow;
    const inputs = gate.on.workflow_call.inputs;
    for (const name of Object.keys(example.jobs.gate?.with ?? {})) assert.ok(name in inputs, name);
  });
});

describe("a release", () => {
  const stepsIn = (name: string) =>
    stepsOf(parse(readFileSync(inProject(".github", "workflows", name), "utf8")) as Workflow);

  it("has a reusable gate with the action of the same release, by a tag that stays", () => {
    const { version } = JSON.parse(readFileSync(inProject("package.json"), "utf8")) as { version: string };
    const used = stepsIn("gate.yml").find(({ id }) => id === "gate")?.uses;
    assert.equal(used, `reprise/reprise@v${version}-action`);
  });

  it("is of main, and published only when the tests have passed", () => {
    const text = readFileSync(inProject(".github", "workflows", "release.yml"), "utf8");
    const { jobs } = parse(text) as { jobs: Record<string, Job & { needs?: string | string[] }> };
    assert.deepEqual(jobs.publish?.needs, ["test", "build"]);
    assert.equal(jobs.test?.uses, "./.github/workflows/ci.yml");
    assert.ok(stepsIn("release.yml").some(({ run }) => run === "git merge-base --is-ancestor HEAD origin/main"));
  });
});

describe("examples in the pages", () => {
  it("use inputs that there are, and pinned actions", () => {
    const pages = ["action.md", "gate-in-15-minutes.md", "ci-elsewhere.md"].map((name) =>
      readFileSync(inProject("docs", name), "utf8"),
    );
    for (const page of pages) {
      const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
        ([, block]) => parse(block as string) as unknown,
      );
      assert.ok(blocks.length > 0);
      const used = JSON.stringify(blocks).match(/"uses":"[^"]+"/g) ?? [];
      for (const one of used) {
        const name = one.slice('"uses":"'.length, -1);
        assert.ok(OURS.test(name) || PINNED.test(name), name);
      }
      const steps = blocks.flatMap((block) => (Array.isArray(block) ? (block as Step[]) : []));
      for (const step of steps.filter(({ uses }) => uses !== undefined && OURS.test(uses)))
        for (const name of Object.keys(step.with ?? {})) assert.ok(name in definition.inputs, name);
    }
  });

  it("show a configuration that is sound", async () => {
    const page = readFileSync(inProject("docs", "gate-in-15-minutes.md"), "utf8");
    const text = /^```yaml\n(repositories:[\s\S]*?)^```$/m.exec(page)?.[1] ?? assert.fail("has none");
    const config = await readConfig(text, { fileName: "reprise.yml", readFile: async () => new Uint8Array() });
    assert.deepEqual([config.jobs.length, config.gates[0]?.rules.length], [2, 1]);
  });
});
