// The nearest time that a schedule names, on a clock that never changes. A wall time is counted in seconds, as if the clock showed UTC.
// Not in a time zone: zoneClock.ts.

import { daysInMonth } from "./localTime.js";
import type { ScheduleFields } from "./scheduleFields.js";

/** 29 February on a given weekday comes every 28 years, every 40 around 2100. Days like that are not looked for any further. */
const MAX_YEARS_AWAY = 60;
const DAY_S = 86_400;

type Direction = 1 | -1;

/** The first wall time after (1) or before (-1) another one; null: none within 60 years, or within the years that it names. */
export function neighbouringWallTime(fields: ScheduleFields, wallS: number, direction: Direction): number | null {
  const fromS = wallS + direction;
  const from = new Date(Math.floor(fromS / DAY_S) * DAY_S * 1000);
  const today = { year: from.getUTCFullYear(), month: from.getUTCMonth() + 1, day: from.getUTCDate() };
  if (dayMatches(fields, today.year, today.month, today.day)) {
    const time = timeOfDay(fields, direction, fromS - from.getTime() / 1000);
    if (time !== null) return from.getTime() / 1000 + time;
  }
  const day = neighbouringDay(fields, today, direction);
  return day === null ? null : day + timeOfDay(fields, direction, null)!;
}

interface Day {
  year: number;
  month: number;
  day: number;
}

/** Its midnight. */
function neighbouringDay(fields: ScheduleFields, from: Day, direction: Direction): number | null {
  for (let year = from.year; Math.abs(year - from.year) <= MAX_YEARS_AWAY; year += direction) {
    if (fields.years !== null && !fields.years.includes(year)) continue;
    for (const month of inOrder(fields.months, direction)) {
      const isSameMonth = year === from.year && month === from.month;
      if (year === from.year && (month - from.month) * direction < 0) continue;
      const length = daysInMonth(year, month);
      for (let i = 1; i <= length; i++) {
        const day = direction === 1 ? i : length + 1 - i;
        if (isSameMonth && (day - from.day) * direction <= 0) continue;
        if (dayMatches(fields, year, month, day)) return Date.UTC(year, month - 1, day) / 1000;
      }
    }
  }
  return skipToNamedYears(fields, from, direction);
}

/** Years that are named one by one may be farther away. */
function skipToNamedYears(fields: ScheduleFields, from: Day, direction: Direction): number | null {
  const far = inOrder(fields.years ?? [], direction).find((year) => (year - from.year) * direction > MAX_YEARS_AWAY);
  if (far === undefined) return null;
  return neighbouringDay(
    fields,
    direction === 1 ? { year: far, month: 0, day: 0 } : { year: far, month: 13, day: 0 },
    direction,
  );
}

function dayMatches(fields: ScheduleFields, year: number, month: number, day: number): boolean {
  if (fields.years !== null && !fields.years.includes(year)) return false;
  if (!fields.months.includes(month)) return false;
  const isDay = fields.days.includes(day) || fields.daysFromEnd.includes(daysInMonth(year, month) + 1 - day);
  const isWeekday = fields.weekdays.includes(new Date(Date.UTC(year, month - 1, day)).getUTCDay());
  return fields.dayRule === "both" ? isDay && isWeekday : isDay || isWeekday;
}

/** Seconds from midnight: the first one at or beyond a limit, in the direction; null: none left on that day. */
function timeOfDay(fields: ScheduleFields, direction: Direction, limitS: number | null): number | null {
  const isBehind = (firstS: number, lastS: number) =>
    limitS !== null && (direction === 1 ? lastS < limitS : firstS > limitS);
  for (const hour of inOrder(fields.hours, direction)) {
    if (isBehind(hour * 3600, hour * 3600 + 3599)) continue;
    for (const minute of inOrder(fields.minutes, direction)) {
      const minuteS = hour * 3600 + minute * 60;
      if (isBehind(minuteS, minuteS + 59)) continue;
      for (const second of inOrder(fields.seconds, direction)) {
        if (!isBehind(minuteS + second, minuteS + second)) return minuteS + second;
      }
    }
  }
  return null;
}

function inOrder(list: readonly number[], direction: Direction): readonly number[] {
  return direction === 1 ? list : list.toReversed();
}
