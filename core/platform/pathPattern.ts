// Patterns for paths as in CODEOWNERS: `*.tf`, `db/`, `/infra/prod/**`, `docs/*`. Matching takes steps in proportion to pattern times path and
// never goes back further than the last star, whatever stands in either: no regular expression is made. Case counts.

/** A path taken apart, once for all patterns. */
export interface MatchedPath {
  /** Characters of the names from the top. */
  names: readonly (readonly string[])[];
  /** It may stand for a folder whose files are not listed, as a link or a submodule does. */
  isFolder: boolean;
}

/** `path`: from the top, with `/`. */
export function matchedPath(path: string, isFolder: boolean): MatchedPath {
  return { names: path.split("/").map((name) => [...name]), isFolder };
}

const MAX_PATTERN_CHARS = 1_000;
const MAX_SEGMENTS = 100;
const GLOBSTAR = "**";

/** One of a segment's parts: a character, any one character, or any number of them. */
type Token = { kind: "char"; char: string } | { kind: "any" } | { kind: "star" };
type Segment = typeof GLOBSTAR | readonly Token[];

/**
 * A pattern without a slash, or with one at its end only, is about names at any depth; others begin at the top. It matches a folder
 * with everything below, except that `folder/*` means what is directly in it. A slash at the end: folders only. `*` and `?` match within a
 * name, `**` any number of folders; a backslash takes a character as it is. Brackets are characters; `!` at the start is a problem.
 */
export function compilePathPattern(text: string): { pattern: PathPattern } | { problem: string } {
  if (text === "" || text === "/") return { problem: "the pattern is empty" };
  if (text.length > MAX_PATTERN_CHARS) return { problem: `the pattern is longer than ${MAX_PATTERN_CHARS} characters` };
  if (text.startsWith("!")) return { problem: 'a pattern cannot be negated: write a rule of its own below, or "\\!"' };
  if (/\p{Cc}/u.test(text)) return { problem: "the pattern has a control character" };
  const isFolder = /[^\\]\/$/.test(text);
  const body = text.slice(text.startsWith("/") ? 1 : 0, isFolder ? -1 : undefined);
  const names = body.split("/");
  if (names.length > MAX_SEGMENTS) return { problem: `the pattern has more than ${MAX_SEGMENTS} parts` };
  if (names.includes("")) return { problem: "the pattern has two slashes in a row" };
  if (names.some((name) => name === "." || name === "..")) return { problem: 'no path in git has "." or ".." in it' };
  const segments: Segment[] = [];
  for (const name of names) {
    const segment = name === GLOBSTAR ? GLOBSTAR : tokensOf(name);
    if (segment === null) return { problem: "a backslash stands before nothing" };
    segments.push(segment);
  }
  const isAnywhere = !text.startsWith("/") && names.length === 1;
  if (isAnywhere) segments.unshift(GLOBSTAR);
  const isDirect = names.length > 1 && names.at(-1) === "*" && !isFolder;
  return { pattern: new PathPattern(text, segments, { isFolder, isDirect }) };
}

export class PathPattern {
  /** As it was written. */
  readonly source: string;
  readonly #segments: readonly Segment[];
  readonly #isFolder: boolean;
  readonly #isDirect: boolean;

  /** Use compilePathPattern. */
  constructor(source: string, segments: readonly Segment[], kind: { isFolder: boolean; isDirect: boolean }) {
    this.source = source;
    this.#segments = segments;
    this.#isFolder = kind.isFolder;
    this.#isDirect = kind.isDirect;
  }

  matches({ names, isFolder }: MatchedPath): boolean {
    // what is below a link or a submodule has no names here
    return this.#matches(names) || (isFolder && this.#matches([...names, []]));
  }

  #matches(names: MatchedPath["names"]): boolean {
    if (this.#isDirect) return matchesNames(this.#segments, names, names.length);
    // how many names from the top may be the matched folder itself, or the file
    return matchesNames(this.#segments, names, 1, this.#isFolder ? names.length - 1 : names.length);
  }
}

function tokensOf(name: string): Token[] | null {
  const tokens: Token[] = [];
  const chars = [...name];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
    } else if (char === "?") tokens.push({ kind: "any" });
    else if (char !== "\\") tokens.push({ kind: "char", char });
    else if (at + 1 === chars.length) return null;
    else tokens.push({ kind: "char", char: chars[++at]! });
  }
  return tokens;
}

/** Whether the segments match the first `from` … `to` names: one of these counts is enough. */
function matchesNames(
  segments: readonly Segment[],
  names: MatchedPath["names"],
  from: number,
  to: number = from,
): boolean {
  // counts of names that the segments so far can stand for
  let reached = [0];
  for (let at = 0; at < segments.length; at++) {
    const segment = segments[at]!;
    if (reached.length === 0) return false;
    reached =
      segment === GLOBSTAR
        ? countsFrom(reached[0]!, at === segments.length - 1, names.length)
        : stepsFrom(segment, reached, names);
  }
  return reached.some((count) => count >= from && count <= to);
}

/** After `**`: any number of names more than the least; at the end of a pattern at least one. */
function countsFrom(least: number, isLast: boolean, length: number): number[] {
  const counts: number[] = [];
  for (let count = isLast ? least + 1 : least; count <= length; count++) counts.push(count);
  return counts;
}

/** Ascending, as it was. */
function stepsFrom(segment: readonly Token[], reached: readonly number[], names: MatchedPath["names"]): number[] {
  const next: number[] = [];
  for (const count of reached) {
    const name = names[count];
    if (name !== undefined && matchesName(segment, name)) next.push(count + 1);
  }
  return next;
}

/** Goes back to the last star only. */
function matchesName(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let char = 0;
  let star = -1;
  let mark = 0;
  while (char < name.length) {
    const current = tokens[token];
    if (current?.kind === "star") {
      star = token++;
      mark = char;
    } else if (current !== undefined && (current.kind === "any" || current.char === name[char])) {
      token++;
      char++;
    } else if (star >= 0) {
      token = star + 1;
      char = ++mark;
    } else return false;
  }
  while (tokens[token]?.kind === "star") token++;
  return token === tokens.length;
}
