import assert from "node:assert/strict";
import fc from "fast-check";
import { matchesName, matchesPath } from "../../core/config/wildcard.js";

/** The same by regular expressions, for short texts only. */
function byExpression(pattern: string, text: string): boolean {
  const source = pattern.split(/(\*\*\/|\/\*\*$|^\*\*$|\*|\?)/).map((part) => {
    if (part === "**/") return "(?:[^/]*/)*";
    if (part === "/**") return "(?:/[^/]*)*";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : part.replace(/[.\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`, "s").test(text);
}

describe("patterns of a configuration", () => {
  it("match names", () => {
    const cases: [string, string, boolean][] = [
      ["vm/*", "vm/web1", true],
      ["vm/*", "ct/web1", false],
      ["*", "prod:vm/web1", true],
      ["vm/w*b*1", "vm/web01", true],
      ["vm/web?", "vm/web1", false],
      ["vm/web1", "vm/web10", false],
    ];
    for (const [pattern, name, expected] of cases)
      assert.equal(matchesName(pattern, name), expected, `${pattern} ${name}`);
  });

  it("match paths", () => {
    const cases: [string, string, boolean][] = [
      ["tests/*.yaml", "tests/a.yaml", true],
      ["./tests/*.yaml", "tests/a.yaml", true],
      ["tests/*.yaml", "tests/deep/a.yaml", false],
      ["tests/**/*.yaml", "tests/a.yaml", true],
      ["tests/**/*.yaml", "tests/b/c/a.yaml", true],
      ["*.yaml", "tests/a.yaml", false],
      ["t?sts/a", "tests/a", true],
      ["a.b", "axb", false],
    ];
    for (const [pattern, path, expected] of cases)
      assert.equal(matchesPath(pattern, path), expected, `${pattern} ${path}`);
  });

  it("match as regular expressions do", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 3 });
    const part = fc.oneof(
      fc.constant("**"),
      fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 3 }),
    );
    const paths = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
    const patterns = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    // what the expressions above cannot say: ** at the end, and ** beside letters
    const plain = patterns.filter(
      (pattern) => !pattern.endsWith("**") && pattern.split("/").every((each) => each === "**" || !each.includes("**")),
    );
    fc.assert(
      fc.property(plain, paths, (pattern, path) => {
        assert.equal(matchesPath(pattern, path), byExpression(pattern, path), `${pattern} ${path}`);
      }),
      { numRuns: 2000 },
    );
  });

  it("take no longer for many stars", () => {
    const startMs = performance.now();
    assert.equal(matchesName(`${"a*".repeat(600)}b`, "a".repeat(1300)), false);
    assert.equal(matchesPath(`${"**/a*/".repeat(300)}b`, "a/".repeat(1000)), false);
    assert.ok(performance.now() - startMs < 2000);
  });
});
