import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { planPrune } from "../../core/retention/planPrune.js";
import { candidate, daysBack, kept, marks, plan } from "./pruneCases.js";

const reasonsOf = (texts: string[], keep: object, id: string, context = {}) =>
  plan(texts, keep, context).find((decision) => decision.id === id)!.reasons;

describe("retention: the counting rules", () => {
  it("keep-last keeps the newest and leaves the rest to the end", () => {
    const texts = ["2026-11-20T10:00Z", "2026-11-20T09:00Z", "2026-11-20T08:00Z"];
    assert.deepEqual(marks(texts, { last: 1 }), ["keep", "remove", "remove"]);
    assert.deepEqual(marks(texts, { last: 2 }), ["keep", "keep", "remove"]);
    assert.deepEqual(marks(texts, { last: 9 }), ["keep", "keep", "keep"]);
    assert.deepEqual(reasonsOf(texts, { last: 3 }, texts[1]!), ["keep-last 2 of 3"]);
    assert.deepEqual(reasonsOf(texts, { last: 1 }, texts[2]!), ["not selected by any rule"]);
  });

  it("keep the newest of each hour, day, week, month and year", () => {
    const texts = ["2026-11-20T10:50Z", "2026-11-20T10:10Z", "2026-11-20T09:00Z", "2026-11-19T23:00Z"];
    const older = ["2026-11-15T23:59Z", "2026-10-31T12:00Z", "2025-12-31T12:00Z", "2024-01-01T00:00Z"];
    const all = [...texts, ...older];
    assert.deepEqual(kept(all, { hourly: 3 }), [texts[0], texts[2], texts[3]]);
    assert.deepEqual(kept(all, { daily: 3 }), [texts[0], texts[3], older[0]]);
    assert.deepEqual(kept(all, { weekly: 3 }), [texts[0], older[0], older[1]]);
    assert.deepEqual(kept(all, { monthly: 3 }), [texts[0], older[1], older[2]]);
    assert.deepEqual(kept(all, { yearly: 3 }), [texts[0], older[2], older[3]]);
  });

  it("count buckets that hold a snapshot, not time that passed", () => {
    const texts = ["2026-11-20T02:00Z", "2026-06-01T02:00Z", "2020-01-01T02:00Z"];
    assert.deepEqual(kept(texts, { daily: 2 }), texts.slice(0, 2));
  });

  it("start where the earlier rules end: a covered bucket uses up no count", () => {
    const texts = daysBack("2026-11-20", 6);
    assert.deepEqual(kept(texts, { last: 2, daily: 2 }), texts.slice(0, 4));
    assert.deepEqual(kept(texts, { last: 3, daily: 3 }), texts);
    assert.deepEqual(reasonsOf(texts, { last: 2, daily: 2 }, texts[2]!), ["keep-daily 1 of 2: newest of 2026-11-18"]);
  });

  it("a day covered by keep-last is passed over without a mark, and later rules pass over it too", () => {
    const texts = ["2026-11-20T10:00Z", "2026-11-20T02:00Z", "2026-11-19T02:00Z"];
    assert.deepEqual(marks(texts, { last: 1, daily: 1 }), ["keep", "remove", "keep"]);
    assert.deepEqual(reasonsOf(texts, { last: 1, daily: 1, monthly: 1 }, texts[1]!), [
      "2026-11-20 already has a newer snapshot (daily)",
      "2026-11 already has a newer snapshot (monthly)",
    ]);
  });

  it("a long policy chains: hourly, then daily before it, weekly before that, and so on", () => {
    const hours = ["23", "22", "21", "20"].map((hour) => `2026-11-20T${hour}:00Z`);
    const texts = [...hours, ...daysBack("2026-11-19", 500, "23:00Z")];
    const keep = { last: 1, hourly: 2, daily: 3, weekly: 2, monthly: 2, yearly: 1 };
    assert.deepEqual(
      plan(texts, keep)
        .filter(({ mark }) => mark === "keep")
        .map(({ id, rule }) => `${id.slice(0, 13)} ${rule}`),
      [
        "2026-11-20T23 last",
        "2026-11-20T22 hourly",
        "2026-11-20T21 hourly",
        "2026-11-19T23 daily",
        "2026-11-18T23 daily",
        "2026-11-17T23 daily",
        "2026-11-15T23 weekly",
        "2026-11-08T23 weekly",
        "2026-10-31T23 monthly",
        "2026-09-30T23 monthly",
        "2025-12-31T23 yearly",
      ],
    );
  });

  it("a removal is final: a later rule cannot rescue a snapshot that shared a bucket", () => {
    // Week 5 of 2026 runs from 26 January to 1 February. keep-weekly takes 1 February and removes 31 January, so that
    // keep-monthly has to fall back to 24 January for the month of January.
    const texts = ["2026-02-10T02:00Z", "2026-02-01T02:00Z", "2026-01-31T02:00Z", "2026-01-24T02:00Z"];
    assert.deepEqual(marks(texts, { weekly: 2, monthly: 1 }), ["keep", "keep", "remove", "keep"]);
    assert.deepEqual(reasonsOf(texts, { weekly: 2, monthly: 1 }, texts[2]!), [
      "2026-W05 already has a newer snapshot (weekly)",
    ]);
    assert.deepEqual(reasonsOf(texts, { weekly: 2, monthly: 1 }, texts[3]!), [
      "keep-monthly 1 of 1: newest remaining of 2026-01",
    ]);
  });

  it("being passed over is not final: here weekly passes over 31 January and monthly takes it", () => {
    const texts = ["2026-02-01T02:00Z", "2026-01-31T02:00Z", "2026-01-24T02:00Z"];
    assert.deepEqual(marks(texts, { last: 1, monthly: 1 }), ["keep", "keep", "remove"]);
    assert.deepEqual(marks(texts, { last: 1, weekly: 1, monthly: 1 }), ["keep", "remove", "keep"]);
    assert.deepEqual(reasonsOf(texts, { last: 1, weekly: 1, monthly: 1 }, texts[1]!), [
      "2026-W05 already has a newer snapshot (weekly)",
      "2026-01 already has a kept snapshot (monthly)",
    ]);
  });

  it("a count of 0 is a rule that is off", () => {
    const texts = daysBack("2026-11-20", 3);
    assert.deepEqual(marks(texts, { last: 0, daily: 1 }), marks(texts, { daily: 1 }));
  });

  it("without a rule everything is kept, with a reason", () => {
    const texts = ["2026-11-20T02:00Z", "2026-11-19T02:00Z protected", "2026-11-18T02:00Z unfinished"];
    assert.deepEqual(marks(texts, {}), ["keep", "protected", "keep"]);
    assert.deepEqual(marks(texts, { last: 0, yearly: 0 }), ["keep", "protected", "keep"]);
    assert.deepEqual(reasonsOf(texts, {}, texts[0]!), ["no keep rule is set: everything is kept"]);
  });
});

