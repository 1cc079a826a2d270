// Regular expressions of specs. They meet hostile text, so re2js looks for them (docs/adr/0054-re2js.md): it never backtracks.
// Not for patterns of our own: those are plain regular expressions.

import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";

const MAX_PATTERN_CHARS = 1000;
/** In instructions: about one for each character that a pattern has once its counted repeats are written out. */
const MAX_PROGRAM_SIZE = 1024;
/** Characters times instructions: what finding the ends of a match may take, about 0.3 s (measured). */
const MAX_EXACT_STEPS = 4_000_000;

/** Shown instead of what the engine says of a part of a pattern that begins like this. */
const NOT_SUPPORTED: readonly (readonly [RegExp, string])[] = [
  [/^\(\?[=!]/, "looking ahead, (?= or (?!, is not supported"],
  [/^\(\?<[=!]/, "looking behind, (?<= or (?<!, is not supported"],
  [/^\\[1-9k]/, "references back such as \\1 are not supported"],
  [/^\\[uc]/, "\\u and \\c are not supported; \\x{1F600} is any character by its number"],
];

/**
 * Compiles a spec's pattern, in RE2's syntax: `^` and `$` stand for the ends of a line, `(?i)` ignores case, `(?s)` lets `.`
 * match the end of a line. Lookarounds and references back are problems.
 */
export function compilePattern(text: string): { pattern: Pattern } | { problem: string } {
  if (text.length > MAX_PATTERN_CHARS) return { problem: `the pattern is longer than ${MAX_PATTERN_CHARS} characters` };
  try {
    const compiled = RE2JS.compile(text, RE2JS.MULTILINE);
    if (compiled.programSize() <= MAX_PROGRAM_SIZE) return { pattern: new Pattern(text, compiled) };
    return { problem: "the pattern is too large: counted repeats such as {1000} add up" };
  } catch (error) {
    if (error instanceof RE2JSException) return { problem: `the pattern is not right: ${reason(error)}` };
    throw error;
  }
}

/** Applies to a text as a whole, and keeps nothing from one text to the next. */
export class Pattern {
  /** As it was written. */
  readonly source: string;
  readonly #compiled: RE2JS;
  readonly #exactChars: number;

  /** Use compilePattern. */
  constructor(source: string, compiled: RE2JS) {
    this.source = source;
    this.#compiled = compiled;
    this.#exactChars = Math.floor(MAX_EXACT_STEPS / compiled.programSize());
  }

  /** Whether it matches anywhere. Lines may also end with a carriage return, with a line feed behind it or without. */
  test(text: string): boolean {
    return this.#matched(text) !== null;
  }

  /**
   * What it matches first, or null: never null where `test` is true. Of a text that is too long to look for the ends of a match:
   * what it matches in a part of it.
   */
  firstMatch(text: string): string | null {
    const matched = this.#matched(text);
    if (matched === null) return null;
    const part = this.#partWithMatch(matched);
    return this.#compiled.exec(part)?.[0] ?? part;
  }

  toString(): string {
    return `/${this.source}/`;
  }

  /** The text as the pattern matches it: with its line ends, or with ours. */
  #matched(text: string): string | null {
    if (this.#compiled.test(text)) return text;
    if (!text.includes("\r")) return null;
    const withOurLineEnds = text.replaceAll(/\r\n?/g, "\n");
    return this.#compiled.test(withOurLineEnds) ? withOurLineEnds : null;
  }

  /** Halves the text, between lines if possible, while one of the halves still matches. */
  #partWithMatch(text: string): string {
    let part = text;
    while (part.length > this.#exactChars) {
      const cut = middleOf(part);
      const before = part.slice(0, cut);
      const after = part.slice(part[cut] === "\n" ? cut + 1 : cut);
      if (this.#compiled.test(before)) part = before;
      else if (this.#compiled.test(after)) part = after;
      else return part.slice(Math.max(0, cut - this.#exactChars / 2), cut + this.#exactChars / 2);
    }
    return part;
  }
}

/** Of the line ends, the last one in the first half. */
function middleOf(text: string): number {
  const middle = text.length >> 1;
  const lineEnd = text.lastIndexOf("\n", middle);
  return lineEnd > text.length >> 3 ? lineEnd : middle;
}

/** What the engine says, in our words where what is wrong is that others have it and we do not. */
function reason(error: RE2JSException): string {
  if (!(error instanceof RE2JSSyntaxException)) return error.message;
  // the engine writes the flag in front
  const part = (error.getPattern() ?? "").replace(/^\(\?m\)/, "");
  const known = NOT_SUPPORTED.find(([beginning]) => beginning.test(part));
  if (known !== undefined) return known[1];
  return part === "" ? error.error : `${error.error}: ${part}`;
}
