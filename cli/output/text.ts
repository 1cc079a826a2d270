// Lines for people. Whatever comes from a repository, a disk or an error is text here and never a terminal command: the
// renderer escapes every span, and styles are added after that.

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "qr";

export interface Styled {
  readonly text: string;
  readonly style: Style;
}

export type Span = string | Styled;
export type Line = Span | readonly Span[];

const SGR: Record<Style, string> = {
  bold: "1",
  dim: "2",
  red: "31",
  yellow: "33",
  green: "32",
  // bright white on black: light modules are drawn, so a code reads the same on every background
  qr: "97;40",
};

export function styled(style: Style, text: string): Styled {
  return { text, style };
}

/** Control and invisible characters, line separators, halves of surrogate pairs: everything that does not show itself. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const SHORT_ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with everything unprintable written as an escape: safe on any terminal, and always one line. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) as number;
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) return short;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** JSON on one line in which also DEL, C1 controls and invisible characters are escaped. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, undefined, indent).replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Characters that a span takes on a terminal, full-width ones counted once. */
export function widthOf(span: Span): number {
  return [...printable(textOf(span))].length;
}

export function renderLine(line: Line, colors: boolean): string {
  return spansOf(line)
    .map((span) => renderSpan(span, colors))
    .join("");
}

export function spansOf(line: Line): readonly Span[] {
  return typeof line === "string" || "text" in line ? [line] : line;
}

function textOf(span: Span): string {
  return typeof span === "string" ? span : span.text;
}

function renderSpan(span: Span, colors: boolean): string {
  const text = printable(textOf(span));
  return typeof span === "string" || !colors || text === "" ? text : `\x1b[${SGR[span.style]}m${text}\x1b[0m`;
}
