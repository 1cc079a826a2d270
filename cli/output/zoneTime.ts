// Points in time on the clocks of a zone that a person has named.

import { openTimeZone } from "../../core/index.js";

/** `2026-11-20 14:00:00` on the clocks of the zone. */
export function zoneTimeText(timeMs: number, timeZone: string): string {
  const { year, month, day, hour, minute, second } = openTimeZone(timeZone).localTime(timeMs);
  const digits = (value: number, width: number) => String(value).padStart(width, "0");
  const date = [digits(year, 4), digits(month, 2), digits(day, 2)].join("-");
  return `${date} ${[hour, minute, second].map((value) => digits(value, 2)).join(":")}`;
}
