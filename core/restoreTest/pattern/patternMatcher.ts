// Looks for a pattern in a text, in time proportional to the text: all states that are possible are followed at once, and
// sets of states that were seen are remembered as one (a deterministic automaton that grows while it is used).

import { type CodePointSet, has, LINE_ENDS, WORD } from "./codePointSet.js";
import type { PatternProgram } from "./patternProgram.js";
import type { Assertion } from "./patternSyntax.js";

/** What lies on one side of a position, as far as assertions ask. */
const BORDER = 0; // the end of a line, or of the text
const IN_WORD = 1;
const OTHER = 2;
type Side = typeof BORDER | typeof IN_WORD | typeof OTHER;

interface StateSet {
  states: readonly number[];
  before: Side;
  /** By class of the next character: 2 × the following set, + 1 when there was a match before it; -1: not known yet. */
  table: Int32Array;
}

const MAX_SETS = 1000;
const UNKNOWN = -1;

export class PatternMatcher {
  readonly #program: PatternProgram;
  readonly #classes: CharacterClasses;
  #sets: StateSet[] = [];
  #indexOf = new Map<string, number>();

  constructor(program: PatternProgram) {
    this.#program = program;
    this.#classes = new CharacterClasses(program);
  }

  /** Where the match that ends first ends, or -1. Never splits a character. */
  firstEnd(text: string): number {
    const { end, classOf } = this.#classes;
    let current = this.#indexFor([this.#program.start], BORDER);
    for (let at = 0; at < text.length; ) {
      const code = text.codePointAt(at)!;
      const step = this.#step(current, classOf(code));
      if (step % 2 === 1) return at;
      current = step >> 1;
      at += code > 0xffff ? 2 : 1;
    }
    return this.#step(current, end) % 2 === 1 ? text.length : -1;
  }

  /** The earliest start of a match that ends at `end`, not before `from`. */
  earliestStart(text: string, from: number, end: number): number {
    let starts = new Map<number, number>();
    for (let at = from; ; ) {
      if (!starts.has(this.#program.start)) starts.set(this.#program.start, at);
      const code = at < text.length ? text.codePointAt(at)! : -1;
      const [before, after] = [this.#sideBefore(text, at), code < 0 ? BORDER : sideOf(code)];
      const ordered = [...starts].sort((a, b) => a[1] - b[1]);
      const next = new Map<number, number>();
      const reached = new Set<number>();
      for (const [state, start] of ordered) {
        for (const now of this.#closure([state], before, after, reached)) {
          const entered = this.#program.states[now]!;
          if (entered.kind === "accept" && at === end) return start;
          if (entered.kind === "character" && code >= 0 && has(entered.set, code) && !next.has(entered.next)) {
            next.set(entered.next, start);
          }
        }
      }
      if (at >= end) return end;
      starts = next;
      at += code > 0xffff ? 2 : 1;
    }
  }

  /** Where the longest match that starts at `start` ends, not behind `limit`; -1: none. */
  longestEnd(text: string, start: number, limit: number): number {
    let states: readonly number[] = [this.#program.start];
    let found = -1;
    for (let at = start; at <= limit && states.length > 0; ) {
      const code = at < text.length ? text.codePointAt(at)! : -1;
      const closed = this.#closure(states, this.#sideBefore(text, at), code < 0 ? BORDER : sideOf(code), new Set());
      if (closed.some((state) => this.#program.states[state]!.kind === "accept")) found = at;
      if (code < 0) break;
      states = this.#after(closed, (set) => has(set, code));
      at += code > 0xffff ? 2 : 1;
    }
    return found;
  }

  #step(index: number, characterClass: number): number {
    const known = this.#sets[index]!.table[characterClass]!;
    return known === UNKNOWN ? this.#grow(index, characterClass) : known;
  }

  #grow(index: number, characterClass: number): number {
    const set = this.#sets[index]!;
    const { end, sample } = this.#classes;
    const after = characterClass === end ? BORDER : sideOf(sample(characterClass));
    const closed = this.#closure(set.states, set.before, after, new Set());
    const matched = closed.some((state) => this.#program.states[state]!.kind === "accept") ? 1 : 0;
    if (matched === 1 || characterClass === end) {
      set.table[characterClass] = matched;
      return matched;
    }
    const code = sample(characterClass);
    const following = this.#after(closed, (accepted) => has(accepted, code));
    const isFull = this.#sets.length >= MAX_SETS;
    if (isFull) this.#forget();
    const next = this.#indexFor([...following, this.#program.start], after);
    if (!isFull) set.table[characterClass] = 2 * next;
    return 2 * next;
  }

  #forget(): void {
    this.#sets = [];
    this.#indexOf = new Map();
  }

  #indexFor(states: readonly number[], before: Side): number {
    const sorted = [...new Set(states)].sort((a, b) => a - b);
    const key = `${before}:${sorted.join(",")}`;
    const known = this.#indexOf.get(key);
    if (known !== undefined) return known;
    const table = new Int32Array(this.#classes.end + 1).fill(UNKNOWN);
    const index = this.#sets.push({ states: sorted, before, table }) - 1;
    this.#indexOf.set(key, index);
    return index;
  }

  /** All states that can be reached without a character; those in `reached` are left out and added to. */
  #closure(states: readonly number[], before: Side, after: Side, reached: Set<number>): number[] {
    const found: number[] = [];
    const waiting = [...states];
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (reached.has(index)) continue;
      reached.add(index);
      found.push(index);
      const state = this.#program.states[index]!;
      if (state.kind === "branch") waiting.push(...state.next);
      else if (state.kind === "assertion" && isTrue(state.what, before, after)) waiting.push(state.next);
    }
    return found;
  }

  #after(closed: readonly number[], accepts: (set: CodePointSet) => boolean): number[] {
    const next = new Set<number>();
    for (const index of closed) {
      const state = this.#program.states[index]!;
      if (state.kind === "character" && accepts(state.set)) next.add(state.next);
    }
    return [...next];
  }

  #sideBefore(text: string, at: number): Side {
    return at === 0 ? BORDER : sideOf(text.charCodeAt(at - 1));
  }
}

function isTrue(what: Assertion, before: Side, after: Side): boolean {
  if (what === "line-start") return before === BORDER;
  if (what === "line-end") return after === BORDER;
  return ((before === IN_WORD) !== (after === IN_WORD)) === (what === "word-edge");
}

function sideOf(code: number): Side {
  if (has(LINE_ENDS, code)) return BORDER;
  return has(WORD, code) ? IN_WORD : OTHER;
}

/** Characters that no set of the pattern tells apart are one class. */
class CharacterClasses {
  readonly #firsts: readonly number[];
  readonly #ascii: Uint16Array;

  constructor({ states }: PatternProgram) {
    const borders = new Set([0]);
    const sets = states.flatMap((state) => (state.kind === "character" ? [state.set] : []));
    for (const set of [...sets, WORD, LINE_ENDS]) {
      for (const [i, code] of set.entries()) borders.add(i % 2 === 0 ? code : code + 1);
    }
    this.#firsts = [...borders].sort((a, b) => a - b);
    this.#ascii = Uint16Array.from({ length: 128 }, (_, code) => this.#search(code));
  }

  /** The class of "no further character". */
  get end(): number {
    return this.#firsts.length;
  }

  readonly classOf = (code: number): number => (code < 128 ? this.#ascii[code]! : this.#search(code));

  /** Any character of a class. */
  readonly sample = (characterClass: number): number => this.#firsts[characterClass]!;

  #search(code: number): number {
    let [low, high] = [0, this.#firsts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#firsts[middle]! <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
