// Patterns for names and paths as people see them: `*` any characters, `?` one, `[a-z]` and `[!a-z]` one of several.
// A backslash is one: names are escaped with it.

import { RepriseError } from "../errors.js";
import { literalPattern } from "../platform/literalPattern.js";

const MAX_PATTERN = 4096;

/** FILE_PATTERN_INVALID for a bracket without its end. */
export function compileGlob(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_PATTERN) throw invalid(pattern.slice(0, 100), "it is too long");
  const parts: string[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string;
    if (char === "*") {
      if (parts.at(-1) !== ".*") parts.push(".*");
    } else if (char === "?") parts.push(".");
    else if (char === "[") {
      const { source, end } = bracketAt(pattern, at);
      parts.push(source);
      at = end;
    } else parts.push(literalPattern(char));
  }
  try {
    const expression = new RegExp(`^${parts.join("")}$`, "su");
    return (text) => expression.test(text);
  } catch {
    throw invalid(pattern, "a range in brackets makes no sense");
  }
}

/** A closing bracket right behind the opening one means itself, as in shells. */
function bracketAt(pattern: string, start: number): { source: string; end: number } {
  const negated = pattern[start + 1] === "!" || pattern[start + 1] === "^";
  const first = start + (negated ? 2 : 1);
  const end = pattern.indexOf("]", first + 1);
  if (end < 0) throw invalid(pattern, "a bracket does not end");
  const members = pattern
    .slice(first, end)
    .replace(/[\\\]^[]/g, "\\$&")
    .replace(/^-|-$/g, "\\-");
  return { source: `[${negated ? "^" : ""}${members}]`, end };
}

function invalid(pattern: string, problem: string): RepriseError {
  return new RepriseError("usage", "FILE_PATTERN_INVALID", `the pattern "${pattern}": ${problem}`, {
    data: { pattern },
    hint: "* stands for any characters, ? for one, [a-z] for one of several; [[] for a bracket",
  });
}
