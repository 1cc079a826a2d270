// Inputs as values: what they become, and every mistake told at once.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { INPUT_DEFAULTS, type InputMistake } from "../../action/inputReader.js";
import { type Inputs, readInputs } from "../../action/inputs.js";
import { OUTPUT_NAMES } from "../../action/outputs.js";
import { VERSION } from "../../action/version.js";
import { inProject } from "../support/projectRoot.js";
import { definition } from "./runAction.js";

function read(
  values: Record<string, string>,
  unknown: string[] = [],
): { inputs: Inputs } | { mistakes: InputMistake[] } {
  return readInputs({ values: new Map(Object.entries({ ...INPUT_DEFAULTS, ...values })), unknown });
}

function good(values: Record<string, string>): Inputs {
  const result = read(values);
  return "inputs" in result ? result.inputs : assert.fail(JSON.stringify(result.mistakes));
}

function wrong(values: Record<string, string>, unknown: string[] = []): string[] {
  const result = read(values, unknown);
  return "mistakes" in result
    ? result.mistakes.map(({ input, message }) => `${input} ${message}`)
    : assert.fail("is right");
}

describe("action.yml", () => {
  it("has the inputs, defaults and outputs that the code knows", () => {
    const defaults = Object.entries(definition.inputs).map(([name, input]) => [name, input.default ?? ""]);
    assert.deepEqual(Object.fromEntries(defaults), INPUT_DEFAULTS);
    assert.deepEqual(Object.keys(definition.outputs), [...OUTPUT_NAMES]);
    for (const part of [...Object.values(definition.inputs), ...Object.values(definition.outputs)])
      assert.ok(part.description.length > 15);
    for (const name of [...Object.keys(definition.inputs), ...OUTPUT_NAMES]) assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.deepEqual(definition.runs, { using: "node24", main: "dist/action/index.mjs" });
  });

  it("has everything explained in docs/action.md", () => {
    const page = readFileSync(inProject("docs", "action.md"), "utf8");
    const names = [...Object.keys(definition.inputs), ...Object.keys(definition.outputs)];
    assert.deepEqual(
      names.filter((name) => !page.includes(`\`${name}\``)),
      [],
    );
  });

  it("belongs to this version", () => {
    assert.equal(VERSION, JSON.parse(readFileSync(inProject("package.json"), "utf8")).version);
  });
});

describe("inputs", () => {
  it("are defaults when they are empty", () => {
    const inputs = good({ command: "run", config: "", "dry-run": "", "fail-on": "  " });
    assert.equal(inputs.config, "reprise.yml");
    assert.equal(inputs.dryRun, false);
    assert.equal(inputs.failOn, "inconclusive");
    assert.equal(inputs.publish, null);
  });

  it("are lists by commas or lines, each entry once", () => {
    const inputs = good({ command: "Backup", job: "nightly, weekly\nnightly\r\n", machine: "vm/web1" });
    assert.deepEqual(inputs.jobs, ["nightly", "weekly"]);
    assert.equal(inputs.command, "backup");
  });

  it("stand for a configuration file when a repository is a location", () => {
    const inputs = good({
      command: "backup",
      repository: "/srv/backup",
      machine: "vm/web1",
      disk: "root=/dev/vg/root\n/images/my disk.qcow2\n",
    });
    assert.deepEqual(inputs.withoutConfig?.disks, ["root=/dev/vg/root", "/images/my disk.qcow2"]);
    assert.equal(good({ command: "status", repository: "main" }).withoutConfig, null);
  });

  it("are refused all at once", () => {
    assert.deepEqual(wrong({ command: "backpu", "dry-run": "maybe", "fail-on": "warn" }), [
      'command is "backpu", which there is not',
      'dry-run is "maybe"',
      'fail-on is "warn", which there is not',
    ]);
    const result = read({ command: "backpu" });
    assert.match("mistakes" in result ? (result.mistakes[0]?.hint ?? "") : "", /did you mean backup/);
  });

  it("are refused when missing or contradictory", () => {
    assert.deepEqual(wrong({}), ["command is missing"]);
    assert.match(wrong({ command: "backup", gate: "main" })[0]!, /gate means nothing for command: backup/);
    assert.match(wrong({ command: "gate", "dry-run": "true" })[0]!, /contradicts/);
    assert.match(wrong({ command: "report" })[0]!, /reports is needed/);
    assert.match(wrong({ command: "backup", disk: "/a" })[0]!, /disk is for runs without/);
    assert.match(wrong({ command: "plan", repository: "/srv/backup" })[0]!, /repository/);
    assert.deepEqual(wrong({ command: "backup", repository: "/srv/backup" }).length, 2);
    assert.match(wrong({ command: "prune", repository: "/srv/backup" })[0]!, /keep is needed/);
    assert.match(wrong({ command: "restore-test", job: "a", test: "b" })[0]!, /contradicts job/);
  });

  it("that nobody knows are named, secrets above all", () => {
    assert.match(wrong({ command: "run" }, ["passphrase"])[0]!, /looks like a secret/);
    assert.match(wrong({ command: "run" }, ["aws-secret-access-key"])[0]!, /looks like a secret/);
    assert.match(wrong({ command: "run" }, ["dryrun"])[0]!, /is no input/);
  });

  it("of any length and any characters are told, not obeyed", () => {
    const lines = [
      ...wrong({ command: "x".repeat(100_000) }),
      ...wrong({ command: "run", config: "a\u0000b" }),
      ...wrong({ command: "run", job: Array.from({ length: 1001 }, (_, i) => `j${i}`).join(",") }),
      ...wrong({ command: "::set-output name=a::b" }),
    ];
    assert.ok(lines.every((line) => line.length < 200));
  });
});
