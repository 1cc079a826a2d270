// Reads the fields of one object of a spec: units, sizes and expressions become values, mistakes become problems. A mistake
// yields a stand-in, so that reading goes on and all problems are told at once.

import { compilePattern, type Pattern } from "../platform/pattern.js";
import type { ProblemList } from "./problems.js";
import { formatSpan, parseSize, parseSpan } from "./units.js";

export interface SpanLimits {
  minMs: number;
  maxMs: number;
}

export class FieldReader {
  readonly path: string;
  readonly problems: ProblemList;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: object, path: string, problems: ProblemList) {
    this.#fields = fields as Readonly<Record<string, unknown>>;
    this.path = path;
    this.problems = problems;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** The schema has checked the type. */
  get<T>(name: string): T | null {
    return (this.#fields[name] as T | undefined) ?? null;
  }

  /** Milliseconds. */
  span(name: string, { minMs, maxMs }: SpanLimits): number | null {
    const text = this.get<string>(name);
    if (text === null) return null;
    const spanMs = parseSpan(text);
    if (spanMs === null) {
      this.problem(
        name,
        `${name}: ${JSON.stringify(text)} is no duration: each unit once, the longest first, as in 1h30m`,
      );
      return minMs;
    }
    if (spanMs >= minMs && spanMs <= maxMs) return spanMs;
    this.problem(name, `${name}: ${text} is out of range: ${formatSpan(minMs)} to ${formatSpan(maxMs)}`);
    return minMs;
  }

  /** Bytes. */
  size(name: string): number | null {
    const given = this.get<string | number>(name);
    if (given === null) return null;
    const bytes = parseSize(given);
    if (bytes === null) this.problem(name, `${name}: ${JSON.stringify(given)} is no size such as 512MiB or 2GiB`);
    return bytes ?? 0;
  }

  pattern(name: string): Pattern | null {
    const source = this.get<string>(name);
    if (source === null) return null;
    const compiled = compilePattern(source);
    if ("pattern" in compiled) return compiled.pattern;
    this.problem(name, `${name}: ${compiled.problem}`);
    return null;
  }

  problem(name: string, message: string): void {
    this.problems.add(`${this.path}/${name}`, message);
  }
}
