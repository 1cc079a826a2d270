// What a backup of a folder leaves out: rules as in .gitignore, the last one that fits decides. A rule with a slash in front or
// inside is about one place below the folder, one without about names at any depth.

import { RepriseError } from "../errors.js";
import { literalPattern } from "../platform/literalPattern.js";

export interface ExcludeRule {
  /** What was excluded by an earlier rule comes back. */
  negated: boolean;
  foldersOnly: boolean;
  pattern: RegExp;
}

const MAX_PATTERN_CHARS = 4096;

/** Empty lines and lines that begin with `#` say nothing. EXCLUDE_INVALID for what cannot be a rule. */
export function parseExcludes(lines: readonly string[]): ExcludeRule[] {
  return lines
    .map(withoutSpaces)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseRule);
}

/** `path`: names from the folder downwards, as text. A folder that is excluded is not entered. */
export function isExcluded(rules: readonly ExcludeRule[], path: readonly string[], isFolder: boolean): boolean {
  if (rules.length === 0) return false;
  const text = path.join("/");
  const deciding = rules.findLast(({ foldersOnly, pattern }) => (isFolder || !foldersOnly) && pattern.test(text));
  return deciding !== undefined && !deciding.negated;
}

/** A name as rules see it: as text, or one character a byte where it is none. */
export function nameText(name: Uint8Array): string {
  try {
    return strictDecoder.decode(name);
  } catch {
    return Array.from(name, (byte) => String.fromCharCode(byte)).join("");
  }
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Spaces at the end count when a backslash stands before them. */
function withoutSpaces(line: string): string {
  return line.replace(/\r$/, "").replace(/(?<!\\)\s+$/, "");
}

function parseRule(line: string): ExcludeRule {
  const negated = line.startsWith("!");
  const body = negated ? line.slice(1) : line;
  const foldersOnly = body.endsWith("/");
  const glob = foldersOnly ? body.slice(0, -1) : body;
  if (glob === "" || line.length > MAX_PATTERN_CHARS) throw invalid(line);
  const anchored = glob.includes("/");
  try {
    const source = patternOf(glob.startsWith("/") ? glob.slice(1) : glob);
    return { negated, foldersOnly, pattern: new RegExp(`${anchored ? "^" : "(?:^|/)"}${source}$`, "su") };
  } catch {
    throw invalid(line);
  }
}

function patternOf(glob: string): string {
  let source = "";
  for (let at = 0; at < glob.length; ) {
    const [token, length] = tokenAt(glob, at);
    source += token;
    at += length;
  }
  return source;
}

/** The next part of a regular expression and how much of the glob it stands for. */
function tokenAt(glob: string, at: number): [string, number] {
  const rest = glob.slice(at);
  const atName = at === 0 || glob[at - 1] === "/";
  if (atName && rest.startsWith("**/")) return ["(?:.*/)?", 3];
  if (atName && rest === "**") return [".+", 2];
  const stars = /^\*+/.exec(rest);
  if (stars) return ["[^/]*", stars[0].length];
  if (rest.startsWith("?")) return ["[^/]", 1];
  const set = /^\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]/su.exec(rest);
  if (set) {
    const members = (set[2] as string).replace(/\\(.)/gsu, "$1").replace(/[\\\][^&|~(){}/]/g, "\\$&");
    return [`(?!/)[${set[1] ? "^" : ""}${members}]`, set[0].length];
  }
  const char = rest.startsWith("\\") && rest.length > 1 ? [...rest.slice(1)][0] : [...rest][0];
  return [literalPattern(char as string), (char as string).length + (rest.startsWith("\\") && rest.length > 1 ? 1 : 0)];
}

function invalid(line: string): RepriseError {
  return new RepriseError("usage", "EXCLUDE_INVALID", `"${line}" is no rule for what to leave out`, {
    data: { rule: line },
    hint: "write rules as in .gitignore: *.tmp, cache/, /var/tmp, !keep.tmp",
  });
}
