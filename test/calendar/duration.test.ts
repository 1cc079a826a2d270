import assert from "node:assert/strict";
import fc from "fast-check";
import type { Duration } from "../../core/calendar/duration.js";
import {
  checkDuration,
  formatDuration,
  isZeroDuration,
  parseDuration,
  subtractDuration,
} from "../../core/calendar/duration.js";
import { openTimeZone } from "../../core/calendar/localTime.js";
import { isOurError } from "../../core/errors.js";

const NONE: Duration = { years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0 };

const earlier = (iso: string, duration: string, zone = "UTC") =>
  new Date(subtractDuration(Date.parse(iso), parseDuration(duration), openTimeZone(zone))).toISOString();

describe("retention: durations", () => {
  it("are read with their units", () => {
    assert.deepEqual(parseDuration("30d"), { ...NONE, days: 30 });
    assert.deepEqual(parseDuration("12h"), { ...NONE, hours: 12 });
    assert.deepEqual(parseDuration("2w"), { ...NONE, weeks: 2 });
    assert.deepEqual(parseDuration("1y6m"), { ...NONE, years: 1, months: 6 });
    assert.deepEqual(parseDuration("90min"), { ...NONE, minutes: 90 });
    assert.deepEqual(parseDuration("45s"), { ...NONE, seconds: 45 });
    assert.deepEqual(parseDuration(" 1y 2m 3w 4d 5h 6min 7s "), {
      years: 1,
      months: 2,
      weeks: 3,
      days: 4,
      hours: 5,
      minutes: 6,
      seconds: 7,
    });
    assert.ok(isZeroDuration(parseDuration("0d")));
  });

  it("are refused when anything is unclear", () => {
    const bad = ["", " ", "30", "d", "-1d", "1.5d", "1d1d", "1D", "5minutes", "1mo", "30 d", "1d,2h", "P30D", "∞d"];
    for (const text of [...bad, "20000y", "9999999999999999d", "9".repeat(5000), undefined, 30, null]) {
      assert.throws(
        () => parseDuration(text as string),
        (error) => isOurError(error, "DURATION_INVALID") && error.family === "usage" && /min minutes/.test(error.hint!),
        String(text).slice(0, 40),
      );
    }
  });

  it("are printed so that they read back the same", () => {
    assert.equal(formatDuration(parseDuration("6m1y")), "1y6m");
    assert.equal(formatDuration(parseDuration("90min")), "90min");
    assert.equal(formatDuration(NONE), "0s");
    const count = fc.nat(100);
    const durations = fc.record(
      { years: count, months: count, weeks: count, days: count, hours: count, minutes: count, seconds: count },
      { noNullPrototype: true },
    );
    fc.assert(fc.property(durations, (d) => assert.deepEqual(parseDuration(formatDuration(d)), d)));
  });

  it("from outside may be a text or an object, both checked", () => {
    assert.deepEqual(checkDuration("30d"), { ...NONE, days: 30 });
    assert.deepEqual(checkDuration({ days: 30 }), { ...NONE, days: 30 });
    for (const value of [
      null,
      30,
      { days: -1 },
      { days: 1.5 },
      { days: "30" },
      { years: 1e9 },
      { hours: Number.NaN },
    ]) {
      assert.throws(
        () => checkDuration(value),
        (error) => isOurError(error, "DURATION_INVALID"),
      );
    }
  });
});

describe("retention: an instant some time earlier", () => {
  it("takes fixed units off as they are", () => {
    assert.equal(earlier("2026-11-20T12:00:00.500Z", "1w2d3h4min5s"), "2026-11-11T08:55:55.500Z");
    assert.equal(earlier("2026-03-30T12:00:00Z", "1d", "Europe/Berlin"), "2026-03-29T12:00:00.000Z");
  });

  it("takes months and years off on the calendar, to the last day when the day does not exist", () => {
    assert.equal(earlier("2026-03-31T12:00:00.250Z", "1m"), "2026-02-28T12:00:00.250Z");
    assert.equal(earlier("2024-03-31T12:00:00Z", "1m"), "2024-02-29T12:00:00.000Z");
    assert.equal(earlier("2024-02-29T12:00:00Z", "1y"), "2023-02-28T12:00:00.000Z");
    assert.equal(earlier("2026-01-15T12:00:00Z", "1y1m"), "2024-12-15T12:00:00.000Z");
    assert.equal(earlier("2026-01-15T12:00:00Z", "13m"), "2024-12-15T12:00:00.000Z");
    assert.equal(earlier("2026-01-15T12:00:00Z", "1m1d"), "2025-12-14T12:00:00.000Z");
  });

  it("keeps the local time of day across a daylight-saving change", () => {
    assert.equal(earlier("2026-04-15T10:00:00Z", "1m", "Europe/Berlin"), "2026-03-15T11:00:00.000Z");
    assert.equal(earlier("2026-03-31T22:30:00Z", "1m", "Europe/Berlin"), "2026-02-28T23:30:00.000Z");
  });

  it("is never later, whatever the zone", () => {
    const count = fc.nat(30);
    const durations = fc.record({ years: count, months: count, days: count, hours: count });
    const zones = fc.constantFrom("UTC", "Europe/Berlin", "Pacific/Apia", "America/Havana");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e9 }), durations, zones, (seconds, some, zone) => {
        const result = subtractDuration(seconds * 1000, { ...NONE, ...some }, openTimeZone(zone));
        assert.ok(result <= seconds * 1000);
      }),
    );
  });
});
