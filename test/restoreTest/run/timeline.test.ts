import assert from "node:assert/strict";
import { Timeline } from "../../../core/restoreTest/run/timeline.js";

describe("restore test: timeline", () => {
  it("notes each phase, also one that fails, in whole milliseconds from the start", async () => {
    let now = 5000.25;
    const timeline = new Timeline(Date.parse("2026-11-21T02:00:00Z"), () => now);
    const value = await timeline.phase("restore", async () => {
      now += 1500.5;
      return 7;
    });
    assert.equal(value, 7);
    now += 10;
    await assert.rejects(
      timeline.phase("boot", async () => {
        now += 200;
        throw new Error("no");
      }),
    );
    assert.deepEqual(timeline.phases, [
      { name: "restore", startMs: 0, durationMs: 1501 },
      { name: "boot", startMs: 1511, durationMs: 200 },
    ]);
    assert.equal(timeline.durationOf("boot"), 200);
    assert.equal(timeline.durationOf("serve"), 0);
    assert.equal(timeline.iso(1501), "2026-11-21T02:00:01.501Z");
  });
});
