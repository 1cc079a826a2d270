import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isKeyPlace, keysAt, type SchemaNode, siblingsAt, valuesAt } from "../../../extension/model/schemaHelp.js";
import { yamlPlaceAt } from "../../../extension/model/yamlPlace.js";
import { inProject } from "../../support/projectRoot.js";

const schemaOf = (name: string) => JSON.parse(readFileSync(inProject("schemas", name), "utf8")) as SchemaNode;
const policy = schemaOf("reprise.json");
const spec = schemaOf("restore-test.json");

/** `|` is the cursor. */
function at(schema: SchemaNode, marked: string) {
  const before = marked.slice(0, marked.indexOf("|")).split("\n");
  const lines = marked.replace("|", "").split("\n");
  const [line, character] = [before.length - 1, (before.at(-1) ?? "").length];
  const place = yamlPlaceAt(lines, line, character);
  if (!isKeyPlace(lines[line] ?? "", character, place)) return valuesAt(schema, place).map(({ text }) => `=${text}`);
  return keysAt(schema, place, siblingsAt(lines, line, character)).map(({ text }) => text);
}

describe("keys by our schemas", () => {
  it("are those of the place, without those that are there", () => {
    assert.deepEqual(
      at(policy, "version: 1\n|").filter((key) => ["version", "machines", "jobs", "gates"].includes(key)),
      ["machines", "jobs", "gates"],
    );
    const ofJob = at(policy, "jobs:\n  nightly:\n    backup: all\n    sche|\n    retention: {last: 1}\n");
    assert.ok(ofJob.includes("schedule") && ofJob.includes("time-zone"), ofJob.join());
    assert.ok(!ofJob.includes("backup") && !ofJob.includes("retention"), ofJob.join());
    assert.ok(at(policy, "jobs:\n  nightly:\n    retention: {last: 1, |}\n").includes("daily"));
    assert.ok(at(policy, "gates:\n  g:\n    rules:\n      - |\n").includes("paths"));
    assert.ok(at(policy, "jobs:\n  nightly:\n    sched|ule: x\n").includes("schedule"));
    assert.deepEqual(at(policy, "jobs:\n  |\n"), []);
  });

  it("are those of the kind of check that is written", () => {
    const checks = (text: string) => at(spec, `spec:\n  checks:\n    - id: a\n      type: ${text}\n      |\n`);
    assert.ok(checks("file").includes("path"));
    assert.ok(!checks("tcp").includes("path") && checks("tcp").includes("port"), checks("tcp").join());
  });

  it("have the values that are listed", () => {
    assert.deepEqual(at(spec, "spec:\n  level: |\n"), ["=intact", "=readable", "=boots", "=serves"]);
    assert.ok(at(policy, "gates:\n  g:\n    level: b|\n").includes("=boots"));
  });

  it("never fail, wherever the cursor is, whatever the keys are called", () => {
    const text = "jobs:\n  constructor:\n    __proto__: {toString: [a, {b: }]}\n  - - x: |\n";
    for (let i = 0; i <= text.length; i++)
      for (const schema of [policy, spec]) at(schema, `${text.slice(0, i)}|${text.slice(i).replace("|", "")}`);
  });
});
