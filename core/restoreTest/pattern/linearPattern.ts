// Regular expressions of specs. They meet hostile text, so they never backtrack: LinearPattern is a RegExp whose `exec` (and
// with it test, match, search and replace) takes time in proportion to the text. Do not rebuild one from its source.

import { PatternMatcher } from "./patternMatcher.js";
import { compileProgram } from "./patternProgram.js";
import { NotSupported, type PatternFlags, parsePattern } from "./patternSyntax.js";

const MAX_PATTERN_CHARS = 1000;
/** What is shown of a match reaches at most so far back and forth. */
const MAX_MATCH_CHARS = 16 * 1024;

/**
 * Compiles a spec's pattern, in JavaScript's syntax; `^` and `$` stand for the ends of a line, `(?i)` at the start ignores
 * case, `(?s)` lets `.` match the end of a line. Lookarounds, references back and `\p{…}` are not supported.
 */
export function compilePattern(text: string): { pattern: RegExp } | { problem: string } {
  if (text.length > MAX_PATTERN_CHARS) return { problem: `the pattern is longer than ${MAX_PATTERN_CHARS} characters` };
  const prefix = /^\(\?([is]{1,2})\)/.exec(text);
  const source = prefix === null ? text : text.slice(prefix[0].length);
  const letters = prefix?.[1] ?? "";
  const flags = { ignoreCase: letters.includes("i"), dotAll: letters.includes("s") };
  try {
    return { pattern: new LinearPattern(source, flags) };
  } catch (error) {
    if (error instanceof NotSupported) return { problem: `the pattern cannot be used: ${error.message}` };
    if (error instanceof SyntaxError) return { problem: `the pattern is not right: ${reason(error.message)}` };
    throw error;
  }
}

/** Without captured groups: the match as a whole only. `lastIndex` has no meaning; `exec` always starts at the beginning. */
class LinearPattern extends RegExp {
  readonly #matcher: PatternMatcher;

  constructor(source: string, flags: PatternFlags) {
    super(source, `${flags.ignoreCase ? "i" : ""}m${flags.dotAll ? "s" : ""}u`);
    this.#matcher = new PatternMatcher(compileProgram(parsePattern(source, flags)));
  }

  /** The match that ends first, as early and as long as it can be: as JavaScript would, but for the preference in `a|ab`. */
  override exec(text: string): RegExpExecArray | null {
    const end = this.#matcher.firstEnd(text);
    if (end < 0) return null;
    const start = this.#matcher.earliestStart(text, wholeCharacter(text, end - MAX_MATCH_CHARS), end);
    const longest = this.#matcher.longestEnd(text, start, Math.min(text.length, start + 2 * MAX_MATCH_CHARS));
    const match = [text.slice(start, Math.max(end, longest))] as unknown as RegExpExecArray;
    return Object.assign(match, { index: start, input: text, groups: undefined });
  }

  override test(text: string): boolean {
    return this.#matcher.firstEnd(text) >= 0;
  }
}

function wholeCharacter(text: string, at: number): number {
  if (at <= 0) return 0;
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000 ? at + 1 : at;
}

/** "Invalid regular expression: /a(/u: Unterminated group" → "unterminated group". */
function reason(message: string): string {
  const last = message.slice(message.lastIndexOf(": ") + 2);
  return last.slice(0, 1).toLowerCase() + last.slice(1);
}
