// Text of a machine as it may be shown: bounded, on the lines it had, without anything that a terminal would obey.

/** What is kept of an observation, as UTF-8. */
export const MAX_OBSERVED_BYTES = 2048;

/** Controls except line feed and tab; what is invisible or reorders text; half surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const ELLIPSIS = " … ";
const encoder = new TextEncoder();

/** Control characters as `\xNN` or `\u{NNNN}`; line feeds stay, a carriage return before one goes. */
export function visible(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\t", "    ")
    .replace(UNSAFE, (char) => (char === "\n" ? char : escaped(char)));
}

/** On one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll(/\s*\n\s*/g, " ⏎ ");
}

/** Visible, and at most `maxBytes` long; the middle is left out, since output tells most at its ends. */
export function bounded(text: string, maxBytes: number = MAX_OBSERVED_BYTES): string {
  // The ends only: what is in the middle of megabytes is never looked at.
  const ends = text.length <= 4 * maxBytes ? text : text.slice(0, 2 * maxBytes) + text.slice(-2 * maxBytes);
  const shown = visible(ends);
  if (ends.length === text.length && encoder.encode(shown).length <= maxBytes) return shown;
  const half = Math.floor((maxBytes - encoder.encode(ELLIPSIS).length) / 2);
  return `${headOf(shown, half)}${ELLIPSIS}${tailOf(shown, half)}`;
}

function escaped(char: string): string {
  const code = char.codePointAt(0) as number;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

function headOf(text: string, maxBytes: number): string {
  const part = new Uint8Array(maxBytes);
  return text.slice(0, encoder.encodeInto(text, part).read);
}

function tailOf(text: string, maxBytes: number): string {
  let tail = "";
  let left = maxBytes;
  for (const char of [...text.slice(-maxBytes)].reverse()) {
    left -= encoder.encode(char).length;
    if (left < 0) break;
    tail = char + tail;
  }
  // slice may have cut a pair in two
  return tail.replace(/^[\udc00-\udfff]/, "");
}
