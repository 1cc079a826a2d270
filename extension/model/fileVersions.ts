// The versions of one file over time, as rows: newest first, with the times in which it was not there.

import type { HistoryData, PeriodData, VersionData } from "../service/protocol.js";
import { dayNumber, sizeText, type Translate, yearOf } from "./words.js";

export interface VersionRow {
  /** Null: not there, or not readable for the reason of the period. */
  version: VersionData | null;
  period: PeriodData;
  /** In the newest snapshot of the machine. */
  isCurrent: boolean;
  /** The same contents as in an earlier time. */
  isBack: boolean;
  /** What it was before, when it was there. */
  previous: VersionRow | null;
}

export function versionRows({ versions, periods }: HistoryData): VersionRow[] {
  const rows: VersionRow[] = [];
  const seen = new Set<number>();
  let previous: VersionRow | null = null;
  for (const [i, period] of periods.entries()) {
    const version = period.version === null ? null : (versions[period.version - 1] ?? null);
    const isBack = version !== null && seen.has(version.number);
    const row: VersionRow = { version, period, isCurrent: i === periods.length - 1, isBack, previous };
    rows.push(row);
    if (version === null) continue;
    seen.add(version.number);
    previous = row;
  }
  return rows.reverse();
}

/** `Nov 15 – 21`, `Nov 21, 10:00 AM – 2:00 PM` of one day, or one time; with years when one is not this year. */
export function spanText({ first, last }: PeriodData, nowMs: number, locale: string, timeZone?: string): string {
  const years = new Set([first.timeMs, last.timeMs, nowMs].map((timeMs) => yearOf(timeMs, timeZone)));
  const year = years.size === 1 ? undefined : "numeric";
  const isOneDay = dayNumber(first.timeMs, timeZone) === dayNumber(last.timeMs, timeZone);
  const time = isOneDay ? ({ hour: "numeric", minute: "2-digit" } as const) : {};
  const format = new Intl.DateTimeFormat(locale, { year, month: "short", day: "numeric", ...time, timeZone });
  return format.formatRange(first.timeMs, last.timeMs);
}

/** `4 KiB · current · version 2 · 3 snapshots`: what matters first, for it may be cut off. */
export function versionWords({ version, period, isCurrent, isBack }: VersionRow, locale: string, t: Translate): string {
  const snapshots = period.snapshots === 1 ? t("1 snapshot") : t("{0} snapshots", period.snapshots);
  if (version === null) return [period.problem ?? t("not there"), snapshots].join(" · ");
  const words = version.kind === "file" ? [sizeText(version.sizeBytes, locale)] : [];
  if (isCurrent) words.push(t("current"));
  words.push(isBack ? t("version {0} again", version.number) : t("version {0}", version.number), snapshots);
  return words.join(" · ");
}
