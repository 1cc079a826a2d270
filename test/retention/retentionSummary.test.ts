import assert from "node:assert/strict";
import { checkKeepOptions } from "../../core/retention/prunePolicy.js";
import { summarizePlan } from "../../core/retention/retentionSummary.js";
import { daysBack, plan } from "./pruneCases.js";

const nowMs = Date.parse("2026-11-20T12:00Z");

describe("retention: a plan in numbers", () => {
  it("counts per rule, in the order of the rules, with the span that each rule keeps", () => {
    const keep = checkKeepOptions({ within: "2d", daily: 2, yearly: 1 });
    const texts = [...daysBack("2026-11-20", 6), "2026-11-20T01:00Z unfinished", "2026-11-01T02:00Z protected"];
    const summary = summarizePlan(plan(texts, keep, { nowMs }), keep);
    assert.deepEqual(summary.marks, { keep: 4, "keep-partial": 0, protected: 1, remove: 3 });
    assert.deepEqual(
      summary.rules.map(({ rule, limit, kept, removed }) => `${rule} ${limit} ${kept} ${removed}`),
      ["protected  1 0", "unfinished  0 1", "within 2d 2 0", "daily 2 2 0", "yearly 1 0 0", "none  0 2"],
    );
    const daily = summary.rules.find(({ rule }) => rule === "daily")!;
    assert.equal(new Date(daily.newestKeptMs!).toISOString(), "2026-11-18T02:00:00.000Z");
    assert.equal(new Date(daily.oldestKeptMs!).toISOString(), "2026-11-17T02:00:00.000Z");
  });

  it("of an empty plan shows the rules that are on", () => {
    const { rules } = summarizePlan([], { last: 3 });
    assert.deepEqual(rules, [{ rule: "last", limit: "3", kept: 0, removed: 0 }]);
  });
});
