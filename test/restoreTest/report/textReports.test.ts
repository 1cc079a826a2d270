import assert from "node:assert/strict";
import fc from "fast-check";
import { formatBytes, formatDuration, formatShare, formatTick } from "../../../core/report/amounts.js";
import { inert, inertLine, shortLine } from "../../../core/report/inertText.js";
import { code, prose } from "../../../core/report/markdown.js";
import { bounded, MAX_OBSERVED_BYTES } from "../../../core/report/visibleText.js";
import { renderJunit } from "../../../core/restoreTest/report/junitReport.js";
import { renderMarkdown } from "../../../core/restoreTest/report/markdownReport.js";
import { renderNdjson } from "../../../core/restoreTest/report/ndjsonReport.js";
import { hostileText, withText } from "./hostileRecord.js";
import { sampleRecord } from "./sampleRecord.js";

/** What runners of GitHub, Azure and TeamCity obey, where they look for it. */
const COMMAND = /^\s*::|##[\w-]*\[/m;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

function assertHarmless(text: string): void {
  assert.doesNotMatch(text, COMMAND);
  assert.doesNotMatch(text.replaceAll("\n", ""), CONTROL);
}

describe("text in reports", () => {
  it("is harmless, and its bound holds", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        assertHarmless(inert(text));
        assert.doesNotMatch(inertLine(text), /\n/);
        assert.ok(shortLine(text, 40).length <= 40);
        assert.ok(Buffer.byteLength(bounded(text.repeat(20))) <= MAX_OBSERVED_BYTES);
        assert.ok(bounded(text.repeat(20)).isWellFormed());
      }),
      { numRuns: 1000 },
    );
    assert.equal(inert("plain é 😀 text\nand more"), "plain é 😀 text\nand more");
    assert.equal(bounded("short"), "short");
    const long = bounded(`start${"é".repeat(1_000_000)}end`);
    assert.match(long, /^start.* … .*end$/);
  });

  it("names amounts", () => {
    assert.deepEqual([0, 999, 8400, 185_000, 7_620_000, 180_000_000].map(formatDuration), [
      ...["0 ms", "999 ms", "8.4 s", "3 min 05 s", "2 h 07 min", "2 d 2 h"],
    ]);
    assert.equal(formatDuration(-5000), "−5.0 s");
    assert.deepEqual([0, 20_000, 60_000, 9_000_000].map(formatTick), ["0", "20 s", "1 min", "2 h 30 min"]);
    assert.deepEqual([0, 1024, 1536, 2 ** 40].map(formatBytes), ["0 bytes", "1.0 KiB", "1.5 KiB", "1.0 TiB"]);
    assert.deepEqual([formatShare(1, 3), formatShare(3, 3), formatShare(0, 0)], ["33.3 %", "100 %", "—"]);
  });
});