describe("retention: protected and unfinished snapshots", () => {
  it("protected ones stay, use up no count and cover nothing", () => {
    const texts = ["2026-11-20T10:00Z protected", "2026-11-20T02:00Z", "2026-11-19T02:00Z", "2026-11-18T02:00Z"];
    assert.deepEqual(marks(texts, { last: 1 }), ["protected", "keep", "remove", "remove"]);
    assert.deepEqual(marks(texts, { daily: 2 }), ["protected", "keep", "keep", "remove"]);
    assert.deepEqual(reasonsOf(texts, { daily: 2 }, texts[0]!), ["protected"]);
    assert.deepEqual(reasonsOf(texts, { daily: 2 }, texts[1]!), ["keep-daily 1 of 2: newest remaining of 2026-11-20"]);
  });

  it("all protected: nothing is removed", () => {
    const texts = daysBack("2026-11-20", 4).map((text) => `${text} protected`);
    assert.deepEqual(marks(texts, { last: 1, daily: 1 }), texts.fill("protected"));
  });

  it("no snapshots: an empty plan", () => {
    assert.deepEqual(plan([], { last: 1 }), []);
    assert.deepEqual(plan([], {}), []);
  });

  it("the newest unfinished one stays only when nothing finished is newer", () => {
    const running = ["2026-11-20T02:00Z unfinished", "2026-11-19T02:00Z unfinished", "2026-11-18T02:00Z"];
    assert.deepEqual(marks(running, { last: 5 }), ["keep-partial", "remove", "keep"]);
    assert.deepEqual(reasonsOf(running, { last: 5 }, running[1]!), ["unfinished, a newer unfinished snapshot exists"]);
    const broken = ["2026-11-20T02:00Z", "2026-11-19T02:00Z unfinished", "2026-11-18T02:00Z"];
    assert.deepEqual(marks(broken, { last: 5 }), ["keep", "remove", "keep"]);
    assert.deepEqual(reasonsOf(broken, { last: 5 }, broken[1]!), ["unfinished, a newer finished snapshot exists"]);
  });

  it("an unfinished one neither counts nor covers", () => {
    const texts = ["2026-11-20T10:00Z unfinished", "2026-11-20T02:00Z", "2026-11-19T02:00Z"];
    assert.deepEqual(marks(texts, { last: 1 }), ["keep-partial", "keep", "remove"]);
    assert.deepEqual(marks(texts, { daily: 1 }), ["keep-partial", "keep", "remove"]);
  });

  it("protection counts for both sides of that rule: it finishes, and it is the newest unfinished one", () => {
    const finished = ["2026-11-20T10:00Z protected", "2026-11-20T02:00Z unfinished"];
    assert.deepEqual(marks(finished, { last: 1 }), ["protected", "remove"]);
    const unfinished = ["2026-11-20T10:00Z unfinished protected", "2026-11-20T02:00Z unfinished"];
    assert.deepEqual(marks(unfinished, { last: 1 }), ["protected", "remove"]);
  });
});

