import assert from "node:assert/strict";
import { formatKeepRules, KEEP_PRESETS, parseKeepRules } from "../../../extension/model/keepRules.js";

describe("keep rules as they are typed", () => {
  it("reads counts and a duration", () => {
    assert.deepEqual(parseKeepRules("daily=7 weekly:4, --keep-within=30d"), { daily: 7, weekly: 4, within: "30d" });
    assert.deepEqual(parseKeepRules(" within=1y6m "), { within: "1y6m" });
    for (const preset of KEEP_PRESETS) assert.equal(formatKeepRules(parseKeepRules(preset) ?? {}), preset);
  });

  it("never takes what it does not understand for a rule, nor nothing for a policy", () => {
    for (const text of ["", "  ", "daily", "daily=-1", "dayly=7", "daily=7 x", "daily=0", "within=30", "last=1e9"])
      assert.equal(parseKeepRules(text), undefined, text);
  });
});
