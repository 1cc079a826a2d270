import assert from "node:assert/strict";
import fc from "fast-check";
import type { LocalTime } from "../../core/calendar/localTime.js";
import {
  daysInMonth,
  isoWeek,
  MAX_TIME_MS,
  openTimeZone,
  utcInstant,
  zoneInstant,
} from "../../core/calendar/localTime.js";
import { isOurError } from "../../core/errors.js";

const text = ({ year, month, day, hour, minute, second }: LocalTime) =>
  [year, month, day].join("-").concat(" ", [hour, minute, second].join(":"));
const at = (zone: string, iso: string) => text(openTimeZone(zone).localTime(Date.parse(iso)));

describe("retention: local time", () => {
  it("gives the fields of a named zone, a named offset and UTC", () => {
    assert.equal(at("UTC", "2026-11-20T23:30:15.999Z"), "2026-11-20 23:30:15");
    assert.equal(at("Europe/Berlin", "2026-11-20T23:30:15Z"), "2026-11-21 0:30:15");
    assert.equal(at("Pacific/Auckland", "2026-12-31T11:00:00Z"), "2027-1-1 0:0:0");
    assert.equal(at("America/New_York", "2026-07-01T03:59:59Z"), "2026-6-30 23:59:59");
    assert.equal(at("Asia/Kathmandu", "2026-07-01T00:00:00Z"), "2026-7-1 5:45:0");
    assert.equal(at("+02:00", "2026-07-01T00:00:00Z"), "2026-7-1 2:0:0");
  });

  it("knows both daylight-saving changes", () => {
    assert.equal(at("Europe/Berlin", "2026-03-29T00:59:59Z"), "2026-3-29 1:59:59");
    assert.equal(at("Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-3-29 3:0:0");
    assert.equal(at("Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-25 2:30:0");
    assert.equal(at("Europe/Berlin", "2026-10-25T01:30:00Z"), "2026-10-25 2:30:0");
    assert.equal(at("America/New_York", "2026-03-08T06:59:59Z"), "2026-3-8 1:59:59");
    assert.equal(at("America/New_York", "2026-03-08T07:00:00Z"), "2026-3-8 3:0:0");
  });

  it("drops milliseconds towards the past, also before 1970", () => {
    assert.equal(text(openTimeZone("UTC").localTime(-1)), "1969-12-31 23:59:59");
    assert.equal(text(openTimeZone("UTC").localTime(-1000)), "1969-12-31 23:59:59");
    assert.equal(text(openTimeZone("UTC").localTime(-1001)), "1969-12-31 23:59:58");
  });

  it("gives astronomical years before year 1 and after 9999, with the rules of the zone", () => {
    assert.equal(at("UTC", "0000-02-29T12:00:00Z"), "0-2-29 12:0:0");
    assert.equal(at("UTC", "-000001-12-31T12:00:00Z"), "-1-12-31 12:0:0");
    assert.equal(at("UTC", "+123456-07-08T09:10:11Z"), "123456-7-8 9:10:11");
    assert.equal(at("Europe/Berlin", "9999-12-31T23:30:00Z"), "10000-1-1 0:30:0");
    assert.equal(at("Europe/Berlin", "0001-01-01T00:00:00Z"), "1-1-1 0:53:28");
  });

  it("agrees with Date in UTC over the whole range", () => {
    const zone = openTimeZone("UTC");
    fc.assert(
      fc.property(fc.integer({ min: -MAX_TIME_MS, max: MAX_TIME_MS }), (timeMs) => {
        const date = new Date(timeMs);
        const local = zone.localTime(timeMs);
        assert.equal(local.year, date.getUTCFullYear());
        assert.equal(local.month, date.getUTCMonth() + 1);
        assert.equal(local.day, date.getUTCDate());
        assert.equal(local.hour, date.getUTCHours());
        assert.equal(utcInstant(local), Math.floor(timeMs / 1000) * 1000);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses what is not a zone, and never falls back to the system's zone", () => {
    for (const name of ["", "Mars/Olympus", "local", " UTC", "x".repeat(1000), undefined, null, 7]) {
      assert.throws(
        () => openTimeZone(name as string),
        (error) => isOurError(error, "TIMEZONE_UNKNOWN") && error.family === "usage" && error.hint !== undefined,
      );
    }
  });

  it("refuses times that no calendar holds", () => {
    for (const timeMs of [Number.NaN, Number.POSITIVE_INFINITY, MAX_TIME_MS + 1000, -MAX_TIME_MS - 1000]) {
      assert.throws(
        () => openTimeZone("UTC").localTime(timeMs),
        (error) => isOurError(error, "TIME_OUT_OF_RANGE"),
      );
    }
  });

  it("labels 100,000 times within seconds", function () {
    this.timeout(10_000);
    const zone = openTimeZone("America/New_York");
    const startedMs = performance.now();
    for (let i = 0; i < 100_000; i++) zone.localTime(1.7e12 + i * 3_600_000);
    assert.ok(performance.now() - startedMs < 60_000);
  });
});

describe("retention: from local time back to an instant", () => {
  const berlin = openTimeZone("Europe/Berlin");
  const instant = (year: number, month: number, day: number, hour: number, minute: number) =>
    new Date(zoneInstant(berlin, { year, month, day, hour, minute, second: 0 })).toISOString();

  it("finds ordinary times, the first pass of a repeated hour, and something sensible for a skipped one", () => {
    assert.equal(instant(2026, 7, 1, 12, 0), "2026-07-01T10:00:00.000Z");
    assert.equal(instant(2026, 10, 25, 2, 30), "2026-10-25T00:30:00.000Z");
    assert.equal(instant(2026, 10, 25, 3, 0), "2026-10-25T02:00:00.000Z");
    assert.equal(instant(2026, 3, 29, 2, 30), "2026-03-29T00:30:00.000Z");
  });

  it("is the inverse of localTime, apart from the second pass of a repeated hour", () => {
    for (const name of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]) {
      const zone = openTimeZone(name);
      fc.assert(
        fc.property(fc.integer({ min: -4e9, max: 8e9 }), (seconds) => {
          const local = zone.localTime(seconds * 1000);
          const back = zoneInstant(zone, local);
          assert.ok(back <= seconds * 1000);
          assert.deepEqual(zone.localTime(back), local);
        }),
        { numRuns: 500 },
      );
    }
  });
});

describe("retention: ISO weeks", () => {
  const week = (year: number, month: number, day: number) => {
    const iso = isoWeek({ year, month, day, hour: 0, minute: 0, second: 0 });
    return `${iso.year}-${iso.week}`;
  };

  it("belong to the year of their Thursday", () => {
    assert.equal(week(2020, 12, 31), "2020-53");
    assert.equal(week(2021, 1, 3), "2020-53");
    assert.equal(week(2021, 1, 4), "2021-1");
    assert.equal(week(2019, 12, 29), "2019-52");
    assert.equal(week(2019, 12, 30), "2020-1");
    assert.equal(week(2024, 12, 30), "2025-1");
    assert.equal(week(2026, 12, 31), "2026-53");
    assert.equal(week(2027, 1, 3), "2026-53");
    assert.equal(week(2027, 1, 4), "2027-1");
    assert.equal(week(2022, 1, 1), "2021-52");
    assert.equal(week(2024, 2, 29), "2024-9");
    assert.equal(week(1, 1, 1), "1-1");
    assert.equal(week(0, 1, 1), "-1-52");
  });

  it("count up by one from Monday to Monday and start again only around new year", () => {
    let previous = isoWeek({ year: 1999, month: 12, day: 27, hour: 0, minute: 0, second: 0 });
    for (let ms = Date.UTC(2000, 0, 3); ms < Date.UTC(2400, 0, 9); ms += 7 * 86_400_000) {
      const monday = openTimeZone("UTC").localTime(ms);
      const now = isoWeek(monday);
      assert.deepEqual(isoWeek(openTimeZone("UTC").localTime(ms + 6 * 86_400_000)), now);
      if (now.year === previous.year) assert.equal(now.week, previous.week + 1);
      else assert.deepEqual([now.week, now.year, previous.week >= 52], [1, previous.year + 1, true]);
      previous = now;
    }
  });

  it("month lengths follow the Gregorian leap years", () => {
    const february = [1900, 2000, 2023, 2024, 0, -4, -100].map((year) => daysInMonth(year, 2));
    assert.deepEqual(february, [28, 29, 28, 29, 29, 29, 28]);
    assert.equal(daysInMonth(2026, 12), 31);
  });
});