describe("retention: time zones", () => {
  it("the repeated hour of autumn is one bucket, in Europe and in America", () => {
    const berlin = ["2026-10-25T01:30Z", "2026-10-25T00:30Z", "2026-10-24T23:30Z"];
    assert.deepEqual(marks(berlin, { hourly: 3 }, { timeZone: "Europe/Berlin" }), ["keep", "remove", "keep"]);
    assert.deepEqual(marks(berlin, { hourly: 3 }), ["keep", "keep", "keep"]);
    assert.deepEqual(reasonsOf(berlin, { hourly: 3 }, berlin[1]!, { timeZone: "Europe/Berlin" }), [
      "2026-10-25 02h already has a newer snapshot (hourly)",
    ]);
    const newYork = ["2026-11-01T06:30Z", "2026-11-01T05:30Z", "2026-11-01T04:30Z"];
    assert.deepEqual(marks(newYork, { hourly: 3 }, { timeZone: "America/New_York" }), ["keep", "remove", "keep"]);
  });

  it("the skipped hour of spring costs no bucket, in Europe and in America", () => {
    const berlin = ["2026-03-29T01:30Z", "2026-03-29T00:30Z"];
    const reasons = (texts: string[], timeZone: string) =>
      plan(texts, { hourly: 2 }, { timeZone }).flatMap((d) => d.reasons);
    assert.deepEqual(reasons(berlin, "Europe/Berlin"), [
      "keep-hourly 1 of 2: newest of 2026-03-29 03h",
      "keep-hourly 2 of 2: newest of 2026-03-29 01h",
    ]);
    const newYork = ["2026-03-08T07:30Z", "2026-03-08T06:30Z"];
    assert.deepEqual(reasons(newYork, "America/New_York"), [
      "keep-hourly 1 of 2: newest of 2026-03-08 03h",
      "keep-hourly 2 of 2: newest of 2026-03-08 01h",
    ]);
  });

  it("days of 23 and 25 hours are days", () => {
    const spring = ["2026-03-29T21:59Z", "2026-03-28T23:00Z", "2026-03-28T22:59Z"];
    assert.deepEqual(marks(spring, { daily: 2 }, { timeZone: "Europe/Berlin" }), ["keep", "remove", "keep"]);
    const autumn = ["2026-10-25T22:59Z", "2026-10-24T22:00Z", "2026-10-24T21:59Z"];
    assert.deepEqual(marks(autumn, { daily: 2 }, { timeZone: "Europe/Berlin" }), ["keep", "remove", "keep"]);
  });

  it("the same set gives another plan in another zone", () => {
    const texts = ["2026-11-20T13:00Z", "2026-11-20T10:00Z", "2026-11-19T12:00Z"];
    assert.deepEqual(marks(texts, { daily: 3 }), ["keep", "remove", "keep"]);
    assert.deepEqual(marks(texts, { daily: 3 }, { timeZone: "Pacific/Auckland" }), ["keep", "keep", "remove"]);
    const newYear = ["2026-12-31T11:30Z", "2026-12-31T10:30Z"];
    assert.deepEqual(marks(newYear, { yearly: 2 }), ["keep", "remove"]);
    assert.deepEqual(marks(newYear, { yearly: 2 }, { timeZone: "Pacific/Auckland" }), ["keep", "keep"]);
  });

  it("weeks around new year belong to one year", () => {
    const texts = [
      "2021-01-04T02:00Z",
      "2021-01-03T02:00Z",
      "2020-12-31T02:00Z",
      "2020-12-28T02:00Z",
      "2020-12-27T02:00Z",
    ];
    assert.deepEqual(marks(texts, { weekly: 9 }), ["keep", "keep", "remove", "remove", "keep"]);
    const later = ["2027-01-03T02:00Z", "2026-12-31T02:00Z", "2026-12-28T02:00Z", "2026-12-27T02:00Z"];
    assert.deepEqual(marks(later, { weekly: 9 }), ["keep", "remove", "remove", "keep"]);
    assert.deepEqual(reasonsOf(later, { weekly: 9 }, later[0]!), ["keep-weekly 1 of 9: newest of 2026-W53"]);
  });

  it("29 February is a day of February", () => {
    const texts = ["2024-03-01T00:00Z", "2024-02-29T23:59Z", "2024-02-28T12:00Z"];
    assert.deepEqual(marks(texts, { daily: 3 }), ["keep", "keep", "keep"]);
    assert.deepEqual(marks(texts, { monthly: 3 }), ["keep", "keep", "remove"]);
  });
});

