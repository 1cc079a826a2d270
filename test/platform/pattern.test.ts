import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePattern, type Pattern } from "../../core/platform/pattern.js";

function compiled(source: string): Pattern {
  const result = compilePattern(source);
  assert.ok("pattern" in result, JSON.stringify(result));
  return result.pattern;
}

function problem(source: string): string {
  const result = compilePattern(source);
  assert.ok("problem" in result, source);
  return result.problem;
}

// nothing beyond U+FFFF: there, \B of JavaScript matches between the halves of a character
const letter = fc.constantFrom("a", "b", "c", "A", "_", "é", "\n");
const atom = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "A", "é") },
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
    "\\x{61}",
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

/** A pattern of the ones above as JavaScript has it. */
function nativeOf(source: string, flags: string): RegExp {
  return new RegExp(source.replaceAll("\\x{61}", "\\x61"), flags);
}

describe("patterns of specs", () => {
  it("match what JavaScript matches", () => {
    const texts = fc.array(letter, { maxLength: 12 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(patternSource, texts, fc.constantFrom("", "(?s)"), (source, text, prefix) => {
        const native = nativeOf(source, prefix === "" ? "mu" : "msu");
        const expected = native.exec(text);
        const ours = compiled(prefix + source);
        assert.equal(ours.test(text), expected !== null);
        const shown = ours.firstMatch(text);
        // where it matches is the same; how far may differ where something empty is repeated, as in (|a)*
        if (expected === null) assert.equal(shown, null);
        else assert.ok(text.startsWith(shown ?? "nothing", expected.index), String(shown));
      }),
      { numRuns: 3000 },
    );
  });

  it("ignore case, cross lines and know the ends of lines", () => {
    const cases: [string, string, boolean][] = [
      ["(?i)ready", "FIXTURE-READY", true],
      ["(?i)[^a]", "A", false],
      ["(?i)straße É", "STRAßE é", true],
      ["a(?i:b)", "aB", true],
      ["ready", "READY", false],
      ["(?is)a.b", "A\nB", true],
      ["a.b", "a\nb", false],
      ["^login: $", "x\nlogin: \ny", true],
      ["\\Alogin", "x\nlogin", false],
      ["^a$", "x\r\na\r\nb", true],
      ["^a$", "x\ra\rb", true],
      ["^PONG\\r\\n", "+\nPONG\r\n", true],
      ["\\bnginx\\b", "xnginx", false],
      ["[\\w.-]+@[\\d]{2,3}", "a-b.c@123", true],
      ["\\x41\\x{42}\\x{1F600}", "AB😀", true],
      ["[\\]\\-^]", "^", true],
      ["^.$", "😀", true],
      ["(?<name>ab)+", "abab", true],
      ["^\\pL+$", "Ωé", true],
      ["", "", true],
      ["a{3}", "aa", false],
      ["pg_rows=50000 .* ga=active", "FIXTURE pg_rows=50000 addr=10.0.2.15 ga=active", true],
    ];
    for (const [source, text, expected] of cases) assert.equal(compiled(source).test(text), expected, source);
  });

  it("keep nothing from one text to the next, and show themselves as they were written", () => {
    const boots = compiled("(?i)boots=\\d+");
    assert.equal(boots.firstMatch("x boots=12 y boots=3"), "boots=12");
    assert.equal(boots.firstMatch("Boots=1"), "Boots=1");
    assert.equal(boots.firstMatch("x"), null);
    assert.ok(boots.test("boots=1") && boots.test("boots=1"));
    assert.equal(`${boots}`, "/(?i)boots=\\d+/");
  });

  it("say what is wrong or not supported", () => {
    assert.equal(problem("(a"), "the pattern is not right: missing closing ): (a");
    assert.match(problem("a{2,1}"), /invalid repeat count: \{2,1\}/);
    assert.match(problem("\\"), /trailing backslash/);
    assert.match(problem("x(?=a)b"), /looking ahead/);
    assert.match(problem("(?!a)b"), /looking ahead/);
    assert.match(problem("(?<!a)b"), /looking behind/);
    assert.match(problem("(?<=a)b"), /looking behind/);
    assert.match(problem("(a)\\1"), /references back/);
    assert.match(problem("(?<n>a)\\k<n>"), /references back/);
    assert.match(problem("\\u0041"), /\\x\{1F600\}/);
    assert.match(problem("a{1001}"), /invalid repeat count/);
    assert.match(problem("((a{100}){100}){100}"), /invalid repeat count/);
    assert.match(problem("(a{100}){10}b{100}"), /too large/);
    assert.match(problem("a".repeat(1001)), /longer than/);
  });

  it("take time in proportion to hostile text, however they are nested", () => {
    const million = 1024 * 1024;
    const hostile: [string, string][] = [
      ["(a+)+$", `${"a".repeat(million)}b`],
      ["(a+)+[bc]$", `${"a".repeat(million)}bd`],
      ["(a|aa)+[bc]$", `${"a".repeat(million)}bd`],
      ["(.*)*(.*)*(.*)*[xz]", "y".repeat(million)],
      ["\\s*.*\\s*foo.*bar$", `foo${" ".repeat(million)}bar `],
      ["a.{0,80}b.{0,80}c$", `${"ab".repeat(million / 2)}c `],
      ["(a{100}){10}$", `${"a".repeat(million)}b`],
    ];
    for (const [source, text] of hostile) {
      const startedAt = performance.now();
      assert.equal(compiled(source).firstMatch(text), null);
      const tookMs = performance.now() - startedAt;
      // well below a second each on a machine that has nothing else to do
      assert.ok(tookMs < 20_000, `${source} took ${Math.round(tookMs)} ms`);
    }
  });

  it("show a match in a long text without looking for it for long", () => {
    const lines = (count: number) => "an ordinary line of the console\n".repeat(count);
    const text = `${lines(50_000)}[ 12.5] Oops: 0002 [#1]\nRIP\n${lines(50_000)}`;
    assert.equal(compiled("Oops: \\d{4,100}").firstMatch(text), "Oops: 0002");
    assert.equal(compiled("^RIP$(?:.{0,400})").firstMatch(text), "RIP");
    assert.equal(compiled("(?s:#1.{0,9}RIP.{1,300})x?").firstMatch(text)?.slice(0, 6), "#1]\nRI");
    assert.equal(
      compiled("(x+x+)+E{0,100}D")
        .firstMatch(`${"x".repeat(300_000)}END`)
        ?.slice(-1),
      undefined,
    );
    assert.match(compiled("(x+x+)+EN{0,100}D").firstMatch(`${"x".repeat(300_000)}END`) ?? "", /xEND$/);
    // a match that is longer than what is looked at
    assert.match(compiled("(?s)^B.*E{1,100}$").firstMatch(`B${lines(50_000)}E`) ?? "", /ordinary/);
  });

  it("survive any pattern and any text", () => {
    const unit = fc.constantFrom(..."abc\\()[]{}*+?|^$.-,:=!<>012duxpPbBkc".split(""), "é", "😀", "\ud800");
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), fc.string({ unit: "binary", maxLength: 50 }), (units, text) => {
        const result = compilePattern(units.join(""));
        if ("pattern" in result) assert.equal(result.pattern.test(text), result.pattern.firstMatch(text) !== null);
        else assert.equal(typeof result.problem, "string");
      }),
      { numRuns: 3000 },
    );
  });
});
