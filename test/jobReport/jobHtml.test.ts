import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { renderJobHtml } from "../../core/jobReport/jobHtml.js";
import { hostileText } from "../restoreTest/report/hostileRecord.js";
import {
  backupOfFour,
  gateReport,
  matrixOfFour,
  restoreTestOfTwo,
  SAMPLE_REPORTS,
  sampleLine,
  sampleReport,
  sampleTest,
  sampleTrend,
  withText,
} from "./sampleReports.js";

describe("the page of a job", () => {
  it("says what the report says", () => {
    const page = textOf(renderJobHtml([restoreTestOfTwo()]));
    const { machines, problems, facts } = restoreTestOfTwo();
    const told = [
      ...machines.flatMap(({ machine, reason, test }) => [
        machine,
        reason,
        ...(test?.checks.map(({ id }) => id) ?? []),
      ]),
      ...problems.flatMap(({ message, code, file, line }) => [message, code, `${file}:${line}`]),
      ...facts.flatMap(({ label, value }) => [label, value]),
      ...["Restore test failed", "vm/db1, objective 10 min 00 s not met", "objective 2 min 00 s", "Recovery time"],
    ];
    for (const text of told) assert.ok(page.includes(text), text);
  });

  it("explains a gate", () => {
    const report = gateReport("overridden");
    const page = textOf(renderJobHtml([report]));
    const told = [
      ...(report.gate?.machines ?? []).flatMap(({ machine, files, reasons, required, found }) => [
        ...[machine, ...files, ...reasons.flatMap(({ code, message }) => [code, message])],
        ...[...required, ...found].map(({ label, value }) => `${label}: ${value}`),
      ]),
      ...[
        "octo-dba",
        "hotfix for INC-881, backup runs at noon",
        report.gate?.policyDigest ?? "",
        "The policy was not met",
      ],
    ];
    for (const text of told) assert.ok(page.includes(text), text);
  });

  it("needs nothing but itself, and allows nothing else", () => {
    for (const [name, reports] of Object.entries(SAMPLE_REPORTS)) {
      const page = renderJobHtml(reports());
      const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
      const digest = createHash("sha256").update(style).digest("base64");
      const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
      const wanted = `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`;
      assert.equal(policy, wanted, name);
      assert.doesNotMatch(page, /<script|<link|<iframe|@import|url\(| style=/, name);
      for (const source of page.match(/ src="[^"]{0,22}/g) ?? [])
        assert.equal(source, ' src="data:image/png;base64,'.slice(0, source.length));
    }
  });

  it("can be read without eyes: landmarks, table heads, alternatives", () => {
    for (const [name, reports] of Object.entries(SAMPLE_REPORTS)) {
      const page = renderJobHtml(reports());
      for (const landmark of ["<header", "<main>", "<footer>", '<html lang="en">', "<h1>"])
        assert.equal(page.split(landmark).length, 2, `${name}: ${landmark}`);
      assert.doesNotMatch(page, /<th>/);
      for (const [table] of page.matchAll(/<table.*?<\/table>/gs)) assert.match(table, /<th scope="col">/, name);
      assert.equal(page.split("<img ").length, page.split(/<img alt="[^"]+"/).length);
      assert.equal(page.split("<svg ").length, page.split(/<svg [^>]*role="img" aria-label="[^"]+"/).length);
    }
  });

  it("shows as a picture only what is one", () => {
    const withPicture = (pngBase64: string) =>
      renderJobHtml([
        sampleReport({
          machines: [sampleLine("vm/a", { test: sampleTest({ screenshot: { name: "x", sha256: "", pngBase64 } }) })],
        }),
      ]);
    assert.match(withPicture("iVBORw0KGgoAAAA="), /<img alt="Last screen of vm\/a/);
    for (const other of ["", "PHN2Zz4=", 'iVBORw0KGgo"><script>', "iVBORw0KGgo AAA"])
      assert.doesNotMatch(withPicture(other), /<img/);
  });

  it("links only to pages", () => {
    const linkOf = (url: string) => /<a href="([^"]*)"/.exec(renderJobHtml([sampleReport({ url })]))?.[1];
    assert.equal(linkOf("https://ci.example/runs/1?a=1&b=2"), "https://ci.example/runs/1?a=1&amp;b=2");
    for (const url of [
      "javascript:alert(1)",
      "data:text/html,x",
      "//x",
      "file:///etc/passwd",
      `https://x/${"y".repeat(3000)}`,
    ])
      assert.equal(linkOf(url), undefined, url);
  });

  it("tells several reports together first, then one after the other", () => {
    const page = renderJobHtml(matrixOfFour());
    assert.match(textOf(page), /4 runs, failed/);
    assert.match(textOf(page), /2 of 4 machines passed; failed: vm\/mail1/);
    assert.equal(page.match(/<article>/g)?.length, 4);
    assert.match(renderJobHtml([]), /<h1>No run<\/h1>/);
    assert.match(renderJobHtml([backupOfFour()], { title: "Nightly & more" }), /<title>Nightly &amp; more<\/title>/);
  });

  it("has one skeleton, whatever text is in the report", () => {
    const skeleton = skeletonOf(renderJobHtml([withText("x")]));
    fc.assert(
      fc.property(hostileText, (text) => {
        fc.pre(text !== "");
        const page = renderJobHtml([withText(text)]);
        assert.deepEqual(skeletonOf(page), skeleton);
        assert.doesNotMatch(page.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 200 },
    );
  });

  it("draws numbers of any size", () => {
    const amount = fc.constantFrom(0, 1, 999, 1e6, 86_400_000, 1e12, Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 60 }), amount, (amounts, objective) => {
        const at = "2026-11-01T00:00:00Z";
        const bytes = amounts.map((each) => ({ at, bytes: each }));
        const rto = amounts.map((ms) => ({ at, ms, outcome: "passed" as const }));
        const trend = sampleTrend("vm/a", { rtoObjectiveMs: objective, rto, added: bytes, size: bytes });
        const page = renderJobHtml([sampleReport({ trends: [trend] })]);
        assert.doesNotMatch(page.replaceAll(/content="[^"]*"/g, ""), /NaN|Infinity|undefined/);
        assert.ok(page.length < 200_000);
      }),
      { numRuns: 100 },
    );
  });
});

/** Tags with the names of their attributes, in order: an HTML reader's view of what is no text. */
function skeletonOf(page: string): string[] {
  const tags: string[] = [];
  const body = page.replace(/<style>.*?<\/style>/s, "");
  for (const [, name, attributes] of body.matchAll(/<(\/?[a-z!][^\s>/]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*\/?>/gi)) {
    const names = [...(attributes ?? "").matchAll(/([\w:-]+)(?:="[^"]*")?/g)].map(([, attribute]) => attribute);
    tags.push(`${name} ${names.join(" ")}`);
  }
  // Every bracket belongs to one of them.
  assert.equal(tags.length, body.split("<").length - 1);
  return tags;
}

function textOf(page: string): string {
  const names: Record<string, string> = { quot: '"', "#39": "'", lt: "<", gt: ">", amp: "&", "#96": "`" };
  return page
    .replaceAll(/<[^>]*>/g, "\n")
    .replaceAll(/&(quot|#39|lt|gt|amp|#96);/g, (_, name: string) => names[name] ?? "");
}
