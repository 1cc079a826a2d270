// The text format of LVM2's metadata (lvm.conf(5) syntax): nested sections, assignments of numbers, strings and lists.
// Bounded: what a volume group needs is small.

import { damaged } from "../../filesystemErrors.js";

export type LvmValue = number | string | (number | string)[];

export interface LvmSection {
  values: Map<string, LvmValue>;
  sections: Map<string, LvmSection>;
}

const MAX_DEPTH = 8;
const MAX_ITEMS = 200_000;
/** White space and comments: by itself, so that no search for a token ever looks for one inside a comment. */
const STRING_MARK = /["\\]/g;
const SKIPPED = /(?:\s|#[^\n]*)*/y;
/** Number, name, or a single mark. */
const TOKEN = /(-?\d+(?:\.\d+)?)(?![A-Za-z0-9_.+-])|([A-Za-z0-9_.+-]+)|([{}[\]=,])/y;

export function parseLvmText(text: string): LvmSection {
  return new Parser(text).parse();
}

/** A section that must be there. */
export function sectionOf(parent: LvmSection, name: string): LvmSection {
  const section = parent.sections.get(name);
  if (section === undefined) throw invalid(`section ${name} is missing`);
  return section;
}

export function numberOf(section: LvmSection, name: string): number {
  const value = section.values.get(name);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw invalid(`${name} is not a count`);
  return value;
}

export function textOf(section: LvmSection, name: string): string {
  const value = section.values.get(name);
  if (typeof value !== "string") throw invalid(`${name} is not a string`);
  return value;
}

export function listOf(section: LvmSection, name: string): (number | string)[] {
  const value = section.values.get(name);
  if (!Array.isArray(value)) throw invalid(`${name} is not a list`);
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #items = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): LvmSection {
    const root = this.#section(0);
    this.#skip();
    if (this.#at < this.#text.length) throw invalid(`unexpected text at ${this.#at}`);
    return root;
  }

  #section(depth: number): LvmSection {
    if (depth > MAX_DEPTH) throw invalid("sections are nested too deeply");
    const section: LvmSection = { values: new Map(), sections: new Map() };
    for (;;) {
      const before = this.#at;
      const token = this.#token();
      const name = typeof token === "number" ? String(token) : token;
      if (name === undefined || name === "}") {
        this.#at = name === "}" && depth === 0 ? before : this.#at;
        if (name === undefined && depth > 0) throw invalid("a section does not end");
        return section;
      }
      if (typeof name !== "string" || !/^[A-Za-z0-9_.+-]+$/.test(name)) throw invalid(`no name at ${before}`);
      const mark = this.#token();
      if (mark === "{") section.sections.set(name, this.#section(depth + 1));
      else if (mark === "=") section.values.set(name, this.#value());
      else throw invalid(`neither a section nor a value at ${this.#at}`);
    }
  }

  #value(): LvmValue {
    const first = this.#token();
    if (first !== "[") return this.#scalar(first);
    const list: (number | string)[] = [];
    for (;;) {
      const token = this.#token();
      if (token === "]") return list;
      if (token === ",") continue;
      list.push(this.#scalar(token));
    }
  }

  #scalar(token: Token): number | string {
    if (typeof token === "number") return token;
    if (typeof token === "object") return token.string;
    throw invalid(`no value before ${this.#at}`);
  }

  #token(): Token {
    if (++this.#items > MAX_ITEMS) throw invalid("there is too much of it");
    this.#skip();
    if (this.#text[this.#at] === '"') return { string: this.#string() };
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) return undefined;
    this.#at = TOKEN.lastIndex;
    const [, number, name, mark] = match;
    // Where a name is expected, a number is one.
    if (number !== undefined) return Number(number);
    return name ?? mark;
  }

  #skip(): void {
    SKIPPED.lastIndex = this.#at;
    SKIPPED.test(this.#text);
    this.#at = SKIPPED.lastIndex;
  }

  /** From its opening quote; a backslash takes the next character as it is. */
  #string(): string {
    const parts: string[] = [];
    for (let start = this.#at + 1; ; ) {
      STRING_MARK.lastIndex = start;
      const mark = STRING_MARK.exec(this.#text);
      if (mark === null) throw invalid("a string does not end");
      parts.push(this.#text.slice(start, mark.index));
      if (mark[0] === '"') {
        this.#at = mark.index + 1;
        return parts.join("");
      }
      parts.push(this.#text[mark.index + 1] ?? "");
      start = mark.index + 2;
    }
  }
}

/** A quoted string, a number, or a name or mark; undefined at the end. */
type Token = { string: string } | number | string | undefined;

function invalid(problem: string) {
  return damaged("LVM2", "metadata", problem);
}
