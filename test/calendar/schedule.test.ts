import assert from "node:assert/strict";
import fc from "fast-check";
import { openTimeZone } from "../../core/calendar/localTime.js";
import { lastRun, nextRun, parseSchedule } from "../../core/calendar/schedule.js";
import { describeSchedule } from "../../core/calendar/scheduleWords.js";
import { isOurError } from "../../core/errors.js";
import { instantsByMinute } from "./scheduleOracle.js";

const at = (iso: string) => Date.parse(iso);
const iso = (timeMs: number | null) => (timeMs === null ? null : new Date(timeMs).toISOString().replace(".000Z", "Z"));

function nextRuns(text: string, from: string, count: number, zone = "UTC"): (string | null)[] {
  const found: (string | null)[] = [];
  for (let after: number | null = at(from); found.length < count && after !== null; ) {
    after = nextRun(parseSchedule(text), after, zone);
    found.push(iso(after));
  }
  return found;
}

describe("a schedule", () => {
  const FROM = "2026-11-20T10:00:00Z"; // a Friday
  const cases: [string, string[], string][] = [
    ["21:00", ["2026-11-20T21:00:00Z", "2026-11-21T21:00:00Z"], "every day at 21:00"],
    ["2,14:00", ["2026-11-20T14:00:00Z", "2026-11-21T02:00:00Z"], "every day at 02:00 and 14:00"],
    ["*:0/15", ["2026-11-20T10:15:00Z", "2026-11-20T10:30:00Z"], "every 15 minutes"],
    ["*/15", ["2026-11-20T10:15:00Z"], "every 15 minutes"],
    ["15", ["2026-11-20T10:15:00Z", "2026-11-20T11:15:00Z"], "every hour at minute 15"],
    [
      "0/6:30",
      ["2026-11-20T12:30:00Z", "2026-11-20T18:30:00Z", "2026-11-21T00:30:00Z"],
      "every day at 00:30, 06:30, 12:30 and 18:30",
    ],
    ["8..18:0/30", ["2026-11-20T10:30:00Z"], "every 30 minutes from 08:00 to 18:30"],
    ["mon..fri 7..17:0", ["2026-11-20T11:00:00Z"], "Monday to Friday every hour from 07:00 to 17:00"],
    ["sat 18:15", ["2026-11-21T18:15:00Z", "2026-11-28T18:15:00Z"], "Saturday at 18:15"],
    ["sun,wed 3:30", ["2026-11-22T03:30:00Z", "2026-11-25T03:30:00Z"], "Wednesday and Sunday at 03:30"],
    [
      "fri..mon 0:0",
      ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z"],
      "Friday to Monday at 00:00",
    ],
    ["*-1 02:00", ["2026-12-01T02:00:00Z", "2027-01-01T02:00:00Z"], "on day 1 of the month at 02:00"],
    ["1-1 00:00", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"], "on day 1 in January at 00:00"],
    [
      "sat *-1..7 03:00",
      ["2026-12-05T03:00:00Z", "2027-01-02T03:00:00Z"],
      "on the first Saturday of the month at 03:00",
    ],
    ["sat *-*-1..7 03:00", ["2026-12-05T03:00:00Z"], "on the first Saturday of the month at 03:00"],
    ["2026-12-24 20:00", ["2026-12-24T20:00:00Z", null as never], "on day 24 in December of 2026 at 20:00"],
    ["2026-*-01 04:00", ["2026-12-01T04:00:00Z", null as never], "on day 1 of the month in 2026 at 04:00"],
    ["*-2-29", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"], "on day 29 in February at 00:00"],
    ["mon *-2-29", ["2044-02-29T00:00:00Z", "2072-02-29T00:00:00Z"], "on Monday that is day 29 in February at 00:00"],
    ["mon", ["2026-11-23T00:00:00Z"], "Monday at 00:00"],
    ["12:00 UTC", ["2026-11-20T12:00:00Z"], "every day at 12:00 (UTC)"],
    ["*:*:0/30", ["2026-11-20T10:00:30Z", "2026-11-20T10:01:00Z"], "every minute, every 30 seconds"],
    [
      "*-*~1 03:00",
      ["2026-11-30T03:00:00Z", "2026-12-31T03:00:00Z", "2027-01-31T03:00:00Z", "2027-02-28T03:00:00Z"],
      "on the last day of the month at 03:00",
    ],
    ["minutely", ["2026-11-20T10:01:00Z"], "every minute"],
    ["hourly", ["2026-11-20T11:00:00Z"], "every hour"],
    ["daily", ["2026-11-21T00:00:00Z"], "every day at 00:00"],
    ["weekly", ["2026-11-23T00:00:00Z"], "Monday at 00:00"],
    ["monthly", ["2026-12-01T00:00:00Z"], "on day 1 of the month at 00:00"],
    [
      "quarterly",
      ["2027-01-01T00:00:00Z", "2027-04-01T00:00:00Z"],
      "on day 1 in January, April, July and October at 00:00",
    ],
    ["semi-annually", ["2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z"], "on day 1 in January and July at 00:00"],
    ["yearly", ["2027-01-01T00:00:00Z"], "on day 1 in January at 00:00"],
    ["Mon..Fri 02:30", ["2026-11-23T02:30:00Z"], "Monday to Friday at 02:30"],
    ["30 2 * * 1-5", ["2026-11-23T02:30:00Z", "2026-11-24T02:30:00Z"], "Monday to Friday at 02:30"],
    ["*/20 * * * *", ["2026-11-20T10:20:00Z"], "every 20 minutes"],
    ["0 4 1 * *", ["2026-12-01T04:00:00Z"], "on day 1 of the month at 04:00"],
    [
      "0 0 13 * fri",
      ["2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"],
      "on day 13 of the month or on Friday at 00:00",
    ],
    [
      "0 0 */2 * 1",
      ["2026-11-23T00:00:00Z", "2026-12-07T00:00:00Z"],
      "on Monday that is days 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29 and 31 of the month at 00:00",
    ],
    ["0 12 * jan-mar,DEC 0", ["2026-12-06T12:00:00Z"], "Sunday in January to March and December at 12:00"],
    ["0 12 * * 7", ["2026-11-22T12:00:00Z", "2026-11-29T12:00:00Z"], "Sunday at 12:00"],
    [
      "0 12 * * 5-7",
      ["2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z", "2026-11-27T12:00:00Z"],
      "Friday to Sunday at 12:00",
    ],
    [
      "5/20 9-17/4 * * *",
      ["2026-11-20T13:05:00Z", "2026-11-20T13:25:00Z"],
      "at minutes 5, 25 and 45 of hours 9, 13 and 17",
    ],
    ["@daily", ["2026-11-21T00:00:00Z"], "every day at 00:00"],
    ["@Weekly", ["2026-11-22T00:00:00Z"], "Sunday at 00:00"],
    ["@hourly", ["2026-11-20T11:00:00Z"], "every hour"],
    ["2150-01-01", ["2150-01-01T00:00:00Z", null as never], "on day 1 in January of 2150 at 00:00"],
  ];
  for (const [text, runs, words] of cases) {
    it(`${text}: ${words}`, () => {
      assert.deepEqual(nextRuns(text, FROM, runs.length), runs);
      assert.ok(describeSchedule(parseSchedule(text)).endsWith(words), describeSchedule(parseSchedule(text)));
    });
  }

  const refused: [string, RegExp][] = [
    ["", /empty/],
    ["*-*-1..7 sat", /too many|is no/],
    ["daily 04:00", /stands alone/],
    ["every 2 hours", /"every" is no weekday/],
    ["mon - fri", /is no/],
    ["mon-fri 02:00", /written mon\.\.fri/],
    ["24:00", /hour 24 is out of range/],
    ["02:60", /minute 60 is out of range/],
    ["*-2-30", /no month/],
    ["*-13-1", /month 13/],
    ["2200-1-1", /year 2200/],
    ["18..8:00", /backwards/],
    ["*/0", /step/],
    ["*/90", /longer than/],
    ["1:2:3:4", /hours:minutes/],
    ["0 2 * *", /five fields, here are 4/],
    ["0 0 2 * * *", /five fields, here are 6/],
    ["60 2 * * *", /minute 60/],
    ["0 2 * * 8", /weekday 8/],
    ["0 2 30 2 *", /no month/],
    ["0 2 , * *", /is no day/],
    ["@reboot", /nothing about time/],
    ["@fortnightly", /no such word/],
    ["0 2 * * 1..5", /is no weekday/],
    ["x".repeat(300), /short text/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(
        () => parseSchedule(text),
        (error) => isOurError(error, "SCHEDULE_INVALID") && why.test((error as Error).message),
      );
    });
  }

  it("refuses an unknown time zone", () => {
    assert.throws(() => nextRun(parseSchedule("daily"), 0, "Mars/Olympus"), { code: "TIMEZONE_UNKNOWN" });
  });
});

describe("a schedule where clocks change", () => {
  it("runs right after a gap, once for all times inside it", () => {
    // Berlin, 29 March 2026: 02:00 CET → 03:00 CEST = 01:00Z
    const expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
    assert.deepEqual(nextRuns("02:30", "2026-03-28T00:00:00Z", 3, "Europe/Berlin"), expected);
    assert.deepEqual(nextRuns("2:0/20", "2026-03-28T23:00:00Z", 2, "Europe/Berlin"), [
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:00:00Z",
    ]);
    assert.equal(iso(lastRun(parseSchedule("02:30"), at("2026-03-29T12:00:00Z"), "Europe/Berlin")), expected[1]);
    assert.equal(iso(lastRun(parseSchedule("02:30"), at("2026-03-29T00:59:59Z"), "Europe/Berlin")), expected[0]);
  });

  it("runs once in a repeated hour, in its first pass", () => {
    // Berlin, 25 October 2026: 03:00 CEST → 02:00 CET = 01:00Z
    assert.deepEqual(nextRuns("02:30", "2026-10-24T12:00:00Z", 2, "Europe/Berlin"), [
      "2026-10-25T00:30:00Z",
      "2026-10-26T01:30:00Z",
    ]);
    assert.equal(
      iso(lastRun(parseSchedule("02:30"), at("2026-10-25T01:10:00Z"), "Europe/Berlin")),
      "2026-10-25T00:30:00Z",
    );
  });

  it("for every hour, follows the clock", () => {
    assert.deepEqual(nextRuns("*:30", "2026-10-24T23:40:00Z", 4, "Europe/Berlin"), [
      "2026-10-25T00:30:00Z",
      "2026-10-25T01:30:00Z",
      "2026-10-25T02:30:00Z",
      "2026-10-25T03:30:00Z",
    ]);
    assert.deepEqual(nextRuns("*:30", "2026-03-28T23:40:00Z", 2, "Europe/Berlin"), [
      "2026-03-29T00:30:00Z",
      "2026-03-29T01:30:00Z",
    ]);
    // Beirut puts its clocks on at midnight: Sunday begins at 01:00
    assert.deepEqual(nextRuns("sun *:30", "2026-03-23T00:00:00Z", 1, "Asia/Beirut"), ["2026-03-28T22:30:00Z"]);
  });

  it("goes over a day that a country left out", () => {
    // Samoa had no 30 December 2011
    assert.deepEqual(nextRuns("2011-12-30 12:00", "2011-12-01T00:00:00Z", 2, "Pacific/Apia"), [
      "2011-12-30T10:00:00Z",
      null,
    ]);
  });
});

/** Random schedules as text. */
const number = (min: number, max: number) => fc.integer({ min, max });
function item(min: number, max: number, range: string): fc.Arbitrary<string> {
  return fc.oneof(
    number(min, max).map(String),
    fc.constant("*"),
    number(1, max - min + 1).map((step) => `*/${step}`),
    fc.tuple(number(min, max), number(1, max - min + 1)).map(([from, step]) => `${from}/${step}`),
    fc.tuple(number(min, max), number(min, max)).map(([a, b]) => `${Math.min(a, b)}${range}${Math.max(a, b)}`),
  );
}
const list = (min: number, max: number, range: string) =>
  fc.array(item(min, max, range), { minLength: 1, maxLength: 2 }).map((items) => items.join(","));
const cron = fc
  .tuple(list(0, 59, "-"), list(0, 23, "-"), list(1, 28, "-"), list(1, 12, "-"), list(0, 6, "-"))
  .map((fields) => fields.join(" "));
const event = fc
  .tuple(
    fc.constantFrom("", "sat ", "mon..fri ", "sun,wed ", "fri..mon "),
    fc.oneof(
      fc.constant(""),
      fc.tuple(list(1, 12, ".."), list(1, 28, "..")).map(([m, d]) => `${m}-${d} `),
    ),
    list(0, 23, ".."),
    list(0, 59, ".."),
  )
  .map(([weekdays, date, hours, minutes]) => `${weekdays}${date}${hours}:${minutes}`);

/** Around changes of clocks, and plain days. */
const WINDOWS: [string, string][] = [
  ["Europe/Berlin", "2026-03-28T12:00:00Z"],
  ["Europe/Berlin", "2026-10-24T12:00:00Z"],
  ["America/New_York", "2026-11-01T00:00:00Z"],
  ["Asia/Beirut", "2026-03-28T00:00:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T03:00:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T03:00:00Z"],
  ["Pacific/Apia", "2011-12-29T12:00:00Z"],
  ["UTC", "2026-12-30T22:00:00Z"],
];

describe("schedules against a clock that is watched minute by minute", function () {
  this.timeout(60_000);
  const hours = 40;
  for (const [zone, from] of WINDOWS) {
    it(`${zone}, ${from}`, () => {
      const shown = Array.from({ length: (hours + 30) * 60 }, (_, i) => {
        const timeMs = at(from) - 30 * 3_600_000 + i * 60_000;
        return { timeMs, local: openTimeZone(zone).localTime(timeMs) };
      });
      fc.assert(
        fc.property(fc.oneof(cron, event), (text) => {
          const schedule = parseSchedule(text);
          const expected = instantsByMinute(text, shown).filter((timeMs) => timeMs > at(from));
          const found: number[] = [];
          const end = shown.at(-1)!.timeMs;
          for (
            let run = nextRun(schedule, at(from), zone);
            run !== null && run <= end;
            run = nextRun(schedule, run, zone)
          ) {
            if (found.at(-1) === run) throw new Error("no progress");
            found.push(run);
            if (found.length > 100) break;
          }
          const wanted = expected.slice(0, 101);
          assert.deepEqual(found.slice(0, 101).map(iso), wanted.map(iso));
          const backward: number[] = [];
          for (
            let run = lastRun(schedule, end, zone);
            run !== null && run > at(from);
            run = lastRun(schedule, run - 1, zone)
          ) {
            backward.push(run);
            if (backward.length > 100) break;
          }
          assert.deepEqual(backward.slice(0, 101).map(iso), expected.toReversed().slice(0, 101).map(iso));
        }),
        { numRuns: 40 },
      );
    });
  }

  it("never fails on any text but with SCHEDULE_INVALID", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."0123456789*/.,-:~ monfridalyUTC@"), maxLength: 30 });
    fc.assert(
      fc.property(fc.oneof(letters, fc.string()), (text) => {
        try {
          const schedule = parseSchedule(text);
          const next = nextRun(schedule, at("2026-11-20T10:00:00Z"), "Europe/Berlin");
          if (next !== null) assert.ok((lastRun(schedule, next, "Europe/Berlin") ?? 0) === next, text);
          assert.ok(describeSchedule(schedule).length > 0);
        } catch (error) {
          assert.ok(isOurError(error, "SCHEDULE_INVALID"), `${text}: ${String(error)}`);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