describe("retention: keep-within", () => {
  const nowMs = Date.parse("2026-11-20T12:00Z");

  it("keeps everything finished that is not older, the limit included", () => {
    const texts = ["2026-11-20T11:59Z", "2026-11-20T11:58Z unfinished", "2026-11-18T12:00Z", "2026-11-18T11:59Z"];
    assert.deepEqual(marks(texts, { within: "2d" }, { nowMs }), ["keep", "remove", "keep", "remove"]);
    assert.deepEqual(reasonsOf(texts, { within: "2d" }, texts[2]!, { nowMs }), ["within 2d"]);
  });

  it("counts back from now, not from the newest snapshot", () => {
    const texts = daysBack("2026-10-01", 3);
    assert.deepEqual(kept(texts, { within: "30d" }, { nowMs }), []);
    assert.deepEqual(kept(texts, { within: "30d", last: 1 }, { nowMs }), [texts[0]]);
  });

  it("comes first, and what it keeps covers buckets for the rules after it", () => {
    const texts = daysBack("2026-11-20", 6);
    const decisions = plan(texts, { within: "50h", last: 1, daily: 2 }, { nowMs });
    assert.deepEqual(
      decisions.map(({ rule }) => rule),
      ["within", "within", "last", "daily", "daily", "none"],
    );
  });

  it("uses the calendar of the zone for months and years", () => {
    const texts = ["2026-10-20T11:00Z", "2026-10-20T10:59Z"];
    assert.deepEqual(kept(texts, { within: "1m" }, { nowMs, timeZone: "Europe/Berlin" }), texts.slice(0, 1));
    assert.deepEqual(kept(texts, { within: "1m" }, { nowMs }), []);
  });
});

