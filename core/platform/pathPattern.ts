// Patterns for paths as in CODEOWNERS: `*.tf`, `db/`, `/infra/prod/**`, `docs/*`. Matching takes steps in proportion to pattern times path and
// never goes back further than the last star, whatever stands in either: no regular expression is made. Case counts.

type Names = readonly (readonly string[])[];

/** A path taken apart, once for all patterns. */
export interface MatchedPath {
  /** Characters of the names from the top: as they are, and where that differs in the normal forms C and D. */
  forms: readonly Names[];
  /** It may stand for a folder whose files are not listed, as a link or a submodule does. */
  isFolder: boolean;
}

/** `path`: from the top, with `/`. */
export function matchedPath(path: string, isFolder: boolean): MatchedPath {
  return { forms: formsOf(path).map((form) => form.split("/").map((name) => [...name])), isFolder };
}

/** What looks the same counts as the same: some systems write é as one character, others as two. */
function formsOf(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  return /^[\x00-\x7f]*$/.test(text) ? [text] : [text, text.normalize("NFC"), text.normalize("NFD")];
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
  const isAnywhere = !text.startsWith("/") && names.length === 1;
  const forms: Segment[][] = [];
  for (const form of formsOf(body)) {
    const segments = segmentsOf(form.split("/"));
    if (segments === null) return { problem: "a backslash stands before nothing" };
    forms.push(isAnywhere ? [GLOBSTAR, ...segments] : segments);
  }
  const isDirect = names.length > 1 && names.at(-1) === "*" && !isFolder;
  return { pattern: new PathPattern(text, forms, { isFolder, isDirect }) };
}

function segmentsOf(names: readonly string[]): Segment[] | null {
  const segments: Segment[] = [];
  for (const name of names) {
    const segment = name === GLOBSTAR ? GLOBSTAR : tokensOf(name);
    if (segment === null) return null;
    segments.push(segment);
  }
  return segments;
}

export class PathPattern {
  /** As it was written. */
  readonly source: string;
  readonly #forms: readonly (readonly Segment[])[];
  readonly #isFolder: boolean;
  readonly #isDirect: boolean;

  /** Use compilePathPattern. */
  constructor(source: string, forms: readonly (readonly Segment[])[], kind: { isFolder: boolean; isDirect: boolean }) {
    this.source = source;
    this.#forms = forms;
    this.#isFolder = kind.isFolder;
    this.#isDirect = kind.isDirect;
  }

  matches(path: MatchedPath): boolean {
    // what is below a link or a submodule has no names here
    return this.#inSomeForm(
      path,
      (segments, names) => this.#matches(segments, names) || (path.isFolder && this.#matches(segments, [...names, []])),
    );
  }

  /** Whether it may match a path below this one: names that nobody knows, as behind a link. */
  mayMatchBelow(path: MatchedPath): boolean {
    return this.#inSomeForm(path, (segments, names) => {
      const reached = countsOf(segments, names);
      return reached.isOpen || (!this.#isDirect && reached.counts.some((count) => count >= 1));
    });
  }

  /** Whether it matches this path, as a file, and whatever may be below it. */
  coversBelow(path: MatchedPath): boolean {
    return !this.#isDirect && this.matches({ ...path, isFolder: false });
  }

  #inSomeForm({ forms }: MatchedPath, isMet: (segments: readonly Segment[], names: Names) => boolean): boolean {
    const count = Math.max(forms.length, this.#forms.length);
    for (let at = 0; at < count; at++) {
      if (isMet(this.#forms[at] ?? this.#forms[0]!, forms[at] ?? forms[0]!)) return true;
    }
    return false;
  }

  #matches(segments: readonly Segment[], names: Names): boolean {
    const { counts } = countsOf(segments, names);
    const from = this.#isDirect ? names.length : 1;
    // how many names from the top may be the matched folder itself, or the file
    const to = this.#isFolder && !this.#isDirect ? names.length - 1 : names.length;
    return counts.some((count) => count >= from && count <= to);
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

/** How many of the first names the segments can stand for. `isOpen`: all of them, and there are segments left for what is below. */
function countsOf(segments: readonly Segment[], names: Names): { counts: readonly number[]; isOpen: boolean } {
  // counts of names that the segments so far can stand for
  let reached = [0];
  let isOpen = false;
  for (let at = 0; at < segments.length; at++) {
    const segment = segments[at]!;
    if (reached.length === 0) break;
    isOpen ||= segment === GLOBSTAR || reached.at(-1) === names.length;
    reached =
      segment === GLOBSTAR
        ? countsFrom(reached[0]!, at === segments.length - 1, names.length)
        : stepsFrom(segment, reached, names);
  }
  return { counts: reached, isOpen };
}

/** After `**`: any number of names more than the least; at the end of a pattern at least one. */
function countsFrom(least: number, isLast: boolean, length: number): number[] {
  const counts: number[] = [];
  for (let count = isLast ? least + 1 : least; count <= length; count++) counts.push(count);
  return counts;
}

/** Ascending, as it was. */
function stepsFrom(segment: readonly Token[], reached: readonly number[], names: Names): number[] {
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
