// Spans of time as reasons name them: in whole units, the two largest that are not zero, so that a limit reads as it was typed.

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;
const SHOWN_UNITS = 2;

/** Of a span in milliseconds, not negative: "1 min", "30 d 5 min", "0 s". */
export function spanText(ms: number): string {
  const parts: string[] = [];
  let rest = Math.floor(ms);
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.length === 0 ? "0 s" : parts.slice(0, SHOWN_UNITS).join(" ");
}
