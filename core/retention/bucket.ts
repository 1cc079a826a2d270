// The buckets that the counting rules put snapshots in: one label per hour, day, ISO week, month or year of a time
// zone. The label is both the identity of the bucket and what people read in a reason.

import type { LocalTime } from "../calendar/localTime.js";
import { isoWeek } from "../calendar/localTime.js";
import type { CountRule } from "./prunePolicy.js";

/** keep-last has no buckets: every snapshot stands for itself. */
export type BucketRule = Exclude<CountRule, "last">;

/** 2026-11-20 14h, 2026-11-20, 2026-W47, 2026-11 or 2026. */
export function bucketLabel(rule: BucketRule, local: LocalTime): string {
  switch (rule) {
    case "hourly":
      return `${dayText(local)} ${twoDigits(local.hour)}h`;
    case "daily":
      return dayText(local);
    case "weekly": {
      const { year, week } = isoWeek(local);
      return `${yearText(year)}-W${twoDigits(week)}`;
    }
    case "monthly":
      return `${yearText(local.year)}-${twoDigits(local.month)}`;
    case "yearly":
      return yearText(local.year);
  }
}

/** 2026-11-20 14:05:09 */
export function localTimeText(local: LocalTime): string {
  return `${dayText(local)} ${twoDigits(local.hour)}:${twoDigits(local.minute)}:${twoDigits(local.second)}`;
}

function dayText(local: LocalTime): string {
  return `${yearText(local.year)}-${twoDigits(local.month)}-${twoDigits(local.day)}`;
}

function yearText(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, "0");
  return year < 0 ? `-${digits}` : digits;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
