// Pieces of Markdown. Whatever comes from elsewhere stands in code spans and code blocks: there neither Markdown nor HTML means
// anything, nobody is mentioned and nothing is linked. Pure.

import { inert, shortLine } from "./inertText.js";
import { pageAddress } from "./pageAddress.js";

const MAX_CELL = 160;
const MAX_PROSE = 300;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""];
}

/** A code span that is safe within a table. */
export function code(text: string): string {
  const line = shortLine(text.trim(), MAX_CELL).replaceAll("|", "\\x7c");
  if (line === "") return "";
  const fence = "`".repeat(longestRun(line) + 1);
  const space = /^`|`$/.test(line) ? " " : "";
  return `${fence}${space}${line}${space}${fence}`;
}

/** A code block; its fence is longer than any in the text. */
export function block(text: string): string[] {
  const lines = inert(text.trimEnd()).split("\n");
  const fence = "`".repeat(Math.max(3, longestRun(lines.join("\n")) + 1));
  return [`${fence}text`, ...lines, fence];
}

/** Letters, digits and the marks of sentences; nothing that Markdown or GitHub makes something of. */
const PLAIN_WORD = /^[("'“„]?[\p{L}\p{N}]+(?:[-–'’.,][\p{L}\p{N}]+)*[)"'”]?[.,;:!?…]*$/u;
/** Addresses, references to issues, and digests of commits, which GitHub links. */
const LINKED_WORD = /\.\p{L}|^\(?GH-|[0-9a-f]{7}/iu;
/** Marks that stand alone, and times of day. */
const MARK = /^(?:[–—×…⏎≤≥]|\d\d:\d\d(?::\d\d)?[.,;]?)$/u;

/**
 * A sentence with words from elsewhere in it: what could mean anything to Markdown or be taken for a name, an address or a reference
 * stands in code spans, all else stays readable. Not for the start of a line.
 */
export function prose(text: string, maxLength: number = MAX_PROSE): string {
  const words = shortLine(text.trim(), maxLength).split(" ").filter(Boolean);
  const parts: { plain: boolean; words: string[] }[] = [];
  for (const word of words) {
    const plain = MARK.test(word) || (PLAIN_WORD.test(word) && !LINKED_WORD.test(word));
    const last = parts.at(-1);
    if (last?.plain === plain && (plain || !isBreak(last.words.at(-1), word))) last.words.push(word);
    else parts.push({ plain, words: [word] });
  }
  return parts.map((part) => (part.plain ? part.words.join(" ") : codeWords(part.words))).join(" ");
}

/** Where a sentence has a mark or a bracket, one code span ends: "`vm/db1` (`1a2b3c4`, `5d6e7f8`)". */
function isBreak(before: string | undefined, word: string): boolean {
  return word.startsWith("(") || /[,;)]$/.test(before ?? "");
}

/** Marks around the words stay outside: "(`vm/web1`)"; the brackets of a call inside: "`always()`". */
function codeWords(words: readonly string[]): string {
  const match = /^(\(?)(.*?)(\)?)([.,;:]?)$/su.exec(words.join(" ")) as RegExpExecArray;
  const [open, middle, bracket, mark] = match.slice(1) as [string, string, string, string];
  const isCall = open === "" && middle.includes("(") && !middle.includes(")");
  const [inside, close] = isCall ? [`${middle}${bracket}`, mark] : [middle, `${bracket}${mark}`];
  return inside === "" ? `${open}${close}` : `${open}${code(inside)}${close}`;
}

/** `[words](<address>)`; the words are ours. Null when it is not the address of a page. */
export function link(words: string, url: string): string | null {
  const href = pageAddress(url);
  if (href === null) return null;
  // After the origin, whose brackets belong to the numbers of a host.
  const { origin } = new URL(href);
  const rest = href.startsWith(origin) ? href.slice(origin.length) : null;
  if (rest === null) return null;
  const safe = origin + rest.replaceAll(/[\\`|<>[\]\s]/g, (char) => encodeURIComponent(char));
  return `[${words}](<${safe}>)`;
}

/** Words and amounts that stay on one line; after a comma there may be a new one. */
export function unbroken(markdown: string): string {
  return markdown.replaceAll(/(?<!,) /g, "\u00a0");
}

/** What is folded away until somebody opens it; the title is ours. */
export function folded(title: string, lines: readonly string[]): string[] {
  return ["<details>", `<summary>${title}</summary>`, "", ...lines, "</details>", ""];
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
