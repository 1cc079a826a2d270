// One report of a matrix: gaps are worse than what is there.

import assert from "node:assert/strict";
import { mergeRunnerReports } from "../../core/jobReport/mergeRunnerReports.js";
import { sampleLine, sampleReport } from "./sampleReports.js";

describe("reports of a matrix", () => {
  const plan = sampleReport({
    ...{ command: "plan", job: null, machines: [], problems: [] },
    plan: { matrix: ["vm/a", "vm/b"].map((machine) => ({ job: "nightly", machine })), runs: [] },
  });
  const [first, second] = ["vm/a", "vm/b"].map((machine) =>
    sampleReport({ job: "nightly", machines: [sampleLine(machine, { job: "nightly" })], problems: [] }),
  );

  it("are one report when every machine has left one", () => {
    const merged = mergeRunnerReports([plan, first!, second!], []);
    assert.deepEqual([merged.outcome, merged.machines.length, merged.problems], ["passed", 2, []]);
  });

  it("are inconclusive when a machine of the plan has left none, or one cannot be read", () => {
    const merged = mergeRunnerReports([plan, first!], []);
    assert.equal(merged.outcome, "inconclusive");
    assert.match(merged.verdict, /^vm\/b \(job nightly\) has left no report; /);
    const place = { machine: null, file: null, line: null, column: null };
    const problem = { severity: "error", code: "REPORT_UNREADABLE", message: "torn", hint: null, ...place } as const;
    const torn = mergeRunnerReports([plan, first!, second!], [problem]);
    assert.deepEqual([torn.outcome, torn.problems[0]?.message], ["inconclusive", "torn"]);
  });

  it("stay failed, and a plan alone is the plan", () => {
    const failed = { ...first!, outcome: "failed" as const };
    assert.equal(mergeRunnerReports([plan, failed], []).outcome, "failed");
    assert.equal(mergeRunnerReports([plan], []).outcome, "inconclusive");
  });
});
