// The same schedules once more, without any cleverness: every minute of a stretch of time is looked at. Own parsing, from the text.

import type { LocalTime } from "../../core/calendar/localTime.js";

interface Minute {
  timeMs: number;
  local: LocalTime;
}

/** Cron lines, and events of the form `[WEEKDAYS ][MONTHS-DAYS ]HOURS:MINUTES`. */
export function instantsByMinute(text: string, shown: readonly Minute[]): number[] {
  const { matches, everyHour } = predicate(text);
  const found: number[] = [];
  let highest = Number.NEGATIVE_INFINITY;
  for (const { timeMs, local } of shown) {
    const wall = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute);
    if (everyHour) {
      if (matches(wall)) found.push(timeMs);
    } else if (highest !== Number.NEGATIVE_INFINITY && wall > highest) {
      let isDue = false;
      for (let minute = highest + 60_000; minute <= wall; minute += 60_000) isDue ||= matches(minute);
      if (isDue) found.push(timeMs);
    }
    highest = Math.max(highest, wall);
  }
  return found;
}

function predicate(text: string): { matches: (wall: number) => boolean; everyHour: boolean } {
  const parts = text.split(" ");
  if (parts.length === 5) {
    const [minutes, hours, days, months, weekdays] = parts as [string, string, string, string, string];
    const either = !days.startsWith("*") && !weekdays.startsWith("*");
    return predicateOf({
      minutes,
      hours,
      days,
      months,
      either,
      range: "-",
      isWeekday: (day) => within(day, weekdays, 0, "-"),
    });
  }
  const names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
  const weekdays = /^[a-z]/.test(text) ? parts.shift()! : "sun..sat";
  const [months, days] = parts.length === 2 ? parts.shift()!.split("-") : ["*", "*"];
  const [hours, minutes] = parts[0]!.split(":");
  const isWeekday = (day: number) =>
    weekdays.split(",").some((item) => {
      const [first, last = first] = item.split("..");
      for (let i = names.indexOf(first!); ; i = (i + 1) % 7) {
        if (i === day) return true;
        if (names[i] === last) return false;
      }
    });
  return predicateOf({
    minutes: minutes!,
    hours: hours!,
    days: days!,
    months: months!,
    either: false,
    range: "..",
    isWeekday,
  });
}

interface Given {
  minutes: string;
  hours: string;
  days: string;
  months: string;
  either: boolean;
  range: string;
  isWeekday: (day: number) => boolean;
}

function predicateOf({ minutes, hours, days, months, either, range, isWeekday }: Given) {
  const matches = (wall: number) => {
    const time = new Date(wall);
    if (!within(time.getUTCMinutes(), minutes, 0, range) || !within(time.getUTCHours(), hours, 0, range)) return false;
    if (!within(time.getUTCMonth() + 1, months, 1, range)) return false;
    const [isDay, isDayOfWeek] = [within(time.getUTCDate(), days, 1, range), isWeekday(time.getUTCDay())];
    return either ? isDay || isDayOfWeek : isDay && isDayOfWeek;
  };
  const everyHour = Array.from({ length: 24 }, (_, hour) => hour).every((hour) => within(hour, hours, 0, range));
  return { matches, everyHour };
}

function within(value: number, list: string, min: number, range: string): boolean {
  return list.split(",").some((item) => {
    const [span, step] = item.split("/");
    if (span === "*") return (value - min) % Number(step ?? 1) === 0;
    const [first, last] = span!.split(range).map(Number) as [number, number | undefined];
    const end = last ?? (step === undefined ? first : Number.POSITIVE_INFINITY);
    return value >= first && value <= end && (value - first) % Number(step ?? 1) === 0;
  });
}
