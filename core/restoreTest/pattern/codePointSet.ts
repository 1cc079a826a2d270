// Sets of Unicode code points, as sorted ranges that do not touch: what one place of a pattern accepts.

/** Inclusive: first, last, first, last, … */
export type CodePointSet = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;
export const DIGITS: CodePointSet = [0x30, 0x39];
export const WORD: CodePointSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
/** As `.` and `^` of JavaScript understand the end of a line. */
export const LINE_ENDS: CodePointSet = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
/** As `\s` of JavaScript. */
export const BLANKS: CodePointSet = [
  ...[0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029],
  ...[0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff],
];
/** Latin, Greek, Cyrillic: where upper and lower case are told apart by one character each. */
const CASED: CodePointSet = [0x41, 0x5a, 0x61, 0x7a, 0xb5, 0x24f, 0x370, 0x52f, 0x1e00, 0x1fff];

export function union(...sets: readonly CodePointSet[]): CodePointSet {
  const ranges = sets.flatMap(toRanges).sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = joined.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined.flat();
}

export function complement(set: CodePointSet): CodePointSet {
  const result: number[] = [];
  let next = 0;
  for (const [first, last] of toRanges(union(set))) {
    if (first > next) result.push(next, first - 1);
    next = last + 1;
  }
  if (next <= MAX_CODE_POINT) result.push(next, MAX_CODE_POINT);
  return result;
}

export function has(set: CodePointSet, codePoint: number): boolean {
  for (let i = 0; i < set.length; i += 2) {
    if (codePoint < set[i]!) return false;
    if (codePoint <= set[i + 1]!) return true;
  }
  return false;
}

/** With the other case of every letter in it. */
export function withBothCases(set: CodePointSet): CodePointSet {
  const added: number[] = [];
  for (const [first, last] of toRanges(set)) {
    for (const [from, to] of toRanges(CASED)) {
      for (let code = Math.max(first, from); code <= Math.min(last, to); code++) {
        const letter = String.fromCodePoint(code);
        for (const other of [letter.toLowerCase(), letter.toUpperCase()]) {
          if (other.length === 1) added.push(other.codePointAt(0)!, other.codePointAt(0)!);
        }
      }
    }
  }
  return union(set, added);
}

function toRanges(set: CodePointSet): [number, number][] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i]!, set[2 * i + 1]!]);
}
