// Text as a part of a regular expression that means just this text, in every mode: with `u` and `v`, too, where a backslash before
// anything else is a mistake.

export function literalPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
