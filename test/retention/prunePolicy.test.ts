import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { checkKeepOptions, keepsEverything } from "../../core/retention/prunePolicy.js";

describe("retention: keep options", () => {
  it("are taken over; a duration may be a text; undefined is left out", () => {
    assert.deepEqual(checkKeepOptions({ last: 3, yearly: 0, daily: undefined }), { last: 3, yearly: 0 });
    assert.equal(checkKeepOptions({ within: "30d" }).within?.days, 30);
  });

  it("are refused when a name is misspelt or a count is no whole number", () => {
    const bad = [{ dayly: 7 }, { "keep-daily": 7 }, { daily: "7" }, { daily: -1 }, { daily: 1.5 }, { daily: null }];
    for (const value of [...bad, { daily: Number.POSITIVE_INFINITY }, { last: {} }, null, [], "daily=7", undefined]) {
      assert.throws(
        () => checkKeepOptions(value),
        (error) => isOurError(error, "KEEP_OPTIONS_INVALID") && error.family === "usage",
      );
    }
    assert.throws(
      () => checkKeepOptions({ within: "soon" }),
      (error) => isOurError(error, "DURATION_INVALID"),
    );
  });

  it("keep everything exactly when none is on", () => {
    assert.equal(keepsEverything(checkKeepOptions({})), true);
    assert.equal(keepsEverything(checkKeepOptions({ last: 0, monthly: 0, within: "0d" })), true);
    assert.equal(keepsEverything(checkKeepOptions({ monthly: 1 })), false);
    assert.equal(keepsEverything(checkKeepOptions({ within: "1s" })), false);
  });
});
