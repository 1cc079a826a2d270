// Wall-clock time in a named IANA time zone: the fields a snapshot's buckets are made of, and the way back to an instant.
// Not a calendar of events. Time zone data comes from Intl; everything else is arithmetic on the proleptic Gregorian
// calendar, so that years before 1000 and after 9999, which Intl prints in awkward forms, give the right fields too.

import { RepriseError } from "../errors.js";

export interface LocalTime {
  /** Astronomical: 0 is 1 BC, negative before that. */
  year: number;
  /** 1–12. */
  month: number;
  /** 1–31. */
  day: number;
  /** 0–23. Both passes of a repeated daylight-saving hour give the same fields. */
  hour: number;
  minute: number;
  second: number;
}

export interface IsoWeek {
  /** The year the week belongs to; differs from the calendar year around new year. */
  year: number;
  /** 1–53. */
  week: number;
}

export interface TimeZone {
  /** As the caller wrote it. */
  readonly name: string;
  /** Fields of an instant in this zone; milliseconds are dropped. Throws TIME_OUT_OF_RANGE. */
  localTime(timeMs: number): LocalTime;
}

/** Instants from −MAX_TIME_MS to MAX_TIME_MS are understood: about ±270,000 years, just inside what Date can hold. */
export const MAX_TIME_MS = 8.6e15;

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** The Gregorian calendar, weekdays included, repeats after 400 years = 146,097 days = 20,871 weeks. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * DAY_MS;
/** Between these Intl prints a plain four-digit year in every zone. */
const PLAIN_FROM_MS = Date.UTC(1000, 0, 3);
const PLAIN_TO_MS = Date.UTC(9999, 11, 29);

const MAX_ZONE_NAME_CHARS = 64;
const MAX_OPEN_ZONES = 32;
const openZones = new Map<string, TimeZone>();

/**
 * The zone with an IANA name such as "Europe/Berlin" or "UTC"; offsets such as "+02:00" work as well. Never the
 * system's zone by accident: an empty name is refused. Throws TIMEZONE_UNKNOWN.
 */
export function openTimeZone(name: string): TimeZone {
  const known = openZones.get(name);
  if (known !== undefined) return known;
  const format = createFormat(name);
  const zone: TimeZone = { name, localTime: (timeMs) => readLocalTime(format, timeMs) };
  if (openZones.size >= MAX_OPEN_ZONES) openZones.clear();
  openZones.set(name, zone);
  return zone;
}

function createFormat(name: string): Intl.DateTimeFormat {
  if (typeof name !== "string" || name === "" || name.length > MAX_ZONE_NAME_CHARS) throw unknownZone(name);
  try {
    return new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  } catch (cause) {
    throw unknownZone(name, cause);
  }
}

function unknownZone(name: unknown, cause?: unknown): RepriseError {
  const shown = String(name).slice(0, MAX_ZONE_NAME_CHARS);
  return new RepriseError("usage", "TIMEZONE_UNKNOWN", `time zone "${shown}" is not known`, {
    data: { timeZone: shown },
    hint: 'use an IANA name such as "Europe/Berlin", "America/New_York" or "UTC"',
    cause,
  });
}

function readLocalTime(format: Intl.DateTimeFormat, timeMs: number): LocalTime {
  if (!(Math.abs(timeMs) <= MAX_TIME_MS)) {
    throw new RepriseError("usage", "TIME_OUT_OF_RANGE", `the time ${timeMs} ms lies outside the calendar`, {
      data: { timeMs, maxTimeMs: MAX_TIME_MS },
    });
  }
  const cycles = cyclesOutside(timeMs);
  const [month, day, year, hour, minute, second] = readNumbers(format.format(timeMs - cycles * CYCLE_MS));
  if (second === undefined) throw new RepriseError("invariant", "TIME_FORMAT_UNEXPECTED", "Intl printed no full time");
  return { year: year! + cycles * CYCLE_YEARS, month: month!, day: day!, hour: hour!, minute: minute!, second };
}

/** How many 400-year cycles lie between a time and the range that Intl prints plainly; 0 inside it. */
function cyclesOutside(timeMs: number): number {
  if (timeMs < PLAIN_FROM_MS) return -Math.ceil((PLAIN_FROM_MS - timeMs) / CYCLE_MS);
  if (timeMs > PLAIN_TO_MS) return Math.ceil((timeMs - PLAIN_TO_MS) / CYCLE_MS);
  return 0;
}

/** The numbers in a text such as "11/21/2026, 23:05:06". (formatToParts is about five times slower, measured.) */
function readNumbers(text: string): number[] {
  const numbers: number[] = [];
  let current = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      current = (current < 0 ? 0 : current * 10) + digit;
    } else if (current >= 0) {
      numbers.push(current);
      current = -1;
    }
  }
  if (current >= 0) numbers.push(current);
  return numbers;
}

/** The instant at which a clock that shows UTC shows these fields. Fields outside their range carry over, as in Date. */
export function utcInstant(local: LocalTime): number {
  const cycles = Math.floor((local.year - 2000) / CYCLE_YEARS);
  const year = local.year - cycles * CYCLE_YEARS;
  const inCycle = Date.UTC(year, local.month - 1, local.day, local.hour, local.minute, local.second);
  return inCycle + cycles * CYCLE_MS;
}

/**
 * The instant at which a clock in the zone shows these fields. Of a repeated hour the first pass; a time that the clock
 * skips counts as if it had not been put forward yet or already, whichever is earlier.
 */
export function zoneInstant(zone: TimeZone, local: LocalTime): number {
  const asUtc = utcInstant(local);
  const candidates = [asUtc - DAY_MS, asUtc + DAY_MS]
    .map((nearby) => asUtc - offsetMs(zone, nearby))
    .sort((a, b) => a - b);
  const exact = candidates.find((candidate) => candidate + offsetMs(zone, candidate) === asUtc);
  return exact ?? candidates[0]!;
}

/** What to add to an instant to get the zone's wall clock, in milliseconds. */
function offsetMs(zone: TimeZone, timeMs: number): number {
  return utcInstant(zone.localTime(timeMs)) - Math.floor(timeMs / SECOND_MS) * SECOND_MS;
}

/** Days in a month, 1–12, of the proleptic Gregorian calendar. */
export function daysInMonth(year: number, month: number): number {
  const firstOfNext = utcInstant({ year, month: month + 1, day: 1, hour: 0, minute: 0, second: 0 });
  return new Date(firstOfNext - DAY_MS).getUTCDate();
}

/** ISO 8601 week: Monday to Sunday, numbered within the year that holds its Thursday. */
export function isoWeek(local: LocalTime): IsoWeek {
  const dayMs = utcInstant({ ...local, hour: 0, minute: 0, second: 0 });
  const isoWeekday = new Date(dayMs).getUTCDay() || 7;
  const thursdayMs = dayMs + (4 - isoWeekday) * DAY_MS;
  const year = new Date(thursdayMs).getUTCFullYear();
  const newYearMs = utcInstant({ year, month: 1, day: 1, hour: 0, minute: 0, second: 0 });
  return { year, week: Math.floor((thursdayMs - newYearMs) / WEEK_MS) + 1 };
}
