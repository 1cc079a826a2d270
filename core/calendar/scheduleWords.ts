// A schedule as a sentence: "Monday to Friday at 02:30", "every 15 minutes", "on the last day of the month at 03:00 (UTC)".

import type { Schedule } from "./schedule.js";
import type { ScheduleFields } from "./scheduleFields.js";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];
const ORDINALS = ["first", "second", "third", "fourth"];
/** More times than these are told by their hours and minutes. */
const MAX_TIMES = 6;

type TimeFields = Pick<ScheduleFields, "hours" | "minutes" | "seconds">;

/** In English, without the time zone unless the schedule itself says UTC. */
export function describeSchedule(schedule: Schedule): string {
  const [days, times] = [daysOf(schedule), timesOf(schedule)];
  const text = times.startsWith("every") && days === "every day" ? times : `${days} ${times}`;
  return schedule.utc ? `${text} (UTC)` : text;
}

function timesOf({ hours, minutes, seconds }: TimeFields): string {
  const second = seconds.length === 1 ? seconds[0]! : null;
  if (second === null) return `${timesOf({ hours, minutes, seconds: [0] })}, ${ofMinute(seconds)}`;
  const suffix = second === 0 ? "" : `:${two(second)}`;
  if (hours.length === 24) return withinHour(minutes) + (second === 0 ? "" : ` and ${second} s`);
  if (hours.length * minutes.length <= MAX_TIMES) {
    const times = hours.flatMap((hour) => minutes.map((minute) => `${two(hour)}:${two(minute)}${suffix}`));
    return `at ${listed(times)}`;
  }
  const [first, last] = [hours[0]!, hours.at(-1)!];
  if (stepOf(hours) === 1 && (minutes.length === 1 || stepOf(minutes, 60) !== null)) {
    const ends = `from ${two(first)}:${two(minutes[0]!)} to ${two(last)}:${two(minutes.at(-1)!)}`;
    return `${minutes.length === 1 ? "every hour" : everyMinutes(minutes)} ${ends}`;
  }
  return `at ${counted("minute", minutes)} of ${counted("hour", hours)}`;
}

function ofMinute(seconds: readonly number[]): string {
  const step = stepOf(seconds, 60);
  return step === null
    ? `at ${counted("second", seconds)} of the minute`
    : `every ${step === 1 ? "" : `${step} `}second${step === 1 ? "" : "s"}`;
}

function withinHour(minutes: readonly number[]): string {
  if (minutes.length === 1) return minutes[0] === 0 ? "every hour" : `every hour at minute ${minutes[0]}`;
  if (stepOf(minutes, 60) === null) return `every hour at ${counted("minute", minutes)}`;
  return everyMinutes(minutes) + (minutes[0] === 0 ? "" : ` from minute ${minutes[0]} on`);
}

function everyMinutes(minutes: readonly number[]): string {
  const step = stepOf(minutes, 60)!;
  return step === 1 ? "every minute" : `every ${step} minutes`;
}

/** The distance of evenly spaced numbers; with `round`, only when they go round without a leap. */
function stepOf(list: readonly number[], round?: number): number | null {
  if (list.length < 2) return null;
  const step = list[1]! - list[0]!;
  if (list.some((value, i) => i > 0 && value - list[i - 1]! !== step)) return null;
  return round === undefined || step * list.length === round ? step : null;
}

function daysOf(fields: ScheduleFields): string {
  const { months, years } = fields;
  const isEveryMonth = months.length === 12;
  const named = runs(months).map((run) => run.map((month) => MONTHS[month - 1]!).join(" to "));
  const monthText = isEveryMonth ? "" : ` in ${listed(named)}`;
  const yearText =
    years === null ? "" : ` ${isEveryMonth ? "in" : "of"} ${listed(runs(years).map((run) => run.join(" to ")))}`;
  return `${chosenDays(fields, isEveryMonth ? " of the month" : "")}${monthText}${yearText}`;
}

function chosenDays({ days, daysFromEnd, weekdays, dayRule }: ScheduleFields, ofMonth: string): string {
  const fromEnd = daysFromEnd.map((day) => (day === 1 ? "the last day" : `day ${day} from the end`));
  const dayText = `${fromEnd.length > 0 ? listed(fromEnd) : counted("day", days)}${ofMonth}`;
  const weekdayText = listed(weekdayRuns(weekdays).map((run) => run.map((day) => WEEKDAYS[day]!).join(" to ")));
  if (dayRule === "either") return `on ${dayText} or on ${weekdayText}`;
  if (weekdays.length === 7) return days.length === 31 ? "every day" : `on ${dayText}`;
  if (days.length === 31) return weekdayText;
  const isWeek = days.length === 7 && stepOf(days) === 1 && days[0]! % 7 === 1 && weekdays.length === 1;
  const ordinal = isWeek ? ORDINALS[(days[0]! - 1) / 7] : undefined;
  return ordinal === undefined ? `on ${weekdayText} that is ${dayText}` : `on the ${ordinal} ${weekdayText}${ofMonth}`;
}

/** From Monday on, as weeks are read; a run may go over Sunday. */
function weekdayRuns(weekdays: readonly number[]): (readonly number[])[] {
  const fromMonday = runs(weekdays.map((day) => (day + 6) % 7).sort((a, b) => a - b));
  const [first, last] = [fromMonday[0], fromMonday.at(-1)];
  const joined =
    fromMonday.length > 1 && first![0] === 0 && last!.at(-1) === 6
      ? [...fromMonday.slice(1, -1), [last![0]!, first!.at(-1)!]]
      : fromMonday;
  return joined.map((run) => run.map((day) => (day + 1) % 7));
}

/** Neighbours together: [first, last], or one alone. */
function runs(list: readonly number[]): number[][] {
  const found: number[][] = [];
  for (const value of list) {
    const last = found.at(-1);
    if (last !== undefined && last.at(-1) === value - 1) found[found.length - 1] = [last[0]!, value];
    else found.push([value]);
  }
  return found;
}

function counted(name: string, list: readonly number[]): string {
  const texts = runs(list).map((run) => run.join(" to "));
  return `${name}${list.length === 1 ? "" : "s"} ${listed(texts)}`;
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? (texts[0] ?? "") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
