// When something is due: a cron line (`30 2 * * 1-5`) or a calendar event (`mon..fri 02:30`), read in a time zone. Pure.
// Where clocks change, a schedule for certain hours runs once for each time it names: in the first pass of a repeated hour, and
// right after a gap for all times inside it. A schedule for every hour follows the clock: twice in a repeated hour, never in a gap.

import { parseCalendarEvent } from "./calendarEvent.js";
import { looksLikeCron, parseCron } from "./cron.js";
import { openTimeZone } from "./localTime.js";
import { invalidSchedule, type ScheduleFields } from "./scheduleFields.js";
import { neighbouringWallTime } from "./wallTimes.js";
import { WINDOW_S, ZoneClock } from "./zoneClock.js";

/** As it was written, and the local times that it names. */
export interface Schedule extends ScheduleFields {
  text: string;
  form: "cron" | "event";
}

const MAX_TEXT_CHARS = 200;
/** Each one goes over a change of the clock or a stretch without runs. */
const MAX_LEAPS = 1000;

/** SCHEDULE_INVALID, with the reason in its message. */
export function parseSchedule(text: string): Schedule {
  if (typeof text !== "string" || text.length > MAX_TEXT_CHARS) throw invalidSchedule(text, "it is not a short text");
  const trimmed = text.trim();
  if (trimmed === "") throw invalidSchedule(text, "it is empty");
  return looksLikeCron(trimmed)
    ? { text: trimmed, form: "cron", ...parseCron(trimmed) }
    : { text: trimmed, form: "event", ...parseCalendarEvent(trimmed) };
}

/** The first run later than an instant; null: none within 60 years or the years that it names. TIMEZONE_UNKNOWN. */
export function nextRun(schedule: Schedule, afterMs: number, timeZone: string): number | null {
  const clock = clockFor(schedule, timeZone);
  const afterS = Math.floor(afterMs / 1000);
  if (isEveryHour(schedule)) return toMs(nextShown(schedule, clock, afterS));
  const wallS = neighbouringWallTime(schedule, clock.highestShown(afterS), 1);
  return wallS === null ? null : toMs(clock.firstShown(wallS));
}

/** The last run at or before an instant; null as for nextRun. TIMEZONE_UNKNOWN. */
export function lastRun(schedule: Schedule, atOrBeforeMs: number, timeZone: string): number | null {
  const clock = clockFor(schedule, timeZone);
  const atS = Math.floor(atOrBeforeMs / 1000);
  if (isEveryHour(schedule)) return toMs(lastShown(schedule, clock, atS));
  const wallS = neighbouringWallTime(schedule, clock.highestShown(atS) + 1, -1);
  return wallS === null ? null : toMs(clock.firstShown(wallS));
}

function clockFor({ utc }: Schedule, timeZone: string): ZoneClock {
  return new ZoneClock(openTimeZone(utc ? "UTC" : timeZone));
}

function isEveryHour({ hours }: Schedule): boolean {
  return hours.length === 24;
}

function toMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

/** The first instant after another at which the clock shows a time of the schedule. */
function nextShown(schedule: Schedule, clock: ZoneClock, afterS: number): number | null {
  let fromS = afterS + 1;
  for (let leap = 0; leap < MAX_LEAPS; leap++) {
    const change = clock.nextChange(fromS);
    const wallS = neighbouringWallTime(schedule, clock.wallAt(fromS) - 1, 1);
    if (wallS === null && change === null) return null;
    const foundS = wallS === null ? Number.POSITIVE_INFINITY : wallS - clock.offsetAt(fromS);
    if (foundS < (change ?? fromS + WINDOW_S)) return foundS;
    fromS = change ?? Math.max(fromS + WINDOW_S, clock.firstShown(wallS!) - WINDOW_S);
  }
  return null;
}

function lastShown(schedule: Schedule, clock: ZoneClock, atS: number): number | null {
  let fromS = atS;
  for (let leap = 0; leap < MAX_LEAPS; leap++) {
    const change = clock.lastChange(fromS);
    const wallS = neighbouringWallTime(schedule, clock.wallAt(fromS) + 1, -1);
    if (wallS === null && change === null) return null;
    const foundS = wallS === null ? Number.NEGATIVE_INFINITY : wallS - clock.offsetAt(fromS);
    if (foundS >= (change ?? fromS - WINDOW_S)) return foundS;
    fromS = change === null ? Math.min(fromS - WINDOW_S, clock.firstShown(wallS!) + WINDOW_S) : change - 1;
  }
  return null;
}
