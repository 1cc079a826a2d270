// Reads an ISO 8601 date and time that names its zone, such as "2026-11-20T02:00:00Z" or "…+01:00". Stricter than
// Date.parse, which accepts 30 February, local times and forms that differ between engines.

import type { LocalTime } from "./localTime.js";
import { daysInMonth, utcInstant } from "./localTime.js";

const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)$/;
const MAX_TEXT_CHARS = 40;

/** Milliseconds since 1970 (finer digits are dropped), or undefined when the text is no such time. */
export function parseIsoInstant(text: string): number | undefined {
  const match = text.length > MAX_TEXT_CHARS ? null : PATTERN.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const local = { year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: second! };
  const [, , , , , , , fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = match;
  if (!isRealTime(local) || Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, "0"));
  return utcInstant(local) + milliseconds - (sign === "-" ? -offsetMs : offsetMs);
}

function isRealTime({ year, month, day, hour, minute, second }: LocalTime): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return false;
  return hour <= 23 && minute <= 59 && second <= 59;
}
