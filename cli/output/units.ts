// Numbers as people read them.

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `0 B`, `999 B`, `1.5 KiB`, `12.3 GiB`, `123 GiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be shown as 1024.0
  while (value >= (unit === 0 ? 1024 : 1023.5) && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? singular : plural}`;
}

/** `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 03 min`. */
export function elapsedText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `2026-11-21 02:00:05` in the machine's time zone. */
export function localTimeText(timeMs: number): string {
  const time = new Date(timeMs);
  const date = [time.getFullYear(), twoDigits(time.getMonth() + 1), twoDigits(time.getDate())].join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(":")}`;
}

/** `3.2 ×`, `12 ×`; `–` when it cannot be said. */
export function ratioText(numerator: number, denominator: number): string {
  if (denominator <= 0 || numerator <= 0) return "–";
  const ratio = numerator / denominator;
  return `${ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(1)} ×`;
}

/** `12 %`, `0.3 %`, `100 %`. */
export function percentText(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const percent = (100 * part) / whole;
  return `${percent !== 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
