// Regular expressions as a tree: JavaScript's syntax (with the flag u) without what needs backtracking. The caller has had
// JavaScript check the syntax, so that only what is not supported is complained about here.

import {
  BLANKS,
  type CodePointSet,
  complement,
  DIGITS,
  LINE_ENDS,
  union,
  WORD,
  withBothCases,
} from "./codePointSet.js";

export type Assertion = "line-start" | "line-end" | "word-edge" | "no-word-edge";

export type PatternNode =
  | { kind: "set"; set: CodePointSet }
  | { kind: "sequence"; parts: readonly PatternNode[] }
  | { kind: "choice"; options: readonly PatternNode[] }
  /** `max` may be Infinity. */
  | { kind: "repeat"; node: PatternNode; min: number; max: number }
  | { kind: "assertion"; what: Assertion };

export interface PatternFlags {
  ignoreCase: boolean;
  dotAll: boolean;
}

/** What a pattern uses and we do not read. */
export class NotSupported extends Error {}

const CLASSES: Readonly<Record<string, CodePointSet>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: BLANKS,
  S: complement(BLANKS),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, "0": 0 };

/** Throws NotSupported. */
export function parsePattern(source: string, flags: PatternFlags): PatternNode {
  return new PatternParser(source, flags).choice();
}

class PatternParser {
  readonly #chars: readonly string[];
  readonly #flags: PatternFlags;
  #at = 0;

  constructor(source: string, flags: PatternFlags) {
    this.#chars = [...source];
    this.#flags = flags;
  }

  choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== "|" && this.#peek() !== ")") {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeated(node: PatternNode): PatternNode {
    let result = node;
    if (this.#take("*")) result = { kind: "repeat", node, min: 0, max: Number.POSITIVE_INFINITY };
    else if (this.#take("+")) result = { kind: "repeat", node, min: 1, max: Number.POSITIVE_INFINITY };
    else if (this.#take("?")) result = { kind: "repeat", node, min: 0, max: 1 };
    else if (this.#take("{")) result = this.#counted(node);
    else return node;
    // lazy: the same texts match
    this.#take("?");
    return result;
  }

  #counted(node: PatternNode): PatternNode {
    let text = "";
    while (!this.#take("}")) text += this.#next();
    const [min, max] = text.split(",");
    const most = max === undefined ? Number(min) : max === "" ? Number.POSITIVE_INFINITY : Number(max);
    return { kind: "repeat", node, min: Number(min), max: most };
  }

  #atom(): PatternNode {
    const char = this.#next();
    switch (char) {
      case "^":
        return { kind: "assertion", what: "line-start" };
      case "$":
        return { kind: "assertion", what: "line-end" };
      case ".":
        return { kind: "set", set: this.#flags.dotAll ? complement([]) : complement(LINE_ENDS) };
      case "(":
        return this.#group();
      case "[":
        return this.#bracket();
      case "\\":
        return this.#escape();
      default:
        return this.#setOf(oneOf(char));
    }
  }

  #group(): PatternNode {
    if (this.#take("?")) {
      const kind = this.#next();
      if (kind === "<") {
        if (this.#peek() === "=" || this.#peek() === "!")
          throw new NotSupported("looking behind (?<= is not supported");
        while (!this.#take(">")) this.#next();
      } else if (kind === "=" || kind === "!") throw new NotSupported(`looking ahead (?${kind} is not supported`);
      else if (kind !== ":") throw new NotSupported("(?i) and (?s) are supported at the start only");
    }
    const inside = this.choice();
    this.#take(")");
    return inside;
  }

  #escape(): PatternNode {
    const char = this.#next();
    if (char === "b") return { kind: "assertion", what: "word-edge" };
    if (char === "B") return { kind: "assertion", what: "no-word-edge" };
    if (/[1-9k]/.test(char)) throw new NotSupported(`a reference back (\\${char}) is not supported`);
    return this.#setOf(this.#escaped(char));
  }

  #bracket(): PatternNode {
    const negated = this.#take("^");
    const members: CodePointSet[] = [];
    while (!this.#take("]")) {
      const first = this.#member();
      const isRange = this.#peek() === "-" && this.#chars[this.#at + 1] !== "]";
      if (!isRange) members.push(first);
      else {
        this.#next();
        members.push([first[0]!, this.#member()[0]!]);
      }
    }
    const set = union(...members);
    const bothCases = this.#flags.ignoreCase ? withBothCases(set) : set;
    return { kind: "set", set: negated ? complement(bothCases) : bothCases };
  }

  #member(): CodePointSet {
    const char = this.#next();
    if (char !== "\\") return oneOf(char);
    const escaped = this.#next();
    return escaped === "b" ? [8, 8] : this.#escaped(escaped);
  }

  /** What a letter behind a backslash stands for. */
  #escaped(char: string): CodePointSet {
    if (Object.hasOwn(CLASSES, char)) return CLASSES[char]!;
    if (char === "p" || char === "P") throw new NotSupported(`\\${char}{…} is not supported`);
    const code = Object.hasOwn(CONTROLS, char) ? CONTROLS[char]! : this.#numbered(char);
    return [code, code];
  }

  #numbered(char: string): number {
    if (char === "c") return this.#next().codePointAt(0)! % 32;
    if (char === "x") return this.#hex(2);
    if (char !== "u") return char.codePointAt(0)!;
    if (this.#take("{")) {
      let digits = "";
      while (!this.#take("}")) digits += this.#next();
      return Number.parseInt(digits, 16);
    }
    const unit = this.#hex(4);
    const isPair = unit >= 0xd800 && unit < 0xdc00 && this.#peek() === "\\" && this.#chars[this.#at + 1] === "u";
    if (!isPair) return unit;
    const before = this.#at;
    this.#at += 2;
    const second = this.#peek() === "{" ? 0 : this.#hex(4);
    if (second >= 0xdc00 && second < 0xe000) return (unit - 0xd800) * 0x400 + (second - 0xdc00) + 0x10000;
    this.#at = before;
    return unit;
  }

  #hex(count: number): number {
    return Number.parseInt(Array.from({ length: count }, () => this.#next()).join(""), 16);
  }

  #setOf(set: CodePointSet): PatternNode {
    return { kind: "set", set: this.#flags.ignoreCase ? withBothCases(set) : set };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new NotSupported("it ends too early");
    return char;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }
}

function oneOf(char: string): CodePointSet {
  const code = char.codePointAt(0)!;
  return [code, code];
}
