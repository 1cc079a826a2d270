// Every table in docs/retention.md under an "example" comment is what planPrune really answers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { plan } from "./pruneCases.js";

interface Example {
  keep: object;
  timeZone: string;
  now: string;
}

/** From build/test/retention. */
const page = readFileSync(new URL("../../../docs/retention.md", import.meta.url), "utf8");

describe("retention: the examples of docs/retention.md", () => {
  const examples = [...page.matchAll(/<!-- example: (.*) -->\n\n\| snapshot .*\n\| --- .*\n((?:\|.*\n)+)/g)];

  it("are all found", () => {
    assert.equal(examples.length, page.split("<!-- example").length - 1);
    assert.ok(examples.length >= 8);
  });

  for (const [, settings = "", table = ""] of examples) {
    it(settings, () => {
      const { keep, timeZone, now } = JSON.parse(settings) as Example;
      const rows = table.trimEnd().split("\n");
      const snapshots = rows.map((row) => row.split("|")[1]!.trim());
      const decisions = plan(snapshots, keep, { timeZone, nowMs: Date.parse(now) });
      assert.deepEqual(
        decisions.map(({ id, mark, reasons }) => `| ${id} | ${mark} | ${reasons.join("; ")} |`),
        rows,
      );
    });
  }
});
