import assert from "node:assert/strict";
import fc from "fast-check";
import { renderSummary } from "../../core/jobReport/jobSummary.js";
import { mergeReports } from "../../core/jobReport/mergeReports.js";
import type { SummaryOptions } from "../../core/jobReport/summaryOptions.js";
import { prose, unbroken } from "../../core/report/markdown.js";
import { sparkline } from "../../core/report/sparkline.js";
import { hostileText } from "../restoreTest/report/hostileRecord.js";
import {
  backupOfFour,
  cancelledReport,
  dryRunReport,
  gateReport,
  matrixOfFour,
  planReport,
  restoreTestOfTwo,
  SAMPLE_REPORTS,
  sampleLine,
  sampleReport,
  sampleTrend,
  statusOfTwelve,
  twoHundredMachines,
  withText,
} from "./sampleReports.js";

const COMMAND = /^\s*::|##[\w-]*\[/m;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** As Markdown's own rule has it: as many marks at the end as at the start, and no others beside them. */
const CODE_SPAN = /(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g;
const OUR_TAGS = /<\/?(?:br|sub|details|summary)>/g;
const OUR_LINK = /\[(?:this run|open|download)\]\(<https?:\/\/[^\s<>`|\\]*>\)/g;
const artifact = { name: "reprise-report", url: "https://github.com/example/shop/actions/runs/1/artifacts/2" };

describe("the summary in Markdown", () => {
  it("begins with the verdict, whatever the command", () => {
    const first = (name: string) => renderSummary(SAMPLE_REPORTS[name]?.() ?? []).split("\n")[0];
    assert.equal(
      first("backup"),
      "## ❌ Backup failed: 3 of 4 machines backed up; `vm/mail1` failed: the guest agent is not running",
    );
    assert.match(first("gate-go") ?? "", /^## ✅ Gate `production` go: `vm\/db1` has a backup from 3 hours ago/);
    assert.match(
      first("gate-blocked") ?? "",
      /^## ⛔ Gate `production` blocked: `vm\/db1`: the newest backup is 2 days old/,
    );
    assert.match(first("gate-overridden") ?? "", /^## ⚠️ Gate `production` overridden: /);
    assert.match(first("gate-not-needed") ?? "", /^## ➖ Gate `production` not needed: /);
    assert.match(first("cancelled") ?? "", /^## 🛑 Backup cancelled: cancelled by SIGINT/);
    assert.match(first("status") ?? "", /^## ❌ Status failed: 9 of 12 machines/);
    for (const name of Object.keys(SAMPLE_REPORTS)) assert.match(first(name) ?? "", /^## \S+ [A-Z]/u, name);
  });

  it("has a table of machines, the worst first, and only columns that say something", () => {
    const text = renderSummary([backupOfFour()]);
    assert.match(text, /### 4 machines: ❌ 1 failed, ⚠️ 1 warned, ✅ 2 passed\n/);
    const rows = text.split("\n").filter((line) => line.startsWith("| `vm/"));
    assert.deepEqual(
      rows.map((row) => row.split("`")[1]),
      ["vm/mail1", "vm/web2", "vm/db1", "vm/web1"],
    );
    assert.match(text, /\| Machine \| Result \| Snapshot \| New \| Verified \| Took \| Reason \|\n/);
    assert.match(
      unspaced(rows[2]),
      /\| 1\.4 GiB<br><sub>of 120\.0 GiB<\/sub><br>[▁-█]{12} \| data ✅ \| 8 min 00 s \|/u,
    );
    assert.doesNotMatch(renderSummary([dryRunReport()]), /\| Snapshot \|/);
  });

  it("measures recovery against its objective", () => {
    const text = unspaced(renderSummary([restoreTestOfTwo()]));
    assert.match(
      text,
      /\| boots ❌<br><sub>asked for: serves<\/sub> \| 14 min 05 s ❌<br><sub>objective 10 min 00 s<\/sub><br>[▁-█]+ \|/u,
    );
    assert.match(text, /\| serves ✅ \| 1 min 14 s ✅<br><sub>objective 2 min 00 s<\/sub>/);
    assert.match(text, /- ❌ `vm\/db1`: recovery took 14 min 05 s/);
    assert.match(text, /<summary>2 of 6 checks did not pass<\/summary>/);
    assert.match(text, /\| ❌ failed \| `vm\/db1` \| `objective\.rto` \| .* \| `tests\/db1\.yml:9` \|/);
  });

  it("tells of a gate what was required, what was found, why, and which files asked for it", () => {
    const text = renderSummary([gateReport("blocked")]);
    assert.match(
      text,
      /### ⛔ `vm\/db1`: blocked\n\n- ✖ the newest backup is 2 days old; 24h are allowed `backup-too-old`\n/,
    );
    assert.match(
      text,
      /\| Required \| Found \|\n\| --- \| --- \|\n\| level: serves \| newest backup: 2026-11-20 02:05:00 UTC \(`e023fc26`\) \|/,
    );
    const same = gateReport("go");
    for (const machine of same.gate?.machines ?? []) machine.found = machine.required;
    assert.match(
      renderSummary([same]),
      /\| What \| Required \| Found \|\n\| --- \| --- \| --- \|\n\| level \| serves \| serves \|/,
    );
    assert.match(text, /<summary>2 changed files asked for it<\/summary>\n\nBy the rule `reprise\.yml:61`:/);
    assert.match(text, /- `db\/migrations\/0042_orders\.sql`\n/);
    assert.ok(text.indexOf("`vm/db1`: blocked") < text.indexOf("`vm/cache1`: go"));
    assert.match(text, /Compared: 17 changed files, `[0-9a-f]{12}` … `[0-9a-f]{12}` · the policy `reprise\.yml`/);
    assert.match(
      renderSummary([gateReport("overridden")]),
      /> ⚠️ \*\*Overridden\*\* with the label `.*`, event by `octo-dba`: /,
    );
  });

  it("draws what GitHub draws, and does without where it does not", () => {
    const text = renderSummary([restoreTestOfTwo()]);
    const charts = [...text.matchAll(/```mermaid\n(.*?)\n```/gs)].map(([, chart]) => chart ?? "");
    assert.equal(charts.length, 4);
    assert.match(
      charts[0] ?? "",
      /xychart-beta\n {2}x-axis \["12-27", .*\]\n {2}y-axis "minutes" 0 --> [\d.]+\n {2}line \[7, .*14\.083\]\n {2}line \[10, 10,/,
    );
    assert.doesNotMatch(renderSummary([restoreTestOfTwo()], { diagrams: false }), /mermaid|### Trends/);
    assert.match(renderSummary([restoreTestOfTwo()], { diagrams: false }), /[▁-█]{12}/u);
  });

  it("says where the pictures are, and never has them in the text", () => {
    const of = (options: SummaryOptions) => renderSummary([restoreTestOfTwo()], options);
    assert.match(of({}), /`vm-web1-screen\.png` \| in the report of the run \|/);
    assert.match(of({ artifact: { ...artifact, url: null } }), /in the artifact `reprise-report` \|/);
    assert.match(
      of({ artifact }),
      /\[open\]\(<https:\/\/github\.com\/example\/shop\/actions\/runs\/1\/artifacts\/2>\)/,
    );
    const pictureUrls = { "vm-web1-screen.png": "https://pictures.example/a b|`c`.png" };
    assert.match(of({ pictureUrls }), /\[open\]\(<https:\/\/pictures\.example\/a%20b%7C%60c%60\.png>\)/);
    assert.doesNotMatch(of({ pictureUrls: { "vm-web1-screen.png": "javascript:alert(1)" } }), /javascript/);
    for (const options of [{}, { artifact }, { pictureUrls }]) assert.doesNotMatch(of(options), /data:|!\[/);
  });

  it("shows runs and matrix of a plan, dry runs and what a cancelled run left", () => {
    const plan = unspaced(renderSummary([planReport()]));
    assert.match(plan, /\| ▶️ due \| `nightly` \| backup \| all \| 21 Nov 2026 02:20 UTC \|/);
    assert.match(plan, /<summary>Matrix of 4<\/summary>/);
    assert.match(renderSummary([dryRunReport()]), /> 🧪 \*\*Dry run\.\*\* Nothing was changed\./);
    assert.match(unspaced(renderSummary([cancelledReport()])), /\| `vm\/mail1` \| ➖ skipped \|/);
    assert.match(unspaced(renderSummary([statusOfTwelve()])), /\| none ❌ \| — \| — \| never \|/);
  });

  it("has one part for each report", () => {
    const text = renderSummary(matrixOfFour());
    assert.equal(text.match(/^## /gm)?.length, 4);
    assert.equal(renderSummary([mergeReports(matrixOfFour())]).match(/^## /gm)?.length, 1);
  });

  it("folds away what passed when there are many machines", () => {
    const text = renderSummary([twoHundredMachines()]);
    assert.match(text, /### 200 machines: ❌ 6 failed, ✅ 194 passed/);
    assert.match(text, /<summary>194 machines passed<\/summary>\n\n\| Machine/);
    assert.ok(text.indexOf("vm/node005") < text.indexOf("<details>"));
  });

  it("stays within its limit, and says what it left out", () => {
    const report = sampleReport({
      verdict: "verdict",
      outcome: "failed",
      machines: Array.from({ length: 2000 }, (_, i) =>
        sampleLine(`vm/${i}`, { outcome: "failed", reason: "é".repeat(3000) }),
      ),
      trends: Array.from({ length: 2000 }, (_, i) => sampleTrend(`vm/${i}`)),
    });
    for (const maxBytes of [1_000_000, 300_000, 100_000, 20_000, 5000, 1000, 300]) {
      const text = renderSummary([report, report], { maxBytes });
      assert.ok(Buffer.byteLength(text) <= maxBytes, `${Buffer.byteLength(text)} of ${maxBytes}`);
      assert.match(text, /^## ❌ Backup failed: verdict\n/);
      assertWhole(text);
    }
    assert.match(renderSummary([report], { maxBytes: 100_000 }), /… and 1\d\d\d more machines/);
    const many = renderSummary(Array.from({ length: 500 }, () => report));
    assert.ok(Buffer.byteLength(many) <= 1_000_000);
    assert.ok(Buffer.byteLength(renderSummary([report], { maxBytes: 1e12 })) < 1024 * 1024);
  }).timeout(20_000);

  it("is inert, whatever text is in the report", () => {
    const options = { artifact: { name: "x", url: "https://a.example/" } };
    const wanted = shapeOf(renderSummary([withText("x")], options));
    fc.assert(
      fc.property(hostileText, (text) => {
        fc.pre(text.trim() !== "");
        const summary = renderSummary([withText(text)], { artifact: { name: text, url: `https://a.example/${text}` } });
        assert.doesNotMatch(summary, COMMAND);
        assert.doesNotMatch(summary.replaceAll("\n", ""), CONTROL);
        assertInert(summary);
        assert.deepEqual(shapeOf(summary), wanted);
      }),
      { numRuns: 300 },
    );
  });
});

describe("prose in Markdown", () => {
  it("leaves words readable and puts everything else into code spans", () => {
    assert.equal(prose("vm/db1 failed: the disk is full (3 of 4)."), "`vm/db1` failed: the disk is full (3 of 4).");
    assert.equal(prose("(vm/db1), restored"), "(`vm/db1`), restored");
    assert.equal(prose("see https://x.example or www.x.example"), "see `https://x.example` or `www.x.example`");
    assert.equal(
      prose("@team #12 GH-12 0123abcd <b> *x* :smile: a_b_c"),
      "`@team #12 GH-12 0123abcd <b> *x* :smile: a_b_c`",
    );
    assert.equal(prose("at 02:00:00 UTC — done…"), "at 02:00:00 UTC — done…");
    assert.equal(prose("with if: always()."), "with if: `always()`.");
    assert.equal(prose("of vm/db1 (0123abcd, 4567abcd), gone"), "of `vm/db1` (`0123abcd`, `4567abcd`), gone");
    assert.equal(prose(""), "");
    assert.equal(unbroken("a b, c d"), "a\u00a0b, c\u00a0d");
  });

  it("means nothing to Markdown, whatever the text", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        assertInert(`- ${prose(text)}`);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("sparklines", () => {
  it("draw the newest numbers", () => {
    assert.equal(sparkline([0, 7]), "▁█");
    assert.equal(sparkline([1]), "");
    assert.equal(sparkline([0, 0, -1]), "▁▁▁");
    assert.equal(sparkline(Array.from({ length: 40 }, (_, i) => i)).length, 12);
  });
});

/** Non-breaking spaces are a matter of looks. */
function unspaced(text = ""): string {
  return text.replaceAll("\u00a0", " ");
}

/** Whatever is not ours stands in code spans: what is left of a line has no letter of any markup but our own. */
function assertInert(markdown: string): void {
  let inside = false;
  for (const line of markdown.split("\n")) {
    if (/^```/.test(line)) inside = line === "```mermaid";
    else if (inside) assert.match(line, MERMAID_LINE);
    else {
      const left = line.replaceAll(CODE_SPAN, "¤").replaceAll(OUR_LINK, "¤").replaceAll(OUR_TAGS, "¤");
      const words = left.replace(/^(?:#{2,3} |> |- )/, "").replaceAll("**", "");
      assert.doesNotMatch(words, /[<>[\]`*_~@#\\&]|https?:|www\.|\bGH-\d/i, line);
    }
  }
}

const MERMAID_LINE =
  /^(?:%%\{init: [\w{}": ,#]+\}%%|xychart-beta| {2}(?:x-axis \[(?:"[\d-]{1,5}"(?:, )?)+\]|y-axis "[A-Za-z]+" 0 --> [\d.]+|(?:line|bar) \[[\d., ]+\]))$/;

/** How each line begins, and how many cells it has. */
function shapeOf(markdown: string): string[] {
  return markdown
    .split("\n")
    .filter((line) => !line.startsWith("  x-axis"))
    .map((line) => {
      const start = /^(?:#+ |- |> |\| |```\w*|<\/?\w+>)?/.exec(line)?.[0];
      return `${start} ${line.replaceAll(CODE_SPAN, "").split("|").length}`;
    });
}

/** Nothing is cut in the middle. */
function assertWhole(markdown: string): void {
  const count = (pattern: RegExp) => markdown.match(pattern)?.length ?? 0;
  assert.equal(count(/<details>/g), count(/<\/details>/g));
  assert.equal(count(/^```/gm) % 2, 0);
  assert.ok(markdown.isWellFormed());
}
