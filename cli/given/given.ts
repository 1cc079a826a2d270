// What the user typed after a verb, with the checks that every verb needs. A wrong value is a usage error that names the
// option.

import { RepriseError } from "../../core/index.js";

export class Given {
  readonly operands: readonly string[];
  readonly #options: Readonly<Record<string, unknown>>;

  /** `options` by their names in camelCase: texts, lists of texts, true; false for `--no-…`. */
  constructor(operands: readonly string[], options: Readonly<Record<string, unknown>>) {
    this.operands = operands;
    this.#options = options;
  }

  operand(index: number): string {
    return this.operands[index] ?? "";
  }

  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === "string" ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? (value as string[]) : [];
  }

  /** True for a switch that was given, and for `--no-…` that was not. */
  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  has(name: string): boolean {
    return this.#options[name] !== undefined;
  }

  /** A whole number from `min` to `max`; undefined when not given. */
  integer(name: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
    throw wrongValue(optionName(name), text, `a whole number, ${range}`);
  }

  /** What `read` makes of the text; undefined when not given. */
  parsed<T>(name: string, read: (text: string, option: string) => T): T | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : read(text, optionName(name));
  }
}

export function optionName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function usageError(message: string, hint?: string): RepriseError {
  return new RepriseError("usage", "COMMAND_LINE_INVALID", message, { hint });
}

export function wrongValue(option: string, given: string, expected: string): RepriseError {
  return new RepriseError("usage", "COMMAND_LINE_INVALID", `${option}: "${given.slice(0, 100)}" is not ${expected}`, {
    data: { option },
  });
}
