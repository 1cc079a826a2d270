import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { Lifetime, MAX_LIFETIME_MS } from "../../core/repository/lifetime.js";

const DAY = 86_400_000;

describe("lifetime of a process", () => {
  it("is 30 days, a third of what tombstones are kept", () => {
    assert.equal(MAX_LIFETIME_MS, 30 * DAY);
  });

  for (const [name, elapsed] of Object.entries({
    "awake all the time": { wall: 31 * DAY, monotonic: 31 * DAY },
    "asleep most of it: the monotonic clock stood still": { wall: 31 * DAY, monotonic: DAY },
    "the clock was set back: the monotonic one went on": { wall: -365 * DAY, monotonic: 31 * DAY },
  })) {
    it(`is over after 31 days, ${name}`, () => {
      const clock = { wall: Date.UTC(2026, 0, 1), monotonic: 1000 };
      const lifetime = new Lifetime({ now: () => clock.wall, monotonicMs: () => clock.monotonic });
      lifetime.check("this backup");
      clock.wall += elapsed.wall;
      clock.monotonic += elapsed.monotonic;
      assert.ok(lifetime.isOver);
      assert.throws(
        () => lifetime.check("this backup"),
        (error) => isOurError(error, "SESSION_TOO_OLD") && error.retry === "later",
      );
    });
  }

  it("is not over after 29 days", () => {
    const clock = { wall: 0, monotonic: 0 };
    const lifetime = new Lifetime({ now: () => clock.wall, monotonicMs: () => clock.monotonic });
    clock.wall = clock.monotonic = 29 * DAY;
    assert.equal(lifetime.isOver, false);
    lifetime.check("this backup");
  });
});
