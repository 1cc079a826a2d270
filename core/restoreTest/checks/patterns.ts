// Regular expressions of a spec, applied to text of a machine.

/** Whether it matches anywhere. Does not depend on, or change, the pattern's own position. */
export function isMatch(pattern: RegExp, text: string): boolean {
  return firstMatch(pattern, text) !== null;
}

/** What it matched first, or null. A spec's pattern is used as it is: built anew, it would backtrack (linearPattern.ts). */
export function firstMatch(pattern: RegExp, text: string): string | null {
  const keepsPosition = pattern.global || pattern.sticky;
  const used = keepsPosition ? new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, "")) : pattern;
  return used.exec(text)?.[0] ?? null;
}

/** Compares text of a guest with what a check wants of it: null when all is as wanted. */
export function complaintAbout(
  text: string,
  wanted: { matches: RegExp | null; forbidden: RegExp | null },
): string | null {
  if (wanted.matches !== null && !isMatch(wanted.matches, text)) return `nothing matches ${wanted.matches}`;
  const bad = wanted.forbidden === null ? null : firstMatch(wanted.forbidden, text);
  return bad === null ? null : `${wanted.forbidden} must not appear, but "${bad.slice(0, 200)}" does`;
}

/** ", output matching /a/, without /b/": empty when nothing is asked. */
export function describeWanted(what: string, wanted: { matches: RegExp | null; forbidden: RegExp | null }): string {
  const parts = [
    wanted.matches === null ? "" : `, ${what} matching ${wanted.matches}`,
    wanted.forbidden === null ? "" : `, ${what} without ${wanted.forbidden}`,
  ];
  return parts.join("");
}
