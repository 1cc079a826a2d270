// Spans of time as people write them ("30d", "1y6m", "90min"): parsed, printed, and taken away from an instant. Years
// and months have no fixed length, so a duration stays a list of units and becomes an instant only against a calendar.

import { RepriseError } from "../errors.js";
import type { TimeZone } from "./localTime.js";
import { daysInMonth, zoneInstant } from "./localTime.js";

/** Whole numbers, 0 or more. Everything below a month has a fixed length: a day is 24 hours, a week is 7 days. */
export interface Duration {
  years: number;
  months: number;
  weeks: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
}

type Unit = keyof Duration;

const UNITS: readonly { unit: Unit; symbol: string; lengthMs: number }[] = [
  { unit: "years", symbol: "y", lengthMs: 366 * 86_400_000 },
  { unit: "months", symbol: "m", lengthMs: 31 * 86_400_000 },
  { unit: "weeks", symbol: "w", lengthMs: 7 * 86_400_000 },
  { unit: "days", symbol: "d", lengthMs: 86_400_000 },
  { unit: "hours", symbol: "h", lengthMs: 3_600_000 },
  { unit: "minutes", symbol: "min", lengthMs: 60_000 },
  { unit: "seconds", symbol: "s", lengthMs: 1000 },
];

const ZERO: Duration = { years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0 };
const MAX_TEXT_CHARS = 100;
/** 10,000 years: longer than any retention, short enough for the calendar. */
const MAX_DURATION_MS = 10_000 * 366 * 86_400_000;

/**
 * Reads numbers with units: y (years), m (months), w, d, h, min, s; each unit at most once, in any order, blanks allowed
 * between parts. Throws DURATION_INVALID.
 */
export function parseDuration(text: string): Duration {
  if (typeof text !== "string" || text.length > MAX_TEXT_CHARS) throw invalidDuration(text, "it is not a short text");
  const duration = { ...ZERO };
  const seen = new Set<Unit>();
  let rest = text.trim();
  if (rest === "") throw invalidDuration(text, "it is empty");
  while (rest !== "") {
    const part = /^(\d{1,15})(min|[ymwdhs])(?![a-z])\s*/.exec(rest);
    if (part === null) throw invalidDuration(text, `"${rest}" does not start with a whole number and a unit`);
    const { unit } = UNITS.find(({ symbol }) => symbol === part[2])!;
    if (seen.has(unit)) throw invalidDuration(text, `${unit} are given twice`);
    seen.add(unit);
    duration[unit] = Number(part[1]);
    rest = rest.slice(part[0].length);
  }
  if (isTooLong(duration)) throw invalidDuration(text, "it is longer than 10,000 years");
  return duration;
}

/** The shortest text that parseDuration reads back to the same units; "0s" for no time at all. */
export function formatDuration(duration: Duration): string {
  const parts = UNITS.filter(({ unit }) => duration[unit] > 0).map(({ unit, symbol }) => `${duration[unit]}${symbol}`);
  return parts.length === 0 ? "0s" : parts.join("");
}

export function isZeroDuration(duration: Duration): boolean {
  return UNITS.every(({ unit }) => duration[unit] === 0);
}

/** Checks a duration that came from outside: a text, or an object with the units. Throws DURATION_INVALID. */
export function checkDuration(value: unknown): Duration {
  if (typeof value === "string") return parseDuration(value);
  if (typeof value !== "object" || value === null) throw invalidDuration(value, "it is not a text with units");
  const duration = { ...ZERO };
  for (const { unit } of UNITS) {
    const count = (value as Partial<Record<Unit, unknown>>)[unit] ?? 0;
    if (!Number.isSafeInteger(count) || (count as number) < 0) {
      throw invalidDuration("object", `its ${unit} are not a whole number, 0 or more`);
    }
    duration[unit] = count as number;
  }
  if (isTooLong(duration)) throw invalidDuration(formatDuration(duration), "it is longer than 10,000 years");
  return duration;
}

/**
 * The instant a duration earlier. Years and months go back on the zone's calendar, keeping the time of day; a day that
 * the earlier month lacks becomes its last day (31 March − 1m = 28 or 29 February). Then the rest, which has a fixed
 * length, is taken away. Throws TIME_OUT_OF_RANGE.
 */
export function subtractDuration(timeMs: number, duration: Duration, zone: TimeZone): number {
  const monthsBack = duration.years * 12 + duration.months;
  const fixedMs = UNITS.reduce(
    (sum, { unit, lengthMs }) => (unit === "years" || unit === "months" ? sum : sum + duration[unit] * lengthMs),
    0,
  );
  return (monthsBack === 0 ? timeMs : subtractMonths(timeMs, monthsBack, zone)) - fixedMs;
}

function subtractMonths(timeMs: number, monthsBack: number, zone: TimeZone): number {
  const local = zone.localTime(timeMs);
  const monthCount = local.year * 12 + (local.month - 1) - monthsBack;
  const year = Math.floor(monthCount / 12);
  const month = monthCount - year * 12 + 1;
  const day = Math.min(local.day, daysInMonth(year, month));
  const withinSecondMs = timeMs - Math.floor(timeMs / 1000) * 1000;
  return zoneInstant(zone, { ...local, year, month, day }) + withinSecondMs;
}

function isTooLong(duration: Duration): boolean {
  return UNITS.reduce((sum, { unit, lengthMs }) => sum + duration[unit] * lengthMs, 0) > MAX_DURATION_MS;
}

function invalidDuration(given: unknown, why: string): RepriseError {
  const shown = String(given).slice(0, MAX_TEXT_CHARS);
  return new RepriseError("usage", "DURATION_INVALID", `"${shown}" is not a duration: ${why}`, {
    data: { given: shown },
    hint: "write numbers with units: y years, m months, w weeks, d days, h hours, min minutes, s seconds; for example 30d, 1y6m, 90min",
  });
}
