import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePathPattern, matchedPath } from "../../core/platform/pathPattern.js";

function matches(text: string, path: string, isFolder = false): boolean {
  const compiled = compilePathPattern(text);
  if ("problem" in compiled) return assert.fail(`${text}: ${compiled.problem}`);
  return compiled.pattern.matches(matchedPath(path, isFolder));
}

describe("path patterns", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["*", ["a", "a/b/c", ".hidden"], []],
    ["**", ["a", "a/b/c"], []],
    ["*.tf", ["main.tf", "infra/a.tf", "x.tf/below"], ["main.tfvars", "tf", "MAIN.TF"]],
    ["db/", ["db/a", "app/db/a/b"], ["db", "xdb/a", "db.sql", "DB/a"]],
    ["/db/", ["db/a", "db/a/b"], ["db", "app/db/a"]],
    ["db", ["db", "db/a", "app/db", "app/db/x"], ["dbx", "xdb/y"]],
    ["/db", ["db", "db/a"], ["app/db"]],
    ["app/db", ["app/db", "app/db/x"], ["x/app/db", "app/dbx"]],
    ["docs/*", ["docs/a.md"], ["docs", "docs/a/b.md", "x/docs/a.md"]],
    ["docs/**", ["docs/a", "docs/a/b"], ["docs", "x/docs/a"]],
    ["docs/*/", ["docs/a/b"], ["docs/a"]],
    ["docs/a*", ["docs/a", "docs/ab/c"], ["docs/b"]],
    ["**/logs", ["logs", "a/logs", "a/b/logs/c"], ["logsx"]],
    ["/infra/**/prod.tf", ["infra/prod.tf", "infra/a/b/prod.tf"], ["infra/prod.tfx", "prod.tf"]],
    ["a/**/**/b", ["a/b", "a/x/y/b/c"], ["a", "b"]],
    ["?.sql", ["a.sql", "ü.sql", "💾.sql"], ["ab.sql", ".sql"]],
    ["a b/[x].ts", ["a b/[x].ts"], ["a b/x.ts"]],
    ["\\*.sql", ["*.sql"], ["a.sql"]],
    ["\\!x", ["!x"], ["x"]],
    ["a\\ b", ["a b"], []],
    ["x***y", ["xy", "x--y"], ["x/y"]],
    ["a*b*c", ["abc", "axbxc", "abbcc"], ["acb", "a/b/c"]],
  ];
  for (const [pattern, yes, no] of cases) {
    it(`${pattern} means what it means in CODEOWNERS`, () => {
      for (const path of yes) assert.equal(matches(pattern, path), true, path);
      for (const path of no) assert.equal(matches(pattern, path), false, path);
    });
  }

  it("take a link or a submodule for the folder that it may stand for", () => {
    assert.equal(matches("db/", "db", true), true);
    assert.equal(matches("/db/", "app/db", true), false);
    for (const pattern of ["db/*", "db/**", "/db", "*", "db/*/"])
      assert.equal(matches(pattern, "db", true), pattern !== "db/*/");
    for (const pattern of ["db/*", "db/**", "db/"]) assert.equal(matches(pattern, "db", false), false);
  });

  it("may match what nobody sees behind a link, and cover all of it", () => {
    const ask = (text: string, path: string) => {
      const compiled = compilePathPattern(text);
      assert.ok("pattern" in compiled);
      const link = matchedPath(path, true);
      return [compiled.pattern.mayMatchBelow(link), compiled.pattern.coversBelow(link)];
    };
    for (const text of [
      "infra/migrations/",
      "/infra/a/b.sql",
      "infra/*/x",
      "infra/**",
      "infra/*",
      "**/deep/x",
      "*.sql",
      "db/",
    ])
      assert.deepEqual(ask(text, "infra"), [true, false], text);
    for (const text of ["*", "**", "infra", "/infra", "inf*"]) assert.deepEqual(ask(text, "infra"), [true, true], text);
    for (const text of ["infra2/x", "/x", "a/infra/b"]) assert.deepEqual(ask(text, "infra"), [false, false], text);
    assert.deepEqual(ask("infra/*", "infra/x"), [false, false], "direct ones only");
    assert.deepEqual(
      [ask("infra/", "infra/x"), ask("infra/", "infra")],
      [
        [true, true],
        [true, false],
      ],
    );
  });

  it("match names in both normal forms", () => {
    for (const form of ["NFC", "NFD"] as const)
      for (const other of ["NFC", "NFD"] as const)
        for (const text of ["données/", "/donn?es/*.sql", "*é*"])
          assert.equal(
            matches(text.normalize(form), "données/a.sql".normalize(other)),
            true,
            `${text} ${form} ${other}`,
          );
    assert.equal(matches("donnees/", "données/a.sql"), false);
  });

  it("match names with newlines, colons and bytes that are no text", () => {
    for (const name of ["a\nb", "::error::x", "\udcff\udcfe", "a'b\"c"])
      assert.equal(matches("db/", `db/${name}`), true);
    assert.equal(matches("db/?", "db/\udcff"), true);
  });

  it("that make no sense are problems", () => {
    for (const text of ["", "/", "!a", "a//b", "a/../b", "./a", "a\\", "a\nb", "x".repeat(1001), "a/".repeat(101)])
      assert.ok("problem" in compilePathPattern(text), text);
  });

  it("take no time to speak of, whatever they are", () => {
    const started = performance.now();
    assert.equal(matches(`${"*a".repeat(400)}b`, "a".repeat(4000)), false);
    assert.equal(matches(`${"**/*a*/".repeat(12)}b`, `${"aa/".repeat(1300)}c`), false);
    assert.equal(matches(`${"?*".repeat(450)}b`, "a".repeat(4000)), false);
    assert.ok(performance.now() - started < 2000);
  });

  it("without special characters match exactly the path and what is below", () => {
    const name = fc.stringMatching(/^[a-z\u00fc. -]{1,6}$/).filter((text) => text !== "." && text !== "..");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
    fc.assert(
      fc.property(path, path, (pattern, other) => {
        assert.equal(matches(`/${pattern}`, pattern), true);
        assert.equal(matches(`/${pattern}`, `${pattern}/${other}`), true);
        assert.equal(matches(`/${pattern}`, other), other === pattern || other.startsWith(`${pattern}/`));
      }),
    );
  });
});
