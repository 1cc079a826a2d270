// Pieces of Markdown. Whatever comes from elsewhere stands in code spans and code blocks: there neither Markdown nor HTML means
// anything, nobody is mentioned and nothing is linked. Pure.

import { inert, inertLine, shortLine } from "./inertText.js";

const MAX_CELL = 160;

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

/** Words that stay words: no markup, no mention, no reference. */
export function escapeMarkdown(text: string): string {
  return inertLine(text)
    .replaceAll(/[\\`*_{}[\]~]/g, (char) => `\\${char}`)
    .replaceAll(/[&<>|@#]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
