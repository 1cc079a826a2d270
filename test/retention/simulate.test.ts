import assert from "node:assert/strict";
import { parseIsoInstant } from "../../core/calendar/isoInstant.js";
import { isOurError } from "../../core/errors.js";
import { MAX_SIMULATED_SNAPSHOTS, simulatePrune } from "../../core/retention/simulate.js";

const CONTEXT = { timeZone: "UTC", nowMs: Date.parse("2026-11-21T12:00:00Z") };

function refuses(input: unknown, message: RegExp): void {
  assert.throws(
    () => simulatePrune(input, { last: 1 }, CONTEXT),
    (error) => isOurError(error, "SIMULATION_INVALID") && error.family === "usage" && message.test(error.message),
  );
}

describe("retention: simulation", () => {
  it("answers in the order of the input, with each time as it was given", () => {
    const input = [
      { time: "2026-11-18T02:00:00Z" },
      { time: 1795226400, protected: true },
      { time: "2026-11-20T03:00:00+01:00", id: "ignored" },
      { time: "2026-11-19T02:00:00Z", finished: false },
    ];
    const result = simulatePrune(input, { daily: 1 }, CONTEXT);
    assert.deepEqual(
      result.map(({ time, mark }) => [time, mark]),
      [
        ["2026-11-18T02:00:00Z", "remove"],
        [1795226400, "protected"],
        ["2026-11-20T03:00:00+01:00", "keep"],
        ["2026-11-19T02:00:00Z", "remove"],
      ],
    );
    assert.deepEqual(Object.keys(result[0]!), ["time", "mark", "reasons"]);
    assert.deepEqual(result[2]!.reasons, ["keep-daily 1 of 1: newest of 2026-11-20"]);
  });

  it("accepts an empty list", () => {
    assert.deepEqual(simulatePrune([], { last: 1 }, CONTEXT), []);
  });

  it("names the element that is wrong", () => {
    const good = { time: "2026-11-18T02:00:00Z" };
    refuses([good, { time: "yesterday" }], /element 1: "yesterday"/);
    refuses([good, good, {}], /element 2: "time" is missing/);
    refuses([null], /element 0 is not an object/);
    refuses([["2026-11-18T02:00:00Z"]], /element 0 is not an object/);
    refuses([{ ...good, protected: "no" }], /element 0: "protected"/);
    refuses([{ ...good, finished: 1 }], /element 0: "finished"/);
    refuses([{ time: 1795226400000 }], /element 0: .*Unix seconds/);
    refuses([{ time: Number.NaN }], /element 0/);
    refuses({ snapshots: [] }, /not a JSON array/);
    refuses("[]", /not a JSON array/);
    refuses(new Array(MAX_SIMULATED_SNAPSHOTS + 1), /more than 1000000/);
  });

  it("does not repeat an endless text in its message", () => {
    assert.throws(
      () => simulatePrune([{ time: "x".repeat(1_000_000) }], {}, CONTEXT),
      (error) => isOurError(error) && error.message.length < 200,
    );
  });

  it("of equal times takes the later element as the newer one", () => {
    const same = { time: "2026-11-18T02:00:00Z" };
    const marks = simulatePrune([same, same, same], { daily: 1 }, CONTEXT).map(({ mark }) => mark);
    assert.deepEqual(marks, ["remove", "remove", "keep"]);
  });

  it("plans ahead when now is moved ahead", () => {
    const input = [{ time: "2030-01-01T00:00:00Z" }, { time: "2030-01-02T00:00:00Z" }];
    const marks = (nowMs: number) => simulatePrune(input, { last: 1 }, { ...CONTEXT, nowMs }).map(({ mark }) => mark);
    assert.deepEqual(marks(CONTEXT.nowMs), ["keep", "keep"]);
    assert.deepEqual(marks(Date.parse("2031-01-01T00:00:00Z")), ["remove", "keep"]);
  });

  it("works through 200,000 snapshots within seconds", function () {
    this.timeout(20_000);
    const input = Array.from({ length: 200_000 }, (_, i) => ({ time: 1_700_000_000 - i * 900 }));
    const keep = { last: 10, hourly: 1000, daily: 1000, weekly: 1000, monthly: 1000, yearly: 1000 };
    const startedMs = performance.now();
    const result = simulatePrune(input, keep, { ...CONTEXT, timeZone: "Europe/Berlin" });
    assert.equal(result.length, 200_000);
    assert.ok(performance.now() - startedMs < 90_000);
  });
});

describe("retention: ISO 8601 instants", () => {
  const iso = (text: string) => {
    const ms = parseIsoInstant(text);
    return ms === undefined ? undefined : new Date(ms).toISOString();
  };

  it("are read with a zone or an offset", () => {
    assert.equal(iso("2026-11-20T02:00:00Z"), "2026-11-20T02:00:00.000Z");
    assert.equal(iso("2026-11-20t02:00:00z"), "2026-11-20T02:00:00.000Z");
    assert.equal(iso("2026-11-20 02:00Z"), "2026-11-20T02:00:00.000Z");
    assert.equal(iso("2026-11-20T02:00:00.123456789+05:30"), "2026-11-19T20:30:00.123Z");
    assert.equal(iso("2026-11-20T22:00:00-0330"), "2026-11-21T01:30:00.000Z");
    assert.equal(iso("2026-11-20T22:00:00+01"), "2026-11-20T21:00:00.000Z");
    assert.equal(iso("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
    assert.equal(iso("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00.000Z");
    assert.equal(iso("0050-06-01T00:00:00Z"), "0050-06-01T00:00:00.000Z");
    assert.equal(iso("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59.500Z");
  });

  it("are refused without a zone, with a day that does not exist, and in other forms", () => {
    const bad = [
      "2026-11-20T02:00:00",
      "2026-11-20",
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "20261120T020000Z",
    ];
    const worse = ["2026-11-20T24:00:00Z", "2026-11-20T02:60:00Z", "2026-11-20T02:00:60Z", "2026-11-20T02:00:00+24:00"];
    for (const text of [
      ...bad,
      ...worse,
      "",
      " 2026-11-20T02:00:00Z",
      "2026-11-20T02:00:00Z\n",
      "2026-00-01T00:00:00Z",
    ]) {
      assert.equal(iso(text), undefined, text);
    }
  });
});
