// Cron lines as crontab(5) of Vixie cron reads them: minute, hour, day of month, month, day of week; names, lists, ranges, steps, and
// the words with @. A day counts when both day fields name it, or, when neither starts with *, when either does.

import {
  all,
  checkDaysExist,
  invalidSchedule,
  MONTH_NUMBERS,
  parseList,
  type ScheduleFields,
  WEEKDAY_NUMBERS,
} from "./scheduleFields.js";

const WORDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Whether a text is meant as a cron line: five fields, or a word with @. No calendar event has either. */
export function looksLikeCron(text: string): boolean {
  return text.startsWith("@") || text.split(/\s+/).length === 5;
}

/** SCHEDULE_INVALID. */
export function parseCron(text: string): ScheduleFields {
  const line = text.startsWith("@") ? WORDS[text.toLowerCase()] : text;
  if (line === undefined) {
    const why = text.toLowerCase() === "@reboot" ? "it says nothing about time" : "there is no such word";
    throw invalidSchedule(text, `${why}; there are ${Object.keys(WORDS).join(", ")}`);
  }
  const [minute, hour, day, month, weekday] = line.split(/\s+/) as [string, string, string, string, string];
  const isEither = !day.startsWith("*") && !weekday.startsWith("*");
  const list = (given: string, name: string, min: number, max: number) =>
    parseList(given, { name, min, max, range: "-" }, text);
  const fields: ScheduleFields = {
    years: null,
    months: parseList(month, { name: "month", min: 1, max: 12, range: "-", names: MONTH_NUMBERS }, text),
    days: list(day, "day", 1, 31),
    daysFromEnd: [],
    weekdays: cronWeekdays(weekday, text),
    dayRule: isEither ? "either" : "both",
    hours: list(hour, "hour", 0, 23),
    minutes: list(minute, "minute", 0, 59),
    seconds: [0],
    utc: false,
  };
  checkDaysExist(fields, text);
  return fields;
}

/** Sunday is 0 and 7; a range may go over the end of the week. */
function cronWeekdays(list: string, text: string): number[] {
  const weekdays = new Set<number>();
  for (const item of list.split(",")) {
    // within a range, 7 is the day after Saturday
    const max = /(^|-)7($|\/)/.test(item) ? 7 : 6;
    const rule = { name: "weekday", min: 0, max, range: "-" as const, names: WEEKDAY_NUMBERS, wraps: max === 6 };
    for (const day of parseList(item, rule, text)) weekdays.add(day % 7);
  }
  return all(0, 6).filter((day) => weekdays.has(day));
}