describe("retention: snapshots dated in the future", () => {
  const nowMs = Date.parse("2026-11-20T12:00Z");

  it("are kept, and push nothing out", () => {
    const real = ["2026-11-20T02:00Z", "2026-11-19T02:00Z"];
    const forged = ["2027-01-01T00:00Z", "2027-01-02T00:00Z", "2099-01-01T00:00Z unfinished"];
    assert.deepEqual(marks([...forged, ...real], { last: 1 }, { nowMs }), ["keep", "keep", "keep", "keep", "remove"]);
    assert.deepEqual(reasonsOf([...forged, ...real], { last: 1 }, forged[0]!, { nowMs }), [
      "time lies in the future: 2027-01-01 00:00:00 UTC; kept, counts for no rule",
    ]);
  });

  it("do not make an unfinished backup look abandoned", () => {
    const texts = ["2027-01-01T00:00Z", "2026-11-20T11:00Z unfinished"];
    assert.deepEqual(marks(texts, { last: 1 }, { nowMs }), ["keep", "keep-partial"]);
  });

  it("begin five minutes after now, or where the caller says", () => {
    const texts = ["2026-11-20T12:05:00.001Z", "2026-11-20T12:05:00Z"];
    const rules = (context: object) => plan(texts, { last: 2 }, { nowMs, ...context }).map(({ rule }) => rule);
    assert.deepEqual(rules({}), ["future", "last"]);
    assert.deepEqual(rules({ futureToleranceMs: 0 }), ["future", "future"]);
    assert.deepEqual(rules({ futureToleranceMs: 3_600_000 }), ["last", "last"]);
  });
});

describe("retention: the plan", () => {
  it("is newest first, and of equal times the higher id comes first", () => {
    const snapshots = ["b", "c", "a"].map((id) => ({ ...candidate("2026-11-20T02:00Z"), id }));
    const older = { ...candidate("2026-11-19T02:00Z"), id: "z" };
    const decisions = planPrune([older, ...snapshots], { daily: 1 }, { timeZone: "UTC", nowMs: Date.now() + 1e12 });
    assert.deepEqual(
      decisions.map(({ id, mark }) => `${id} ${mark}`),
      ["c keep", "b remove", "a remove", "z remove"],
    );
  });

  it("of equal times keep-last counts every snapshot", () => {
    const snapshots = ["a", "b", "c"].map((id) => ({ ...candidate("2026-11-20T02:00Z"), id }));
    const decisions = planPrune(snapshots, { last: 2 }, { timeZone: "UTC", nowMs: Date.now() + 1e12 });
    assert.deepEqual(
      decisions.map(({ mark }) => mark),
      ["keep", "keep", "remove"],
    );
  });

  it("leaves the list that it was given alone", () => {
    const snapshots = Object.freeze(
      daysBack("2026-11-20", 3)
        .reverse()
        .map((text) => Object.freeze(candidate(text))),
    );
    planPrune(snapshots, { last: 1 }, { timeZone: "UTC", nowMs: 0 });
  });

  it("refuses a repeated id, a time that is no time, an unknown zone and a bad policy", () => {
    const one = candidate("2026-11-20T02:00Z");
    const context = { timeZone: "UTC", nowMs: 0 };
    const code = (wanted: string) => (error: unknown) => isOurError(error, wanted);
    assert.throws(() => planPrune([one, one], { last: 1 }, context), code("PRUNE_CANDIDATE_INVALID"));
    assert.throws(
      () => planPrune([{ ...one, timeMs: Number.NaN }], { last: 1 }, context),
      code("PRUNE_CANDIDATE_INVALID"),
    );
    assert.throws(() => planPrune([one], { last: 1 }, { ...context, timeZone: "Moon" }), code("TIMEZONE_UNKNOWN"));
    assert.throws(() => planPrune([one], { last: 1 }, { ...context, nowMs: Number.NaN }), code("TIME_OUT_OF_RANGE"));
    assert.throws(() => planPrune([one], { last: -1 }, context), code("KEEP_OPTIONS_INVALID"));
    assert.throws(() => planPrune([one], { lats: 1 } as object, context), code("KEEP_OPTIONS_INVALID"));
  });
});
