import assert from "node:assert/strict";
import { lastResultText } from "../../../extension/model/testResultWords.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const hour = 3_600_000;
const context = {
  ...{ nowMs, locale: "en" },
  t: (text: string, ...values: (string | number)[]) =>
    text.replaceAll(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
};
const result = (machine: string, more: object = {}) => {
  return { machine, outcome: "passed", provenLevel: "boots", rtoMs: 41_000, atMs: nowMs - hour, ...more };
};

describe("the last result of a restore test", () => {
  it("is that of its machine", () => {
    assert.equal(lastResultText([result("web")], ["web"], context), "$(pass) boots, RTO 41 s, 1 hr. ago");
    assert.equal(lastResultText([], ["web"], context), undefined);
    assert.equal(lastResultText([result("gone")], ["web"], context), undefined);
  });

  it("is the worst of several, the longest and the oldest", () => {
    const slow = result("db", { provenLevel: "readable", rtoMs: 90_000, atMs: nowMs - 3 * hour });
    const both = ["web", "db"];
    assert.equal(
      lastResultText([result("web"), slow], both, context),
      "$(pass) files readable, RTO 1 min 30 s, 3 hr. ago",
    );
    const failed = result("db", { outcome: "failed", provenLevel: null, rtoMs: null });
    assert.match(lastResultText([result("web"), failed], both, context) ?? "", /^\$\(error\) restore test failed/);
    const untested = result("db", { outcome: "inconclusive", provenLevel: null, rtoMs: null });
    assert.match(lastResultText([result("web"), untested], both, context) ?? "", /^\$\(question\)/);
    const warned = result("db", { outcome: "warned" });
    assert.match(lastResultText([result("web"), warned], both, context) ?? "", /^\$\(warning\) boots/);
  });

  it("says of how many machines it is", () => {
    assert.equal(
      lastResultText([result("web")], ["web", "db"], context),
      "$(pass) boots, 1 of 2 machines, RTO 41 s, 1 hr. ago",
    );
  });
});
