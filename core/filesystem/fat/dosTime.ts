// Dates and times of FAT and exFAT: years since 1980, steps of two seconds. FAT stores no zone: its times count as UTC here.

const MS_TO_NS = 1_000_000n;

/**
 * Nanoseconds since 1970, or null for a date that does not exist (zero means: none). `hundredths` (0–199) refine the two
 * seconds; `zoneMinutes` is how far local time is ahead of UTC.
 */
export function dosTimeToNs(date: number, time: number, hundredths = 0, zoneMinutes = 0): bigint | null {
  const year = 1980 + (date >> 9);
  const month = (date >> 5) & 0x0f;
  const day = date & 0x1f;
  const hour = time >> 11;
  const minute = (time >> 5) & 0x3f;
  const second = (time & 0x1f) * 2;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const dateMs = Date.UTC(year, month - 1, day);
  if (new Date(dateMs).getUTCDate() !== day) return null;
  const fraction = hundredths < 200 ? hundredths * 10 : 0;
  return BigInt(dateMs + ((hour * 60 + minute - zoneMinutes) * 60 + second) * 1000 + fraction) * MS_TO_NS;
}
