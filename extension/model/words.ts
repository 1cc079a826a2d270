// Sizes and times as people read them, in the editor's language.

/** `vscode.l10n.t`: the English text is the key. */
export type Translate = (text: string, ...values: (string | number)[]) => string;

const UNITS = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];

/** `0 B`, `1.5 KiB`, `32 MiB`: three digits at most. */
export function sizeText(bytes: number, locale: string): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${numberText(value, locale, digits)} ${UNITS[unit]}${/^fr\b/.test(locale) ? "o" : "B"}`;
}

/** `1.8 ×`, never broken into two lines. */
export function timesText(ratio: number, locale: string): string {
  return `${numberText(ratio, locale, 1)}\u00a0×`;
}

/** Making a format takes a hundred times as long as using it, and pages have thousands of times and numbers. */
class Formats<Format> {
  readonly #known = new Map<string, Format>();
  readonly #make: (locale: string, options: object) => Format;

  constructor(make: (locale: string, options: object) => Format) {
    this.#make = make;
  }

  of(locale: string, options: object): Format {
    const key = `${locale} ${JSON.stringify(options)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_FORMATS) this.#known.clear();
    const format = this.#make(locale, options);
    this.#known.set(key, format);
    return format;
  }
}

const MAX_FORMATS = 64;
const dates = new Formats((locale, options) => new Intl.DateTimeFormat(locale, options));
const numbers = new Formats((locale, options) => new Intl.NumberFormat(locale, options));
const ages = new Formats((locale, options) => new Intl.RelativeTimeFormat(locale, options));

/** At most so many digits after the decimal sign. */
export function numberText(value: number, locale: string, maximumFractionDigits = 0): string {
  return numbers.of(locale, { maximumFractionDigits }).format(value);
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** `3 hours ago`, `yesterday`, `now`. */
export function ageText(timeMs: number, nowMs: number, locale: string): string {
  const format = ages.of(locale, { numeric: "auto", style: "short" });
  const ago = timeMs - nowMs;
  for (const [unit, ms] of STEPS) if (Math.abs(ago) >= ms) return format.format(Math.trunc(ago / ms), unit);
  return format.format(0, "minute") === "this minute" ? "now" : format.format(0, "second");
}

export function timeOfDay(timeMs: number, locale: string, timeZone?: string): string {
  return dates.of(locale, { hour: "2-digit", minute: "2-digit", timeZone }).format(timeMs);
}

export function dateAndTime(timeMs: number, locale: string, timeZone?: string): string {
  return dates.of(locale, { dateStyle: "medium", timeStyle: "medium", timeZone }).format(timeMs);
}

/** `Today`, `Yesterday`, `Friday 20 November`, with the year when it is another one. */
export function dayTitle(timeMs: number, nowMs: number, locale: string, timeZone?: string): string {
  const days = dayNumber(nowMs, timeZone) - dayNumber(timeMs, timeZone);
  if (days === 0 || days === 1)
    return capital(new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day"), locale);
  const year = yearOf(timeMs, timeZone) === yearOf(nowMs, timeZone) ? undefined : "numeric";
  const format = dates.of(locale, { weekday: "long", day: "numeric", month: "long", year, timeZone });
  return capital(format.format(timeMs), locale);
}

/** Days since 1970 as the calendar of the time zone counts them. */
export function dayNumber(timeMs: number, timeZone?: string): number {
  const parts = dates.of("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
  return Math.round(Date.parse(`${parts.format(timeMs)}T00:00:00Z`) / 86_400_000);
}

export function yearOf(timeMs: number, timeZone?: string): string {
  return dates.of("en", { year: "numeric", timeZone }).format(timeMs);
}

function capital(text: string, locale: string): string {
  return text.slice(0, 1).toLocaleUpperCase(locale) + text.slice(1);
}
