import assert from "node:assert/strict";
import fc from "fast-check";
import { type JudgedCheck, judge, provenLevel } from "../../core/evidence/testVerdict.js";
import { OUTCOMES } from "../../core/format/restoreTestRecord.js";
import { SEVERITIES, TEST_LEVELS, type TestLevel } from "../../core/restoreTest/spec/restoreTestSpec.js";

const TYPES = [
  ...["chunks", "partition-table", "filesystem", "file", "ready", "serial", "agent", "screenshot"],
  ...["tcp", "http", "command", "sql", "canary", "script", "isolation", "objective", "something-new", "constructor"],
];

function one(type: string, outcome: JudgedCheck["outcome"] = "passed", given: Partial<JudgedCheck> = {}): JudgedCheck {
  return { id: `my-${type}`, type, severity: "fail", outcome, reason: null, ...given };
}

/** What a level needs, all of it passed. */
function proofOf(level: TestLevel): JudgedCheck[] {
  const all = [["chunks"], ["partition-table", "filesystem"], ["ready"], ["http"]];
  return all.slice(0, TEST_LEVELS.indexOf(level) + 1).flatMap((types) => types.map((type) => one(type)));
}

const checks = fc.array(
  fc.record({
    id: fc.constantFrom("a", "b"),
    type: fc.constantFrom(...TYPES),
    severity: fc.constantFrom(...SEVERITIES),
    outcome: fc.constantFrom(...OUTCOMES),
    reason: fc.constantFrom(null, "because"),
  }),
  { maxLength: 12 },
);
const tests = fc.record({
  level: fc.constantFrom(...TEST_LEVELS),
  simulated: fc.boolean(),
  // Often with the proofs in front, so that passing ones are among them.
  checks: fc
    .tuple(fc.constantFrom([], ...TEST_LEVELS.map(proofOf)), checks)
    .map(([proof, more]) => [...proof, ...more]),
});

describe("the verdict", () => {
  const verdict = (level: TestLevel, more: JudgedCheck[], simulated = false) => {
    const { outcome, provenLevel } = judge({ level, simulated, checks: [...proofOf(level), ...more] });
    return `${outcome} ${provenLevel}`;
  };
  const table: [string, string, string][] = [
    ["all passed", verdict("serves", []), "passed serves"],
    ["each level", TEST_LEVELS.map((level) => verdict(level, [])).join(), TEST_LEVELS.map((l) => `passed ${l}`).join()],
    ["a failed service", verdict("serves", [one("tcp", "failed")]), "failed boots"],
    [
      "a failed service beside an open one",
      verdict("serves", [one("sql", "inconclusive"), one("tcp", "failed")]),
      "failed boots",
    ],
    ["an open service", verdict("serves", [one("tcp", "inconclusive")]), "inconclusive boots"],
    ["a skipped service", verdict("serves", [one("tcp", "skipped")]), "inconclusive boots"],
    ["an open file", verdict("serves", [one("file", "inconclusive")]), "inconclusive intact"],
    ["a warning", verdict("serves", [one("tcp", "warned", { severity: "warn" })]), "warned serves"],
    [
      "an open check of severity warn",
      verdict("serves", [one("tcp", "inconclusive", { severity: "warn" })]),
      "warned serves",
    ],
    [
      "a skipped check of severity warn",
      verdict("boots", [one("agent", "skipped", { severity: "warn" })]),
      "warned boots",
    ],
    ["an info that did not hold", verdict("serves", [one("tcp", "warned", { severity: "info" })]), "passed serves"],
    ["an open info", verdict("serves", [one("tcp", "inconclusive", { severity: "info" })]), "passed serves"],
    ["a missed objective", verdict("serves", [one("objective", "failed")]), "failed serves"],
    ["a drill that was noticed", verdict("serves", [one("chunks", "failed")], true), "failed null"],
    ["a drill that was not noticed", verdict("serves", [], true), "failed null"],
    ["a drill that could not tell", verdict("serves", [one("chunks", "inconclusive")], true), "inconclusive null"],
  ];
  for (const [what, seen, wanted] of table) it(`${what}: ${wanted}`, () => assert.equal(seen, wanted));

  it("is inconclusive without the proof of the level", () => {
    const judged = (level: TestLevel, given: JudgedCheck[]) => judge({ level, simulated: false, checks: given });
    assert.equal(judged("intact", []).outcome, "inconclusive");
    assert.equal(judged("serves", proofOf("boots")).outcome, "inconclusive");
    assert.match(judged("serves", proofOf("boots")).reason, /only "boots" was proven/);
    assert.equal(judged("readable", [one("chunks"), one("filesystem")]).outcome, "inconclusive");
    const onlyWarned = [...proofOf("boots"), one("http", "warned", { severity: "warn" })];
    assert.equal(judged("serves", onlyWarned).outcome, "inconclusive");
  });

  it("never passes over a required check that has not passed, nor a drill", () => {
    fc.assert(
      fc.property(tests, (test) => {
        const { outcome } = judge(test);
        if (outcome !== "passed" && outcome !== "warned") return;
        assert.equal(test.simulated, false);
        const required = test.checks.filter(({ severity }) => severity === "fail");
        assert.ok(required.every((check) => check.outcome === "passed" || check.outcome === "warned"));
        if (outcome === "passed")
          assert.ok(
            test.checks.every(
              (check) => check.outcome === "passed" || check.severity === "info" || check.severity === "fail",
            ),
          );
        assert.ok(required.length > 0);
      }),
      { numRuns: 3000 },
    );
  });

  it("never passes a failed one of any severity but info, and says failed for every failed one", () => {
    fc.assert(
      fc.property(tests, (test) => {
        if (test.checks.some((check) => check.outcome === "failed")) assert.equal(judge(test).outcome, "failed");
      }),
    );
  });

  it("proves no level that is not proven from below, and at most more when a check gets better", () => {
    const rank = (level: TestLevel | null) => (level === null ? -1 : TEST_LEVELS.indexOf(level));
    fc.assert(
      fc.property(tests, fc.nat(), ({ checks }, at) => {
        const before = provenLevel(checks);
        const worse = checks.filter(({ severity, outcome }) => severity === "fail" && outcome === "failed");
        if (worse.some(({ type }) => type === "chunks")) assert.equal(before, null);
        if (before !== null) assert.ok(checks.some(({ type, outcome }) => type === "chunks" && outcome === "passed"));
        if (checks.length === 0) return;
        const better = checks.with(at % checks.length, { ...checks[at % checks.length]!, outcome: "passed" });
        assert.ok(rank(provenLevel(better)) >= rank(before));
      }),
      { numRuns: 2000 },
    );
  });

  it("does not depend on the order of checks", () => {
    fc.assert(
      fc.property(tests, (test) => {
        const turned = { ...test, checks: test.checks.toReversed() };
        const { outcome, provenLevel } = judge(test);
        assert.deepEqual([judge(turned).outcome, judge(turned).provenLevel], [outcome, provenLevel]);
      }),
    );
  });
});
