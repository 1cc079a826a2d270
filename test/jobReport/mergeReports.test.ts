import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { decodeJobReport } from "../../core/jobReport/decodeJobReport.js";
import { encodeJobReport } from "../../core/jobReport/encodeJobReport.js";
import { type JobReport, REPORT_OUTCOMES } from "../../core/jobReport/jobReport.js";
import { mergeReports } from "../../core/jobReport/mergeReports.js";
import { worstOutcome } from "../../core/jobReport/reportWords.js";
import { backupOfFour, gateReport, matrixOfFour, planReport, sampleLine, sampleReport } from "./sampleReports.js";

const minute = fc.integer({ min: 0, max: 5 }).map((m) => `2026-11-22T02:0${m}:00Z`);
const line = fc
  .record({
    machine: fc.constantFrom("vm/a", "vm/b", "vm/c"),
    job: fc.constantFrom("nightly", "offsite", null),
    outcome: fc.constantFrom("passed" as const, "warned" as const, "failed" as const, "skipped" as const),
    finishedAt: minute,
    durationMs: fc.nat(3),
  })
  .map(({ machine, ...given }) => sampleLine(machine, given));
const problem = fc.record({
  severity: fc.constantFrom("error" as const, "warning" as const, "notice" as const),
  code: fc.constantFrom("A", "B"),
  message: fc.constantFrom("m", "n"),
  hint: fc.constant(null),
  machine: fc.constantFrom("vm/a", "vm/b", null),
  file: fc.constant(null),
  line: fc.constant(null),
  column: fc.constant(null),
});
const point = fc.record({ at: minute, bytes: fc.nat(2) });
const report = fc
  .record({
    machines: fc.array(line, { maxLength: 3 }),
    problems: fc.array(problem, { maxLength: 3 }),
    job: fc.constantFrom("nightly", null),
    startedAt: minute,
    finishedAt: minute,
    dryRun: fc.boolean(),
    beside: fc.constantFrom("passed" as const, "passed" as const, ...REPORT_OUTCOMES),
    facts: fc.array(fc.record({ label: fc.constantFrom("x", "y"), value: fc.constantFrom("1", "2") }), {
      maxLength: 2,
    }),
    added: fc.array(point, { maxLength: 3 }),
    repository: fc.constantFrom(sampleReport().repository, null),
    gate: fc.constantFrom(null, gateReport("go").gate, gateReport("blocked").gate),
  })
  .map(({ beside, added, ...given }): JobReport => {
    const outcome = worstOutcome([beside, ...given.machines.map((each) => each.outcome)]);
    const trends = [{ machine: "vm/a", rtoObjectiveMs: null, rto: [], added, size: [] }];
    return sampleReport({ ...given, trends, outcome });
  });

describe("merged reports", () => {
  it("are the same in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.nat()), (reports, random) => {
        const merged = mergeReports(reports);
        const shuffled = reports
          .map((each) => ({ each, place: random.next().value as number }))
          .sort((a, b) => a.place - b.place);
        assert.deepEqual(mergeReports(shuffled.map(({ each }) => each)), merged);
        assert.deepEqual(mergeReports([...reports].reverse()), merged);
      }),
      { numRuns: 300 },
    );
  });

  it("do not change when merged once more, alone or with one that is in them", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (reports) => {
        const merged = mergeReports(reports);
        assert.deepEqual(mergeReports([merged]), merged);
        assert.deepEqual(mergeReports([merged, merged]), merged);
        assert.deepEqual(mergeReports([...reports, ...reports]), merged);
      }),
      { numRuns: 300 },
    );
  });

  it("can be written and read", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (reports) => {
        const merged = mergeReports(reports);
        assert.deepEqual(decodeJobReport(encodeJobReport(merged)), merged);
      }),
      { numRuns: 100 },
    );
  });

  it("are never better than the worst line that counts, nor than what went wrong beside the lines", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (reports) => {
        const merged = mergeReports(reports);
        const rank = (outcome: (typeof REPORT_OUTCOMES)[number]) => REPORT_OUTCOMES.indexOf(outcome);
        assert.ok(rank(merged.outcome) >= rank(worstOutcome(merged.machines.map((each) => each.outcome))));
        for (const { machines, outcome } of reports)
          if (machines.length === 0) assert.ok(rank(merged.outcome) >= rank(outcome));
      }),
      { numRuns: 300 },
    );
  });

  it("count the machines of a matrix", () => {
    const merged = mergeReports(matrixOfFour());
    const whole = backupOfFour();
    assert.deepEqual(
      merged.machines.map(({ machine }) => machine),
      ["vm/db1", "vm/mail1", "vm/web1", "vm/web2"],
    );
    assert.equal(merged.outcome, "failed");
    assert.match(merged.verdict, /^2 of 4 machines passed; failed: vm\/mail1 \(the hypervisor refused/);
    assert.equal(merged.job, "nightly");
    assert.equal(merged.problems.length, whole.problems.length);
    assert.equal(merged.trends.length, whole.trends.length);
    assert.equal(merged.facts.length, 4);
  });

  it("take the newest line of a job and machine, with its problems", () => {
    const failure = {
      ...backupOfFour(),
      machines: [sampleLine("vm/a", { outcome: "failed", finishedAt: "2026-11-22T01:00:00Z" })],
    };
    const first = { ...failure, problems: failure.problems.map((each) => ({ ...each, machine: "vm/a" })) };
    const second = sampleReport({ machines: [sampleLine("vm/a", { finishedAt: "2026-11-22T01:30:00Z" })] });
    const merged = mergeReports([first, second]);
    assert.equal(merged.outcome, "passed");
    assert.deepEqual(merged.problems, []);
    assert.equal(merged.verdict, "the machine passed");
    const jobs = ["nightly", "check"].map((job) =>
      sampleReport({ job, machines: ["vm/a", "vm/b"].map((name) => sampleLine(name, { job })) }),
    );
    assert.equal(mergeReports(jobs).verdict, "all 4 runs of 2 machines passed");
    const other = sampleReport({ machines: [sampleLine("vm/a", { job: "offsite" })] });
    assert.equal(mergeReports([second, other]).machines.length, 2);
  });

  it("stay shut when one gate is shut", () => {
    const merged = mergeReports([gateReport("go"), gateReport("blocked"), gateReport("not-needed")]);
    assert.equal(merged.gate?.decision, "blocked");
    assert.equal(merged.outcome, "failed");
  });

  it("are bounded", () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      sampleReport({
        machines: Array.from({ length: 100 }, (_, j) => sampleLine(`vm/${i}-${j}`)),
        problems: Array.from({ length: 100 }, (_, j) => ({
          ...{ severity: j === 0 ? ("error" as const) : ("notice" as const), code: "X", message: `${i} ${j}` },
          ...{ hint: null, machine: null, file: null, line: null, column: null },
        })),
      }),
    );
    const merged = mergeReports(many);
    assert.equal(merged.machines.length, 2000);
    assert.equal(merged.problems.length, 1000);
    assert.equal(merged.problems.filter(({ severity }) => severity === "error").length, 30);
    encodeJobReport(merged);
  });

  it("need a report", () => {
    assert.throws(
      () => mergeReports([]),
      (error) => isOurError(error, "REPORTS_MISSING"),
    );
    assert.equal(mergeReports([planReport()]).verdict, "2 of 4 runs are due");
  });
});
