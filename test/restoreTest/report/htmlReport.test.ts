import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { RestoreTestRecord } from "../../../core/format/restoreTestRecord.js";
import type { HistoryPoint } from "../../../core/report/historyChart.js";
import { renderHtml } from "../../../core/restoreTest/report/htmlReport.js";
import { hostileText, withText } from "./hostileRecord.js";
import { sampleCheck, sampleRecord } from "./sampleRecord.js";

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3);
const history: HistoryPoint[] = [1, 2, 3].map((day) => ({
  at: `2026-11-0${day}T05:00:00Z`,
  outcome: day === 2 ? "failed" : "passed",
  rtoMs: day === 3 ? null : 40_000 * day,
}));

describe("the HTML report", () => {
  it("says everything that the record says", () => {
    const record = sampleRecord();
    const page = textOf(renderHtml({ record, artifacts: [], history }));
    const told = [
      "Restore test failed: prod/vm/web1 of 2026-11-21 02:00:00 UTC",
      ...[record.result.reason, record.backup.manifestDigest, record.recordId, record.previous ?? ""],
      ...record.checks.flatMap(({ id, expected, observed, reason }) => [
        id,
        expected,
        ...observed.split("\n"),
        reason ?? "",
      ]),
      ...record.isolation.proofs.flatMap(({ what, observed }) => [what, observed]),
      ...record.coverage.notTested,
      ...record.environment.deviations,
      ...record.integrity.artifacts.flatMap(({ name, sha256 }) => [name, sha256]),
      ...["47.7 s", "objective 15 min 00 s, met", "objective 24 h 00 min, not met", "ISO27001:A.8.13", "tcg"],
    ];
    for (const text of told) assert.ok(page.includes(text), text);
  });

  it("needs nothing but itself, and allows nothing else", () => {
    const page = renderHtml({
      record: sampleRecord(),
      artifacts: [{ name: "screen.png", mediaType: "image/png", bytes: png }],
      history,
    });
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
    const digest = createHash("sha256").update(style).digest("base64");
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    assert.equal(
      policy,
      `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    assert.doesNotMatch(page, /<script|<link|<iframe|@import|url\(| style=/);
    assert.deepEqual(page.match(/src="[^"]{0,22}/g), ['src="data:image/png;base64,']);
    assert.match(page, /prefers-color-scheme:dark/);
    assert.match(page, /@media print/);
    assert.equal(page.match(/<svg [^>]*role="img" aria-label=/g)?.length, 2);
  });

  it("shows as a picture only what is one", () => {
    const bytes = new TextEncoder().encode("<svg onload=alert(1)>");
    const page = renderHtml({ record: sampleRecord(), artifacts: [{ name: "x.png", mediaType: "image/png", bytes }] });
    assert.doesNotMatch(page, /<img/);
  });

  it("links only to pages", () => {
    const linkOf = (url: string) => /<a href="([^"]*)"/.exec(renderHtml({ record: withUrl(url) }))?.[1];
    assert.equal(linkOf("https://ci.example/runs/1?a=1&b=%22"), "https://ci.example/runs/1?a=1&amp;b=%22");
    for (const url of [
      "javascript:alert(1)",
      "data:text/html,x",
      " javascript:alert(1)",
      "vbscript:x",
      "//x",
      "file:///etc/passwd",
    ])
      assert.equal(linkOf(url), undefined, url);
  });

  it("says that a drill is one, and never shows a trend of one point", () => {
    const record = { ...sampleRecord(), simulated: true };
    const page = renderHtml({ record, history: history.slice(0, 1) });
    assert.match(page, /class="drill"/);
    assert.match(page, /<h1>DRILL/);
    assert.doesNotMatch(page, /test by test/);
  });

  it("has one skeleton, whatever text is in the record", () => {
    const skeleton = skeletonOf(renderHtml({ record: withText("x") }));
    fc.assert(
      fc.property(hostileText, (text) => {
        // Facts without a value are left out.
        fc.pre(text !== "");
        const page = renderHtml({ record: withText(text) });
        assert.deepEqual(skeletonOf(page), skeleton);
        assert.doesNotMatch(page.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 300 },
    );
  });

  it("draws numbers of any size", () => {
    const amount = fc.constantFrom(0, 1, 999, 1e6, 86_400_000, 1e12, Number.MAX_SAFE_INTEGER);
    const phase = fc.record({ name: fc.constant("p"), startMs: amount, durationMs: amount });
    fc.assert(
      fc.property(
        fc.array(phase, { maxLength: 80 }),
        fc.array(fc.option(amount), { maxLength: 120 }),
        (phases, rtos) => {
          const record: RestoreTestRecord = {
            ...sampleRecord(),
            checks: [sampleCheck("a", "http", { durationMs: 0 })],
          };
          record.times.phases = phases;
          const points = rtos.map((rtoMs): HistoryPoint => ({ at: "2026-11-01T00:00:00Z", outcome: "passed", rtoMs }));
          const page = renderHtml({ record, history: points });
          assert.doesNotMatch(page.replaceAll(/content="[^"]*"/g, ""), /NaN|Infinity|undefined/);
          assert.ok(page.length < 400_000);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function withUrl(url: string): RestoreTestRecord {
  const record = sampleRecord();
  return { ...record, plan: { ...record.plan, url } };
}

/** Tags with the names of their attributes, in order: an HTML reader's view of what is no text. */
function skeletonOf(page: string): string[] {
  const tags: string[] = [];
  const body = page.replace(/<style>.*?<\/style>/s, "");
  for (const [tag, name, attributes] of body.matchAll(
    /<(\/?[a-z!][^\s>/]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*\/?>/gi,
  )) {
    const names = [...(attributes ?? "").matchAll(/([\w:-]+)(?:="[^"]*")?/g)].map(([, attribute]) => attribute);
    assert.ok(tag.length > 0);
    tags.push(`${name} ${names.join(" ")}`);
  }
  // Every bracket belongs to one of them.
  assert.equal(tags.length, body.split("<").length - 1);
  return tags;
}

function textOf(page: string): string {
  return page
    .replaceAll(/<[^>]*>/g, "\n")
    .replaceAll(
      /&(quot|#39|lt|gt|amp|#96);/g,
      (_, name) => ({ quot: '"', "#39": "'", lt: "<", gt: ">", amp: "&" })[name as string] ?? "`",
    );
}
