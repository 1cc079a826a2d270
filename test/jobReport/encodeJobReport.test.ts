import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { decodeJobReport } from "../../core/jobReport/decodeJobReport.js";
import { encodeJobReport, fitJobReport } from "../../core/jobReport/encodeJobReport.js";
import { MAX_JOB_REPORT_BYTES } from "../../core/jobReport/jobReport.js";
import { MAX_ELEMENTS, MAX_PICTURE_CHARS, MAX_TEXT_CHARS } from "../../core/jobReport/jobReportLimits.js";
import {
  restoreTestOfTwo,
  SAMPLE_REPORTS,
  sampleLine,
  sampleReport,
  sampleTest,
  sampleTrend,
} from "./sampleReports.js";

const sound = Object.entries(SAMPLE_REPORTS).filter(([name]) => name !== "hostile");

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe("the file of a report", () => {
  it("says what the report says, for every command", () => {
    for (const [name, reports] of sound)
      for (const report of reports()) assert.deepEqual(decodeJobReport(encodeJobReport(report)), report, name);
  });

  it("leaves out members that it does not know", () => {
    const report = restoreTestOfTwo();
    const later = { ...report, colour: "blue", machines: report.machines.map((line) => ({ ...line, mood: 7 })) };
    assert.deepEqual(decodeJobReport(bytesOf(later)), report);
  });

  it("refuses another version, another size and what is no report", () => {
    const codeOf = (bytes: Uint8Array) => {
      try {
        decodeJobReport(bytes);
      } catch (error) {
        return isOurError(error) ? error.code : String(error);
      }
      return "taken";
    };
    assert.equal(codeOf(bytesOf({ ...sampleReport(), schema: "job-report/v2" })), "UNSUPPORTED_VERSION");
    assert.equal(codeOf(new Uint8Array(MAX_JOB_REPORT_BYTES + 1)), "FORMAT_INVALID");
    assert.equal(codeOf(Uint8Array.of(0xff)), "FORMAT_INVALID");
    assert.equal(codeOf(new TextEncoder().encode("[".repeat(1_000_000))), "FORMAT_INVALID");
    assert.equal(codeOf(new TextEncoder().encode(`[${"[],".repeat(4_000_000)}[]]`)), "FORMAT_INVALID");
    for (const value of [null, 7, "x", [], {}]) assert.equal(codeOf(bytesOf(value)), "FORMAT_INVALID");
  });

  it("refuses any member of another kind, and nothing makes it stumble", () => {
    const value = JSON.parse(JSON.stringify(SAMPLE_REPORTS["restore-test"]?.()[0])) as object;
    const places = placesOf(value);
    const strange = fc.constantFrom<unknown>(-1, 0.5, 1e300, true, [], {}, "\u0000", "x".repeat(MAX_TEXT_CHARS + 1), [
      [[]],
    ]);
    fc.assert(
      fc.property(fc.constantFrom(...places), strange, (place, instead) => {
        const changed = structuredClone(value);
        put(changed, place, instead);
        try {
          decodeJobReport(bytesOf(changed));
        } catch (error) {
          assert.ok(isOurError(error), String(error));
        }
      }),
      { numRuns: 400 },
    );
  });

  it("is cut to its bounds instead of failing", () => {
    const long = "ä".repeat(MAX_TEXT_CHARS * 2);
    const huge = sampleTest({
      recordId: "12***34",
      screenshot: { name: "s.png", sha256: "", pngBase64: "A".repeat(MAX_PICTURE_CHARS + 4) },
      checks: Array.from({ length: 700 }, (_, i) => ({ id: `c${i}`, outcome: "passed", reason: long, line: i + 0.4 })),
    });
    const points = Array.from({ length: 90 }, (_, i) => ({ at: "2026-11-01T00:00:00Z", bytes: i + 0.6 }));
    const report = sampleReport({
      verdict: long,
      machines: [
        sampleLine("vm/a", { durationMs: Number.NaN, reason: `${"x".repeat(MAX_TEXT_CHARS - 2)}😀😀`, test: huge }),
      ],
      facts: Array.from({ length: 300 }, () => ({ label: "a", value: "b" })),
      trends: [sampleTrend("vm/a", { added: points })],
    });
    const read = decodeJobReport(encodeJobReport(report));
    const [line] = read.machines;
    assert.equal(read.verdict.length, MAX_TEXT_CHARS);
    assert.equal(read.facts.length, MAX_ELEMENTS.facts);
    assert.equal(line?.test?.screenshot, null);
    assert.equal(line?.test?.checks.length, MAX_ELEMENTS.checks);
    assert.equal(line?.durationMs, 0);
    assert.equal(line?.test?.recordId, "");
    assert.ok(line?.reason.isWellFormed());
    assert.equal(read.trends[0]?.added.at(-1)?.bytes, 90);
    assert.equal(read.trends[0]?.added.length, 60);
  });

  it("keeps as many pictures as fit, and then leaves out more", () => {
    const picture = { name: "s.png", sha256: "", pngBase64: "A".repeat(MAX_PICTURE_CHARS) };
    const pictures = sampleReport({
      machines: Array.from({ length: 20 }, (_, i) =>
        sampleLine(`vm/${i}`, { test: sampleTest({ screenshot: picture }) }),
      ),
    });
    const bytes = encodeJobReport(pictures);
    assert.ok(bytes.length <= MAX_JOB_REPORT_BYTES);
    const kept = decodeJobReport(bytes).machines.map(({ test }) => test?.screenshot !== null);
    assert.deepEqual(
      kept,
      kept.toSorted((a, b) => Number(b) - Number(a)),
    );
    assert.ok(kept[0] && !kept.at(-1));
    const talkative = sampleReport({
      machines: Array.from({ length: 2000 }, (_, i) =>
        sampleLine(`vm/${i}`, {
          reason: "ü".repeat(MAX_TEXT_CHARS),
          test: sampleTest({ checks: [{ id: "c", outcome: "passed", reason: "ü".repeat(MAX_TEXT_CHARS), line: 1 }] }),
        }),
      ),
    });
    assert.ok(encodeJobReport(talkative).length <= MAX_JOB_REPORT_BYTES);
  }).timeout(20_000);

  it("cuts once: what fits stays as it is", () => {
    for (const [name, reports] of sound)
      for (const report of reports()) assert.deepEqual(fitJobReport(report), report, name);
  });
});

type Place = (string | number)[];

function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => placesOf(member, [...at, key]))].filter(
    (place) => place.length > 0,
  );
}

function put(value: object, place: Place, instead: unknown): void {
  let holder = value as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  holder[place.at(-1) as string] = instead;
}