describe("the Markdown report", () => {
  it("says what happened, in tables", () => {
    const text = renderMarkdown(sampleRecord());
    assert.match(text, /^# ❌ Restore test failed: `prod\/vm\/web1` of 2026-11-21 02:00:00 UTC\n/);
    assert.match(text, /\| ❌ failed \| `orders` sql \| `psql shop: .*` \| `the answer is another` \| 2\.6 s \|/);
    assert.match(text, /### Seen by `orders`\n\n```text\n49120\n```/);
    assert.match(text, /- `load: one request was made, not many`/);
  });

  it("keeps every table and block whole, whatever text is in the record", () => {
    const shape = (text: string) => withoutBlocks(renderMarkdown(withText(text))).map(cellsOf);
    const wanted = shape("x");
    fc.assert(
      fc.property(hostileText, (text) => {
        fc.pre(text.trim() !== "");
        const markdown = renderMarkdown(withText(text));
        assertHarmless(markdown);
        assert.deepEqual(shape(text), wanted);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves no markup alive", () => {
    assert.equal(code("a`b"), "``a`b``");
    assert.equal(code("`"), "`` ` ``");
    assert.equal(code("a|b"), "`a\\x7cb`");
    assert.equal(prose("a <b>*x* @me #1 a|b"), "a `<b>*x* @me #1 a\\x7cb`");
  });
});

describe("the JUnit report", () => {
  it("has a failure for failed, an error for inconclusive, a note for a warning", () => {
    const xml = renderJunit([sampleRecord(), { ...sampleRecord(), simulated: true }]);
    assert.match(xml, /<testsuites name="restore tests" tests="20" failures="4" errors="2" skipped="2">/);
    assert.match(xml, /<testcase name="orders"[^>]*>\s*<failure message="the answer is another"/);
    assert.match(xml, /<testcase name="license"[^>]*>\s*<error message="it ended with 2/);
    assert.match(xml, /<testcase name="console"[^>]*>\s*<system-out>WARNING: forbidden/);
    assert.match(xml, /<testcase name="restart"[^>]*>\s*<skipped message=/);
    assert.match(xml, /<testcase name="verdict"[^>]*>\s*<failure/);
    assert.match(xml, /<testsuite name="prod\/vm\/web1 \(drill\)"/);
  });

  it("does not pass a test whose checks all passed but which proved nothing", () => {
    const xml = renderJunit([
      sampleRecord((record) => {
        record.checks = record.checks.slice(0, 1);
        record.result = { outcome: "inconclusive", provenLevel: "intact", reason: "only intact", deviations: [] };
      }),
    ]);
    assert.match(xml, /errors="1"/);
  });

  it("is well-formed XML 1.0 with one skeleton, whatever text is in the record", () => {
    const skeleton = xmlSkeleton(renderJunit([withText("x")]));
    fc.assert(
      fc.property(hostileText, (text) => {
        const xml = renderJunit([withText(text)]);
        assert.deepEqual(xmlSkeleton(xml), skeleton);
        assertHarmless(xml);
        assert.ok(xml.isWellFormed());
        assert.doesNotMatch(xml, /[\ufffe\uffff]|]]>/);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the NDJSON report", () => {
  it("has one event a line, in order, and all of the checks", () => {
    const record = sampleRecord();
    const events = renderNdjson(record)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; at: string; id?: string });
    assert.equal(events[0]?.event, "test");
    assert.equal(events.at(-1)?.event, "result");
    const middle = events.slice(1, -1).map(({ at }) => at);
    assert.deepEqual(middle, middle.toSorted());
    assert.deepEqual(events.flatMap(({ id }) => id ?? []).toSorted(), record.checks.map(({ id }) => id).toSorted());
  });

  it("keeps text as it is, and harmless", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const record = withText(text);
        const lines = renderNdjson(record).trimEnd().split("\n");
        assert.equal(lines.length, 2 + record.times.phases.length + record.checks.length);
        for (const line of lines) assertHarmless(line);
        const last = JSON.parse(lines.at(-1) ?? "") as { reason: string };
        assert.equal(last.reason, text);
      }),
      { numRuns: 300 },
    );
  });
});

/** Blocks become one line each. */
function withoutBlocks(markdown: string): string[] {
  const lines: string[] = [];
  let fence: string | null = null;
  for (const line of markdown.split("\n")) {
    if (fence === null) {
      fence = /^(`{3,})text$/.exec(line)?.[1] ?? null;
      lines.push(fence === null ? line : "block");
    } else if (/^`+$/.test(line) && line.length >= fence.length) fence = null;
  }
  assert.equal(fence, null);
  return lines;
}

/** How a line begins and how many cells it has, by the rules of GitHub's tables. */
function cellsOf(line: string): string {
  const cells = line.replaceAll(/\\[\\|`*_{}[\]~]/g, "").split("|").length;
  return `${/^(?:#+ |- |> |\| )?/.exec(line)?.[0]} ${cells}`;
}

function xmlSkeleton(xml: string): string[] {
  const tags = [...xml.matchAll(/<(\/?[a-z-]+|\?xml)((?:\s+[\w-]+="[^"<>]*")*)\s*[/?]?>/g)].map(
    ([, name, attributes]) => {
      const names = [...(attributes ?? "").matchAll(/([\w-]+)="[^"]*"/g)].map(([, attribute]) => attribute);
      return `${name} ${names.join(" ")}`;
    },
  );
  assert.equal(tags.length, xml.split("<").length - 1);
  assert.doesNotMatch(xml, /&(?!(?:amp|lt|gt|quot|apos);)/);
  return tags;
}
