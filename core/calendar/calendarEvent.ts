// Calendar events as Proxmox Backup Server reads them, a part of systemd.time(7): [weekdays] [date] [time] [UTC], or one word. Two
// things more: ~ counts days from the end of a month, as in systemd (*-*~1 is the last day), and letters may be large or small.

import {
  all,
  checkDaysExist,
  invalidSchedule,
  parseList,
  SCHEDULE_YEARS,
  type ScheduleFields,
  WEEKDAY_NUMBERS,
} from "./scheduleFields.js";

const WORDS: Readonly<Record<string, string>> = {
  minutely: "*:*:0",
  hourly: "*:0:0",
  daily: "0:0",
  weekly: "mon 0:0",
  monthly: "*-1 0:0",
  quarterly: "1,4,7,10-1 0:0",
  semiannually: "1,7-1 0:0",
  "semi-annually": "1,7-1 0:0",
  yearly: "1-1 0:0",
  annually: "1-1 0:0",
};

const MIDNIGHT = { hours: [0], minutes: [0], seconds: [0] };
const EVERY_DAY = { years: null, months: all(1, 12), days: all(1, 31), daysFromEnd: [] };

/** SCHEDULE_INVALID. */
export function parseCalendarEvent(text: string): ScheduleFields {
  const given = text.split(/\s+/);
  const utc = given.length > 1 && given.at(-1)!.toUpperCase() === "UTC";
  if (utc) given.pop();
  const parts = given.length === 1 ? (WORDS[given[0]!.toLowerCase()]?.split(" ") ?? [...given]) : [...given];
  const weekdays = /^[a-z]/i.test(parts[0]!) ? parseWeekdays(parts.shift()!, text) : all(0, 6);
  const date = parts[0] !== undefined && /[-~]/.test(parts[0]) ? parseDate(parts.shift()!, text) : EVERY_DAY;
  const time = parts[0] === undefined ? MIDNIGHT : parseTime(parts.shift()!, text);
  if (parts.length > 0) throw invalidSchedule(text, tooMany(parts[0]!, given.length));
  const fields: ScheduleFields = { ...date, weekdays, dayRule: "both", ...time, utc };
  checkDaysExist(fields, text);
  return fields;
}

function tooMany(part: string, count: number): string {
  const event = `"${part}" is one part too many for weekdays, date and time`;
  return count > 3 ? `${event}; a cron line has five fields, here are ${count}` : event;
}

function parseWeekdays(list: string, text: string): number[] {
  if (WORDS[list.toLowerCase()] !== undefined)
    throw invalidSchedule(text, `"${list}" stands alone; give the time instead`);
  if (/^[a-z]+-[a-z]+$/i.test(list))
    throw invalidSchedule(text, `ranges of days are written ${list.replace("-", "..")}`);
  return parseList(list, { name: "weekday", min: 0, max: 6, range: "..", names: WEEKDAY_NUMBERS, wraps: true }, text);
}

type DateFields = Pick<ScheduleFields, "years" | "months" | "days" | "daysFromEnd">;

/** `[YEAR-]MONTH-DAY`, or with ~ before the day. */
function parseDate(date: string, text: string): DateFields {
  const match = /^(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)$/.exec(date);
  if (match === null) throw invalidSchedule(text, `"${date}" is no date; write month-day or year-month-day, * for any`);
  const [, years = "*", months, sign, days] = match;
  const dayList = parseList(days!, { name: "day", min: 1, max: 31, range: ".." }, text);
  return {
    years: years === "*" ? null : parseList(years, { name: "year", ...SCHEDULE_YEARS, range: ".." }, text),
    months: parseList(months!, { name: "month", min: 1, max: 12, range: ".." }, text),
    days: sign === "-" ? dayList : [],
    daysFromEnd: sign === "-" ? [] : dayList,
  };
}

/** `[HOURS:]MINUTES[:SECONDS]`: what stands alone are minutes. */
function parseTime(time: string, text: string): Pick<ScheduleFields, "hours" | "minutes" | "seconds"> {
  const lists = time.split(":");
  if (lists.length > 3) throw invalidSchedule(text, `"${time}" is no time; write hours:minutes`);
  const [hours, minutes, seconds] =
    lists.length === 1 ? ["*", lists[0]!, "0"] : [lists[0]!, lists[1]!, lists[2] ?? "0"];
  return {
    hours: parseList(hours, { name: "hour", min: 0, max: 23, range: ".." }, text),
    minutes: parseList(minutes, { name: "minute", min: 0, max: 59, range: ".." }, text),
    seconds: parseList(seconds, { name: "second", min: 0, max: 59, range: ".." }, text),
  };
}
