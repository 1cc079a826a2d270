import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { kindOfName, NamedFiles, POLICY_FILES, SPEC_FILES } from "../../../extension/model/policyNames.js";
import { inProject } from "../../support/projectRoot.js";

interface Validation {
  fileMatch: string[];
}

const { contributes, activationEvents } = JSON.parse(readFileSync(inProject("package.json"), "utf8")) as {
  contributes: { yamlValidation: Validation[]; jsonValidation: Validation[] };
  activationEvents: string[];
};

/** A pattern with alternatives as the names that the manifest lists. */
function namesOf(pattern: string): string[] {
  const [, front = "", ends = ""] = /^\*\*\/(.*)\{(.*)\}$/.exec(pattern) ?? [];
  return ends.split(",").map((end) => front + end);
}

describe("names of policies and specs", () => {
  const all = [POLICY_FILES, SPEC_FILES].flatMap(namesOf).sort();

  it("are the same for validation, activation, and the search", () => {
    const validated = [...contributes.yamlValidation, ...contributes.jsonValidation].flatMap((each) => each.fileMatch);
    assert.deepEqual(validated.sort(), all);
    const activating = activationEvents.flatMap((event) => /^workspaceContains:(?:\*\*\/)?(.*)/.exec(event)?.[1] ?? []);
    assert.deepEqual(activating.sort(), all);
  });

  it("tell what a file is", () => {
    for (const name of namesOf(POLICY_FILES)) assert.equal(kindOfName(`/a/${name}`), "policy");
    for (const name of namesOf(SPEC_FILES)) assert.equal(kindOfName(`/a/${name.replace("*", "web")}`), "spec");
    for (const name of ["reprise.json", "my-reprise.yml", ".restore-test.json", "web.yaml", "web.restore-test.txt"])
      assert.equal(kindOfName(`/a/${name}`), undefined, name);
  });
});

describe("files that policies name", () => {
  it("lead to the policies that depend on them, until they say something else", () => {
    const named = new NamedFiles();
    assert.equal(named.set("one", { files: ["/a/web.yaml"], folders: ["/a/tests"] }), true);
    assert.equal(named.set("two", { files: ["/a/web.yaml"], folders: [] }), true);
    assert.equal(named.set("two", { files: ["/a/web.yaml"], folders: [] }), false);
    assert.deepEqual(named.policiesThatName("/a/web.yaml"), ["one", "two"]);
    assert.deepEqual(named.policiesThatName("/a/tests/new.yaml"), ["one"]);
    assert.deepEqual(named.policiesThatName("/a/tests-other/new.yaml"), []);
    named.set("one", { files: [], folders: [] });
    named.delete("two");
    assert.deepEqual(named.policiesThatName("/a/web.yaml"), []);
  });
});
