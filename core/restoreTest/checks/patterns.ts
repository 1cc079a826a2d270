// Regular expressions of a spec, applied to text of a machine.

import type { Pattern } from "../../platform/pattern.js";

interface Wanted {
  matches: Pattern | null;
  forbidden: Pattern | null;
}

/** Compares text of a guest with what a check wants of it: null when all is as wanted. */
export function complaintAbout(text: string, wanted: Wanted): string | null {
  if (wanted.matches !== null && !wanted.matches.test(text)) return `nothing matches ${wanted.matches}`;
  const bad = wanted.forbidden?.firstMatch(text) ?? null;
  return bad === null ? null : `${wanted.forbidden} must not appear, but "${bad.slice(0, 200)}" does`;
}

/** ", output matching /a/, without /b/": empty when nothing is asked. */
export function describeWanted(what: string, wanted: Wanted): string {
  const parts = [
    wanted.matches === null ? "" : `, ${what} matching ${wanted.matches}`,
    wanted.forbidden === null ? "" : `, ${what} without ${wanted.forbidden}`,
  ];
  return parts.join("");
}
