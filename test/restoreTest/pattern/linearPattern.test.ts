import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePattern } from "../../../core/restoreTest/pattern/linearPattern.js";

function compiled(source: string): RegExp {
  const result = compilePattern(source);
  assert.ok("pattern" in result, JSON.stringify(result));
  return result.pattern;
}

function problem(source: string): string {
  const result = compilePattern(source);
  assert.ok("problem" in result, source);
  return result.problem;
}

const letter = fc.constantFrom("a", "b", "c", "A", "_", "é", "😀", "\n");
const atom = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "A", "é", "😀") },
  fc.constantFrom(
    ".",
    "\\d",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\b",
    "\\B",
    "^",
    "$",
    "[ab]",
    "[^a]",
    "[a-c_]",
    "\\u{61}",
    "\\n",
  ),
);
const isAssertion = (source: string) => ["^", "$", "\\b", "\\B"].includes(source);
const { pattern: patternSource } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4 },
    atom,
    fc
      .tuple(tie("part"), fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?"))
      .map(([part, count]) => (isAssertion(part) ? part : `(?:${part})${count}`)),
    fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(${a}|${b})`),
  ),
  pattern: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
}));

describe("linearPattern", () => {
  it("finds what JavaScript finds", () => {
    const texts = fc.array(letter, { maxLength: 12 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(patternSource, texts, fc.constantFrom("", "(?s)"), (source, text, prefix) => {
        const native = new RegExp(source, prefix === "" ? "mu" : "msu");
        const ours = compiled(prefix + source);
        const expected = native.exec(text);
        assert.equal(ours.test(text), expected !== null);
        const match = ours.exec(text);
        assert.equal(match === null, expected === null);
        if (match === null) return;
        // what it shows is a match, where it says
        assert.equal(text.slice(match.index, match.index + match[0].length), match[0]);
        const anchored = new RegExp(`(?:${source})`, `${native.flags}y`);
        anchored.lastIndex = match.index;
        assert.ok(anchored.test(text), `no match at ${match.index}`);
      }),
      { numRuns: 3000 },
    );
  });

  it("ignores case and reads the whole syntax of JavaScript's sets", () => {
    const cases: [string, string, boolean][] = [
      ["(?i)ready", "FIXTURE-READY", true],
      ["(?i)[^a]", "A", false],
      ["(?i)straße É", "STRAßE é", true],
      ["ready", "READY", false],
      ["(?is)a.b", "A\nB", true],
      ["a.b", "a\nb", false],
      ["^login: $", "x\nlogin: \ny", true],
      ["^b", "a\r\nb", true],
      ["\\bnginx\\b", "xnginx", false],
      ["[\\w.-]+@[\\d]{2,3}", "a-b.c@123", true],
      ["\\x41\\u0042\\u{43}\\u{1F600}\\ud83d\\ude00", "ABC😀😀", true],
      ["[\\]\\-^]", "^", true],
      ["[\\b]", "\b", true],
      ["\\cJ\\t\\0", "\n\t\0", true],
      ["(?<name>ab)+", "abab", true],
      ["[^]", "\n", true],
      ["[]", "a", false],
      ["", "", true],
      ["a{3}", "aa", false],
      ["pg_rows=50000 .* ga=active", "FIXTURE pg_rows=50000 addr=10.0.2.15 ga=active", true],
    ];
    for (const [source, text, expected] of cases) assert.equal(compiled(source).test(text), expected, source);
  });

  it("works as every RegExp does where one is used", () => {
    const pattern = compiled("boots=\\d+");
    assert.ok(pattern instanceof RegExp);
    assert.equal("x boots=12 y boots=3".match(pattern)?.[0], "boots=12");
    assert.equal("x boots=12 y".search(pattern), 2);
    assert.equal("x boots=12 y".replace(pattern, "?"), "x ? y");
    assert.equal(`${pattern}`, "/boots=\\d+/mu");
    // no position that one use leaves to the next
    assert.ok(pattern.test("boots=1") && pattern.test("boots=1"));
  });

  it("says what is wrong or not supported", () => {
    assert.match(problem("(a"), /not right: unterminated group/);
    assert.match(problem("a{2,1}"), /not right/);
    assert.match(problem("\\"), /not right/);
    assert.match(problem("(?=a)b"), /looking ahead/);
    assert.match(problem("(?<!a)b"), /looking behind/);
    assert.match(problem("(a)\\1"), /reference back/);
    assert.match(problem("\\p{L}"), /\\p/);
    assert.match(problem("a(?i:b)"), /at the start only|not right/);
    assert.match(problem("(a{100}){100}"), /too large/);
    assert.match(problem("a".repeat(1001)), /longer than/);
  });

  it("takes time in proportion to hostile text, however the pattern is nested", () => {
    const hostile: [string, string][] = [
      ["(a+)+$b", "a".repeat(200_000)],
      ["(a|aa)+$b", "a".repeat(200_000)],
      ["(.*)*(.*)*(.*)*x", "y".repeat(200_000)],
      ["\\s*.*\\s*foo.*bar", " ".repeat(200_000)],
      ["a.{0,80}b.{0,80}c", "ab".repeat(100_000)],
    ];
    for (const [source, text] of hostile) {
      const pattern = compiled(source);
      const startedAt = performance.now();
      assert.equal(pattern.exec(text), null);
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < 60_000, `${source} took ${Math.round(tookMs)} ms`);
    }
  });

  it("shows the end of a long match without taking long", () => {
    const text = `${"x".repeat(300_000)}END`;
    const shown = compiled("(x+x+)+END").exec(text)?.[0] ?? "";
    assert.ok(shown.endsWith("END"));
    assert.ok(shown.length <= 20_000);
  });

  it("survives any pattern and any text", () => {
    const unit = fc.constantFrom(..."abc\\()[]{}*+?|^$.-,:=!<>012duxpPbBkc".split(""), "é", "😀", "\ud800");
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), fc.string({ unit: "binary", maxLength: 50 }), (units, text) => {
        const result = compilePattern(units.join(""));
        if ("pattern" in result) result.pattern.exec(text);
        else assert.equal(typeof result.problem, "string");
      }),
      { numRuns: 3000 },
    );
  });
});
