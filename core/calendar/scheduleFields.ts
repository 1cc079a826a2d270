// The pieces that cron lines and calendar events share: lists of numbers with ranges and steps, and the fields they end up in. Not
// their grammars: cron.ts, calendarEvent.ts.

import { RepriseError } from "../errors.js";

/** Local times that a schedule names. Lists ascend, without repeats, and none is empty unless it says so. */
export interface ScheduleFields {
  /** Null: every year. */
  years: readonly number[] | null;
  /** 1–12. */
  months: readonly number[];
  /** 1–31; may be empty when daysFromEnd is not. */
  days: readonly number[];
  /** 1: the last day of a month. May be empty. */
  daysFromEnd: readonly number[];
  /** 0–6, from Sunday on. */
  weekdays: readonly number[];
  /** Whether a day must be in both lists, of days and of weekdays, or in either (cron, when both are restricted). */
  dayRule: "both" | "either";
  /** 0–23. */
  hours: readonly number[];
  minutes: readonly number[];
  seconds: readonly number[];
  /** Read in UTC, whatever the time zone. */
  utc: boolean;
}

export interface ListRule {
  /** For messages. */
  name: string;
  min: number;
  max: number;
  /** Between the ends of a range. */
  range: ".." | "-";
  /** Words for numbers, lower case. */
  names?: ReadonlyMap<string, number>;
  /** Whether a range may go over the end, as in fri..mon. */
  wraps?: boolean;
}

/** Years that schedules may name; as in Proxmox Backup Server. */
export const SCHEDULE_YEARS = { min: 1970, max: 2199 };
const MAX_TEXT_CHARS = 200;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

export const WEEKDAY_NUMBERS: ReadonlyMap<string, number> = new Map(
  WEEKDAYS.flatMap((name, i): [string, number][] => [
    [name, i],
    [name.slice(0, 3), i],
  ]),
);
export const MONTH_NUMBERS: ReadonlyMap<string, number> = new Map(MONTHS.map((name, i) => [name, i + 1]));

/** `*`, `5`, `1..5`, `0/15`, `8..18/2`, and several of them with commas. SCHEDULE_INVALID. */
export function parseList(list: string, rule: ListRule, text: string): number[] {
  const found = new Set<number>();
  for (const item of list.split(",")) for (const value of itemValues(item, rule, text)) found.add(value);
  return [...found].sort((a, b) => a - b);
}

function itemValues(item: string, rule: ListRule, text: string): number[] {
  const [span = "", stepText, ...more] = item.split("/");
  if (span === "" || more.length > 0) throw invalidSchedule(text, `"${item}" is no ${rule.name}`);
  const step = stepText === undefined ? 1 : stepOf(stepText, rule, text);
  const ends = span === "*" ? [] : span.split(rule.range);
  if (ends.length > 2) throw invalidSchedule(text, `"${item}" is no ${rule.name}`);
  const first = span === "*" ? rule.min : numberOf(ends[0]!, rule, text);
  const isOpen = span === "*" || (ends.length === 1 && stepText !== undefined);
  const last = isOpen ? rule.max : numberOf(ends.at(-1)!, rule, text);
  return between(first, last, step, { item, rule, text });
}

function between(
  first: number,
  last: number,
  step: number,
  { item, rule, text }: { item: string; rule: ListRule; text: string },
): number[] {
  const size = rule.max - rule.min + 1;
  if (first > last && !rule.wraps) throw invalidSchedule(text, `the range ${item} goes backwards`);
  const length = (first > last ? last + size - first : last - first) + 1;
  const values: number[] = [];
  for (let i = 0; i < length; i += step) values.push(((first - rule.min + i) % size) + rule.min);
  return values;
}

function stepOf(digits: string, rule: ListRule, text: string): number {
  const step = /^\d{1,4}$/.test(digits) ? Number(digits) : 0;
  if (step === 0) throw invalidSchedule(text, `the step "/${digits}" is no whole number from 1`);
  const size = rule.max - rule.min + 1;
  if (step <= size) return step;
  throw invalidSchedule(text, `the step /${step} is longer than a ${rule.name} counts (${size})`);
}

function numberOf(word: string, { name, min, max, names }: ListRule, text: string): number {
  const named = names?.get(word.toLowerCase());
  if (named !== undefined) return named;
  if (!/^\d{1,4}$/.test(word)) throw invalidSchedule(text, `"${word}" is no ${name}`);
  const value = Number(word);
  if (value >= min && value <= max) return value;
  throw invalidSchedule(text, `the ${name} ${word} is out of range: ${min} to ${max}`);
}

/** SCHEDULE_INVALID for days that none of the months has, such as 30 February. */
export function checkDaysExist({ months, days, daysFromEnd, dayRule }: ScheduleFields, text: string): void {
  const longest = Math.max(...months.map((month) => DAYS_IN_MONTH[month - 1]!));
  const earliest = Math.min(...days, ...daysFromEnd);
  if (dayRule === "both" && earliest > longest) throw invalidSchedule(text, "no month that it names has such a day");
}

/** All of min to max. */
export function all(min: number, max: number): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

export function invalidSchedule(text: unknown, why: string): RepriseError {
  const shown = String(text).slice(0, MAX_TEXT_CHARS);
  return new RepriseError("usage", "SCHEDULE_INVALID", `"${shown}" is no schedule: ${why}`, {
    data: { given: shown },
    hint: "write a cron line such as 30 2 * * 1-5, or a calendar event such as mon..fri 02:30, daily, *:0/15; docs/configuration.md has both forms",
  });
}
