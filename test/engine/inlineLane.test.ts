import assert from "node:assert/strict";
import { inlineLane } from "../../core/engine/lane.js";
import { assertCode } from "../support/assertCode.js";

describe("a lane on the caller's own thread", () => {
  it("is closed once, and takes no call afterwards", async () => {
    let closed = 0;
    const lane = inlineLane({ double: async (value: number) => 2 * value }, async () => {
      closed++;
    });
    assert.equal(await lane.call("double", 21), 42);
    await lane.close();
    await lane.close();
    assert.equal(closed, 1);
    await assertCode(lane.call("double", 21), "LANE_CLOSED");
  });

  it("needs nothing to be closed", async () => {
    const lane = inlineLane({ double: async (value: number) => 2 * value });
    await lane.close();
    await assertCode(lane.call("double", 21), "LANE_CLOSED");
  });
});
