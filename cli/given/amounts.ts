// Sizes, rates, shares and spans of time as people type them.

import { parseDuration, parseSpan } from "../../core/index.js";
import { wrongValue } from "./given.js";

const FACTORS: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `256K`, `32M`, `32MiB`, `1.5G`, `4096`: bytes. Units are powers of 1024. */
export function parseSize(text: string, option: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match === null ? Number.NaN : Number(match[1]) * (FACTORS[(match[2] ?? "").toLowerCase()] as number);
  if (!Number.isFinite(bytes) || bytes > Number.MAX_SAFE_INTEGER) {
    throw wrongValue(option, text, "a size such as 256K, 32M or 1.5G");
  }
  return Math.round(bytes);
}

/** `20M`, `20M/s`, `512K`: bytes per second, more than 0. */
export function parseRate(text: string, option: string): number {
  const bytes = parseSize(text.trim().replace(/\/s$/i, ""), option);
  if (bytes < 1) throw wrongValue(option, text, "a rate such as 20M (bytes per second)");
  return bytes;
}

/** `5%` or `0.05` → 0.05; 0 to 1. */
export function parseShare(text: string, option: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)\s*(%?)$/.exec(text.trim());
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  if (!(share >= 0 && share <= 1)) throw wrongValue(option, text, "a share such as 5% or 0.05");
  return share;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `30d`, `6h`: milliseconds. Units whose length depends on the calendar are taken as 365 and 30 days. */
export function parseSpanMs(text: string): number {
  const { years, months, weeks, days, hours, minutes, seconds } = parseDuration(text);
  const wholeDays = 365 * years + 30 * months + 7 * weeks + days;
  return wholeDays * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * 1000;
}

/** `30d`, `1h30m`: milliseconds. Units are those of restore-test specs, where `m` is a minute; no calendar has a part in it. */
export function parseAgeMs(text: string, option: string): number {
  const ms = parseSpan(text.trim());
  if (ms === null) throw wrongValue(option, text, "a span such as 30d, 12h or 1h30m (w, d, h, m or min, s)");
  return ms;
}

/** `2/5`: the second of five parts. */
export function parseSubset(text: string, option: string): { part: number; of: number } {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim());
  const part = Number(match?.[1]);
  const of = Number(match?.[2]);
  if (match === null || of < 1 || part < 1 || part > of) throw wrongValue(option, text, "a part such as 2/5");
  return { part, of };
}
