// Text from machines, specs and storages, made harmless for whoever reads a report in a terminal or in the log of a pipeline.

import { visible } from "./visibleText.js";

/** `::set-output …` at the start of a line; runners skip white space before it. */
const LINE_COMMAND = /^(\s*):(?=:)/gmu;
/** `##[command]`, `##vso[…]`, `##teamcity[…]`: some runners look for them anywhere in a line. */
const INLINE_COMMAND = /#(?=[\w-]*\[)/gu;
/** Not allowed in XML, and no characters. */
const NONCHARACTERS = /[\u{fdd0}-\u{fdef}\ufffe\uffff]/gu;

/** Visible, on its own lines, and without anything that a terminal or a pipeline's runner would obey. */
export function inert(text: string): string {
  return visible(text)
    .replace(NONCHARACTERS, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`)
    .replace(LINE_COMMAND, "$1\\x3a")
    .replace(INLINE_COMMAND, "\\x23");
}

/** On one line. */
export function inertLine(text: string): string {
  return inert(text).replaceAll(/\s*\n\s*/g, " ⏎ ");
}

/** On one line, and not longer than so many characters. */
export function shortLine(text: string, maxLength: number): string {
  const line = inertLine(text.slice(0, 8 * maxLength));
  return line.length <= maxLength ? line : `${cut(line, maxLength - 1)}…`;
}

/** Without half a surrogate pair at the end. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}
