// Where in a YAML text a cursor stands: the keys that lead there and the word under it. A reader of lines, good enough for help
// while somebody types, when the text may not be YAML yet; what a file means is decided by the core alone.

export interface YamlPlace {
  /** Keys from the top to the cursor; items of lists have no key of their own. Inside `{…}` its key is the last one. */
  path: readonly string[];
  /** The cursor is in the name of the last key. */
  onKey: boolean;
  word: string;
  /** In the line, 0-based; the end is behind it. */
  start: number;
  end: number;
}

const KEY = /^(\s*(?:- +)*)(?:"([^"]*)"|'([^']*)'|(?!- )([^\s"'#{[&*!|>%@`][^#]*?)):(?=\s|$)/;
const WORD = /[A-Za-z0-9_.:/*@~-]/;
/** A longer line is nobody's hand-written one. */
const MAX_LINE = 4096;

/** `line` and `character` are 0-based. */
export function yamlPlaceAt(lines: readonly string[], line: number, character: number): YamlPlace {
  const text = (lines[line] ?? "").slice(0, MAX_LINE);
  const at = Math.min(character, text.length);
  const word = wordAt(text, at);
  const above = keysAbove(lines, line);
  const found = KEY.exec(text);
  if (found === null) return { path: [...above, ...flowKeys(text, at, 0)], onKey: false, ...word };
  const [whole, indent = "", ...names] = found;
  const name = names.find((each) => each !== undefined) ?? "";
  if (at < indent.length) return { path: above, onKey: false, ...word };
  const path = [...above, name];
  if (at < whole.length) return { path, onKey: true, word: name, start: indent.length, end: whole.length - 1 };
  return { path: [...path, ...flowKeys(text, at, whole.length)], onKey: false, ...word };
}

/** Keys of the lines above that this line is below of, by indentation. */
function keysAbove(lines: readonly string[], line: number): string[] {
  const keys: string[] = [];
  let indent = indentOf(lines[line] ?? "");
  for (let above = line - 1; above >= 0 && indent > 0; above--) {
    const text = (lines[above] ?? "").slice(0, MAX_LINE);
    if (/^\s*(#|$)/.test(text)) continue;
    const found = KEY.exec(text);
    const [, front = "", ...names] = found ?? [];
    if (found === null || front.length >= indent) continue;
    keys.unshift(names.find((each) => each !== undefined) ?? "");
    indent = front.length;
  }
  return keys;
}

/** The signs of list items count: what is behind them is below the key of the list, wherever they stand. */
export function indentOf(text: string): number {
  return /^\s*(?:- +)*/.exec(text)?.[0].length ?? 0;
}

/** The key that a line begins with. */
export function keyOfLine(text: string): string | undefined {
  return KEY.exec(text.slice(0, MAX_LINE))
    ?.slice(2)
    .find((each) => each !== undefined);
}

/** The key of `{a: 1, key: …` that the cursor is behind. */
function flowKeys(text: string, at: number, from: number): string[] {
  const before = text.slice(from, at);
  if (!/[{]/.test(before)) return [];
  const inner = before.slice(before.lastIndexOf("{") + 1);
  const parts = inner.replaceAll(/\[[^\]]*\]/g, "").split(/,(?![^[]*$)|,(?=[^[]*$)/);
  const open = /\[[^\]]*$/.test(inner) ? inner.slice(0, inner.lastIndexOf("[")) : (parts.at(-1) ?? "");
  const key = /(?:^|,)\s*["']?([\w-]+)["']?\s*:[^,]*$/.exec(open)?.[1];
  return key === undefined ? [] : [key];
}

function wordAt(text: string, at: number): { word: string; start: number; end: number } {
  let [start, end] = [at, at];
  while (start > 0 && WORD.test(text[start - 1] ?? "")) start--;
  while (end < text.length && WORD.test(text[end] ?? "")) end++;
  // `key:` in a flow map: the colon is not of the word
  if (text[end - 1] === ":" && end - 1 >= at) end--;
  return { word: text.slice(start, end), start, end };
}

/** What kind of name belongs where the cursor is; undefined: nothing that we know of. */
export type NameKind = "machine" | "machine or all" | "repository" | "repository or branch" | "test" | "test or all";

const KINDS: readonly [RegExp, NameKind][] = [
  [/^jobs\/[^/]+\/(backup|verify|prune|sync)$/, "machine or all"],
  [/^jobs\/[^/]+\/(repository|from)$/, "repository"],
  [/^jobs\/[^/]+\/restore-test$/, "test or all"],
  [/^restore-tests(\/spec)?(\/machines)?\/(machine|depends-on)$/, "machine"],
  [/^gates\/[^/]+\/rules\/machines$/, "machine"],
  [/^gates\/[^/]+\/evidence$/, "repository or branch"],
  [/^gates\/[^/]+(\/rules)?\/tests$/, "test"],
  [/^spec(\/machines)?\/(machine|depends-on)$/, "machine"],
];

export function nameKindAt({ path, onKey }: YamlPlace): NameKind | undefined {
  if (onKey) return undefined;
  const joined = path.map((key) => key.replaceAll("/", "\\")).join("/");
  return KINDS.find(([pattern]) => pattern.test(joined))?.[1];
}
