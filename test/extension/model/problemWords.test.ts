import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { problemReason } from "../../../extension/model/problemWords.js";
import { inProject } from "../../support/projectRoot.js";

const t = (text: string) => text;

describe("reasons of rows that cannot be shown", () => {
  it("are short, and there for every code of the core", () => {
    const page = readFileSync(inProject("docs", "errors.md"), "utf8");
    const codes = Array.from(page.matchAll(/^\| ([A-Z0-9_]+) \| ([a-z-]+) \|/gm), ([, code = "", family = ""]) => ({
      code,
      family,
    }));
    assert.ok(codes.length > 100);
    for (const each of codes) {
      const reason = problemReason(each, t);
      assert.ok(reason.length > 0 && reason.length < 45 && !reason.includes("/"), reason);
    }
  });

  it("tell a folder that is not there from a folder without a repository", () => {
    assert.equal(problemReason({ code: "STORAGE_NOT_FOUND", family: "not-found" }, t), "The folder is not there");
    assert.equal(problemReason({ code: "REPOSITORY_NOT_FOUND", family: "not-found" }, t), "No repository is there");
    assert.equal(problemReason({ code: "NEW_ONE", family: "corrupt" }, t), "Damaged");
    assert.equal(problemReason({ code: "UNEXPECTED", family: "invariant" }, t), "It could not be read");
  });
});
