// Locations of repositories as people write them: which are the same place, and which say where they are.

import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

/** What the core is given: `~` at the beginning is the home folder. */
export function expandLocation(location: string): string {
  return location === "~" || location.startsWith("~/") ? homedir() + location.slice(1) : location;
}

/** Two spellings of one place: `/x`, `/x/` and `file:///x`. Nothing is looked up: links are not followed. */
export function isSameLocation(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

/** A path from the top or from the home folder, or a URL: the same wherever a process was started. */
export function isFullLocation(location: string): boolean {
  // two letters at least, as the core takes them: `C:\` is a path
  const isUrl = /^[A-Za-z][A-Za-z0-9+.-]+:/.test(location);
  return isUrl || /^(?:[/\\]|[A-Za-z]:[/\\]|~$|~\/)/.test(location);
}

function plain(location: string): string {
  const path = pathOfUrl(expandLocation(location));
  const isUrl = /^[A-Za-z][A-Za-z0-9+.-]+:/.test(path);
  const even = isUrl ? path.replace(/^s3:\/\//i, "s3:") : path.replaceAll(/\/(?:\.?\/)+/g, "/");
  return even.replace(/\/+\.?$/, "");
}

function pathOfUrl(location: string): string {
  if (!/^file:/i.test(location)) return location;
  try {
    return fileURLToPath(location);
  } catch {
    return location;
  }
}
