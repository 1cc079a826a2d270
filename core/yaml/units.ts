// Durations and sizes as specs write them. Not core/calendar/duration.ts: there `m` is a month, and a time-out of `15m` is
// fifteen minutes to everybody; months and years have no place here.

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** Whole numbers with units, each at most once and the longest first: `90s`, `1h30m`. Null: not a duration. */
export function parseSpan(text: string): number | null {
  const parts = [...text.matchAll(/(\d{1,9})(ms|min|[smhdw])\s*/gy)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return null;
  let total = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [, count, unit] of parts) {
    const length = UNIT_MS[unit!]!;
    if (length >= smallest) return null;
    smallest = length;
    total += Number(count) * length;
  }
  return Number.isSafeInteger(total) ? total : null;
}

/** The inverse of parseSpan. */
export function formatSpan(spanMs: number): string {
  let rest = spanMs;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const count = Math.floor(rest / UNIT_MS[unit]!);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * UNIT_MS[unit]!;
  }
  return text === "" ? "0s" : text;
}

/** Bytes: `512MiB`, `1.5GiB`, `10MB` (decimal), or a plain number of bytes. Null: not a size. */
export function parseSize(size: string | number): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s?([A-Za-z]{0,3})$/.exec(String(size));
  if (match === null || !Object.hasOwn(UNIT_BYTES, match[2]!)) return null;
  const bytes = Number(match[1]) * UNIT_BYTES[match[2]!]!;
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : null;
}
