// Names out of backups in places of the editor that give text a meaning (harmlessText.ts) or have little room. Control characters
// are escaped long before (core's formatName); a name can still be thousands of characters long.

import { withoutIcons, withoutLinks } from "./harmlessText.js";

const MAX_LABEL = 200;

/** For labels of lists. */
export function labelText(text: string): string {
  return withoutIcons(shortened(text));
}

/** A name in a notification. */
export function messageText(text: string): string {
  return withoutLinks(shortened(text));
}

/** Its beginning and its end. */
export function shortened(text: string, max = MAX_LABEL): string {
  const chars = [...text];
  if (chars.length <= max) return text;
  const kept = Math.floor((max - 1) / 2);
  return `${chars.slice(0, max - 1 - kept).join("")}…${chars.slice(-kept).join("")}`;
}

/** A sentence of which each word has room: paths can be thousands of characters long. */
export function shortenedWords(text: string): string {
  return text.replaceAll(/\S{201,}/g, (word) => shortened(word));
}

/** The last names of a long path. */
export function lastNames(path: string, count = 2): string {
  const names = path.split("/").filter((name) => name !== "");
  return names.length <= count ? path : `…/${names.slice(-count).join("/")}`;
}

/** The last name of a path, or the path itself when it has none. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}
