// Durations, sizes and times as people read them.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "420 ms", "8.4 s", "3 min 05 s", "2 h 07 min", "4 d 2 h". */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? "−" : "";
  const rest = Math.abs(ms);
  if (rest < SECOND) return `${sign}${Math.round(rest)} ms`;
  if (rest < MINUTE) return `${sign}${(rest / SECOND).toFixed(1)} s`;
  if (rest < HOUR) return `${sign}${Math.floor(rest / MINUTE)} min ${pad((rest % MINUTE) / SECOND)} s`;
  if (rest < 2 * DAY) return `${sign}${Math.floor(rest / HOUR)} h ${pad((rest % HOUR) / MINUTE)} min`;
  return `${sign}${Math.floor(rest / DAY)} d ${Math.floor((rest % DAY) / HOUR)} h`;
}

/** For axes, whose numbers are round: "20 s", "1 min", "2 h 30 min". */
export function formatTick(ms: number): string {
  return ms === 0
    ? "0"
    : formatDuration(ms)
        .replace(/\.0 s$/, " s")
        .replace(/ 00 (s|min)$/, "");
}

/** "0 bytes", "17.4 MiB". */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

/** "2026-11-21 02:00:00 UTC"; what is no time stays as it is. */
export function formatInstant(text: string): string {
  const found = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z$/.exec(text);
  return found === null ? text : `${found[1]} ${found[2]} UTC`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "21 Nov 2026 02:00 UTC", for tables; what is no time stays as it is. */
export function formatMinute(text: string): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2}):\d{2}(?:\.\d+)?Z$/.exec(text);
  if (found === null) return text;
  const [, year, month, day, time] = found;
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? month} ${year} ${time} UTC`;
}

/** "37.5 %"; "—" of nothing. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return "—";
  const percent = (100 * part) / whole;
  return percent >= 100 || percent === 0 ? `${Math.round(percent)} %` : `${percent.toFixed(1)} %`;
}

function pad(amount: number): string {
  return String(Math.floor(amount)).padStart(2, "0");
}

/** Distances on a scale of time that people like to read. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
];

/** The round time that is not less; of days, 1, 2 or 5 of a power of ten. */
export function niceStep(aboutMs: number): number {
  const step = TIME_STEPS.find((each) => each >= aboutMs);
  if (step !== undefined) return step;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, aboutMs / DAY)));
  const factor = [1, 2, 5].find((each) => each * power * DAY >= aboutMs) ?? 10;
  return factor * power * DAY;
}
