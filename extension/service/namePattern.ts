// Names by a part of them, or by a pattern with `*` and `?` that fits the whole name. Capital letters do not matter. Pure.

/** A pattern takes its length times that of the name at the worst. */
const MAX_PATTERN = 255;

/** What no name can have matches none; the empty text matches all. */
export function namePattern(text: string, { whole = false } = {}): (name: string) => boolean {
  const wanted = text.slice(0, MAX_PATTERN).toLowerCase();
  if (!/[*?]/.test(wanted)) {
    if (!whole) return (name) => name.toLowerCase().includes(wanted);
    return (name) => name.toLowerCase() === wanted;
  }
  return (name) => fits(wanted, name.toLowerCase());
}

/** The usual two pointers: the last star takes one more character whenever the rest does not fit. */
function fits(pattern: string, name: string): boolean {
  let [p, n, star, taken] = [0, 0, -1, 0];
  while (n < name.length) {
    const char = pattern[p];
    if (char === "*") {
      star = p++;
      taken = n;
    } else if (char === "?" || char === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++taken;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
