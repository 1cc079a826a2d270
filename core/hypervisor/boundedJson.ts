// JSON from a guest: one byte of a line can make an object of fifty, so a line may be long (base64 of an output) only
// when it holds few values.

/** Shorter lines are parsed whatever they hold. */
const SMALL_BYTES = 1024 * 1024;
const MAX_MARKS_WHEN_LARGE = 4096;
/** `"`, `,`, `:`, `[`, `{` */
const MARKS = new Set([0x22, 0x2c, 0x3a, 0x5b, 0x7b]);

/** The object in the line; undefined when it is none, or one with too many values. */
export function parseObjectLine(line: Uint8Array): Record<string, unknown> | undefined {
  if (line.length > SMALL_BYTES && hasManyValues(line)) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(line));
    return asObject(value);
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function hasManyValues(line: Uint8Array): boolean {
  let marks = 0;
  for (const byte of line) {
    if (MARKS.has(byte) && ++marks > MAX_MARKS_WHEN_LARGE) return true;
  }
  return false;
}
