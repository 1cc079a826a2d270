import assert from "node:assert/strict";
import fc from "fast-check";
import type { ReportProblem } from "../../core/jobReport/jobReport.js";
import { renderJobText } from "../../core/jobReport/jobText.js";
import { problemsToAnnotate } from "../../core/jobReport/problemsToAnnotate.js";
import { agoOf } from "../../core/jobReport/reportWords.js";
import { hostileText } from "../restoreTest/report/hostileRecord.js";
import {
  backupOfFour,
  dryRunReport,
  gateReport,
  planReport,
  sampleReport,
  statusOfTwelve,
  twoHundredMachines,
  withText,
} from "./sampleReports.js";

const COMMAND = /^\s*::|##[\w-]*\[/m;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

describe("a report as plain text", () => {
  it("has the verdict first, then the machines, the worst first", () => {
    const lines = renderJobText(backupOfFour()).split("\n");
    assert.equal(lines[0], "Backup failed: 3 of 4 machines backed up; vm/mail1 failed: the guest agent is not running");
    assert.match(lines[2] ?? "", /^ {2}failed {8}vm\/mail1: the hypervisor refused/);
    assert.ok(lines.some((line) => /reprise\.yml:41:7: vm\/mail1: .* \[AGENT_NOT_RUNNING\]$/.test(line)));
    assert.equal(lines.at(-1), "");
    assert.match(renderJobText(dryRunReport()), /^Prune passed \(dry run, nothing was changed\): would forget/);
    assert.match(
      renderJobText(gateReport("blocked")),
      /\n {2}blocked {7}vm\/db1\n {16}the newest backup is 2 days old/,
    );
    assert.match(renderJobText(planReport()), /\n {2}due {6}nightly \(backup\): due since 20 min/);
  });

  it("is harmless and of bounded length, whatever text is in the report", () => {
    const lines = renderJobText(withText("x")).split("\n").length;
    fc.assert(
      fc.property(hostileText, (text) => {
        fc.pre(text.trim() !== "");
        const shown = renderJobText(withText(text));
        assert.doesNotMatch(shown, COMMAND);
        assert.doesNotMatch(shown.replaceAll("\n", ""), CONTROL);
        assert.equal(shown.split("\n").length, lines);
      }),
      { numRuns: 200 },
    );
    assert.ok(renderJobText(withText("é".repeat(1_000_000))).length < 50_000);
    assert.ok(renderJobText(twoHundredMachines()).split("\n").length < 450);
  });
});

describe("annotations", () => {
  const problem = (given: Partial<ReportProblem>): ReportProblem => ({
    ...{ severity: "error", code: "X", message: "m", hint: null, machine: null, file: null, line: null, column: null },
    ...given,
  });
  const annotated = (problems: ReportProblem[]) => problemsToAnnotate({ problems });

  it("come with their place, their machine and their remedy, errors first", () => {
    const found = problemsToAnnotate(backupOfFour());
    assert.deepEqual(
      found.map(({ severity, title, file, line, column }) => [severity, title, file, line, column]),
      [
        ["error", "AGENT_NOT_RUNNING", "reprise.yml", 41, 7],
        ["warning", "NOTHING_CHANGED", "reprise.yml", 33, null],
      ],
    );
    assert.match(
      found[0]?.message ?? "",
      /^vm\/mail1: the hypervisor refused .* \(start qemu-guest-agent, or set quiesce: off\)$/,
    );
    assert.match(found[1]?.message ?? "", /^not one block of vm\/web2/);
  });

  it("are at most ten of each severity, and the last says how many are left", () => {
    const problems = (["notice", "error", "warning"] as const).flatMap((severity) =>
      Array.from({ length: 40 }, (_, i) =>
        problem({ severity, message: `${i}`, file: i < 20 ? null : "a.yml", line: 60 - i }),
      ),
    );
    const found = annotated([...problems, ...problems]);
    assert.equal(found.length, 30);
    assert.deepEqual([...new Set(found.map(({ severity }) => severity))], ["error", "warning", "notice"]);
    assert.equal(found[0]?.line, 21);
    assert.equal(found[9]?.title, "and 31 more");
    assert.deepEqual(annotated([...problems].reverse()), found);
  });

  it("have no place without a file, and no column without a line", () => {
    assert.deepEqual(
      annotated([problem({ line: 3, column: 4 })]).map(({ line, column }) => [line, column]),
      [[null, null]],
    );
    assert.deepEqual(
      annotated([problem({ file: "a", column: 4 })]).map(({ line, column }) => [line, column]),
      [[null, null]],
    );
  });

  it("are harmless in a log, whatever text is in the problems", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        for (const { title, message, file } of problemsToAnnotate(withText(text)))
          for (const part of [title, message, file ?? ""]) {
            assert.doesNotMatch(part, COMMAND);
            assert.doesNotMatch(part, CONTROL);
            assert.ok(part.length <= 3200);
          }
      }),
      { numRuns: 200 },
    );
  });
});

describe("words of reports", () => {
  const MINUTE = 60_000;

  it("name ages; a clock may be a few minutes wrong, more is no age", () => {
    const ages = [0, -MINUTE, 59 * MINUTE, 3.1 * 60 * MINUTE, 26 * 60 * MINUTE, 9 * 24 * 60 * MINUTE];
    assert.deepEqual(ages.map(agoOf), ["0 min ago", "0 min ago", "59 min ago", "3.1 h ago", "26 h ago", "9 d ago"]);
    assert.equal(agoOf(-2 * 60 * MINUTE), "2 h 00 min in the future");
    const [line] = statusOfTwelve().machines;
    assert.ok(line?.state?.newest);
    line.state.newest.ageMs = -2 * 60 * MINUTE;
    assert.match(
      renderJobText(sampleReport({ machines: [line] })),
      /backup age 2 h 00 min in the future \(not in order\)/,
    );
  });

  it("do not say twice what stands before them", () => {
    const verdictOf = (verdict: string) => renderJobText(sampleReport({ verdict })).split("\n")[0];
    assert.equal(verdictOf("nightly: 2 of 3 machines"), "Backup passed: 2 of 3 machines");
    assert.equal(verdictOf("weekly: 2 of 3 machines"), "Backup passed: weekly: 2 of 3 machines");
    assert.match(renderJobText(gateReport("go")), /^Gate go: vm\/db1 has a backup/);
  });
});
