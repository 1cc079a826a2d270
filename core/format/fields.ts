// Checked access to the members of decoded JSON. Everything read from a repository goes through here before use.

import { formatError, unsupportedVersion } from "./bytes.js";
import type { JsonValue } from "./canonicalJson.js";
import { isSid, type Sid } from "./ids.js";

export class Fields {
  readonly what: string;
  readonly #members: { readonly [name: string]: JsonValue };

  /** `what` names the structure in errors. */
  constructor(value: JsonValue | undefined, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw formatError(what, "not a JSON object");
    this.what = what;
    this.#members = value as { readonly [name: string]: JsonValue };
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name);
  }

  /** Refuses every version but 1. */
  expectVersion(): void {
    const version = this.#value("version");
    if (version !== 1) throw unsupportedVersion(this.what, version);
  }

  string(name: string, maxLength: number): string {
    const value = this.#value(name);
    if (typeof value !== "string") this.#fail(name, "is not a string");
    if (value.length > maxLength) this.#fail(name, `is longer than ${maxLength} characters`);
    return value;
  }

  nullableString(name: string, maxLength: number): string | null {
    return this.#value(name) === null ? null : this.string(name, maxLength);
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.string(name, 100);
    if (!(allowed as readonly string[]).includes(value))
      this.#fail(name, `is "${value}", not one of ${allowed.join(", ")}`);
    return value as T;
  }

  /** An instant in the manifest's form; one that no calendar has is refused. */
  time(name: string): string {
    const value = this.string(name, 20);
    if (!TIME_SECONDS.test(value)) this.#fail(name, "has the wrong form");
    const ms = Date.parse(value);
    if (Number.isNaN(ms) || formatTime(ms) !== value) this.#fail(name, "is no time");
    return value;
  }

  /** ISO 8601 UTC, with or without a fraction of a second; one that no calendar has is refused. */
  instant(name: string): string {
    const value = this.string(name, 30);
    const ms = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== value.slice(0, 19))
      this.#fail(name, "is no time");
    return value;
  }

  hex(name: string, bytes: number): string {
    const value = this.string(name, 2 * bytes);
    if (value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) this.#fail(name, `is not ${bytes} bytes of hex`);
    return value;
  }

  sid(name: string): Sid {
    const value = this.hex(name, 16);
    if (!isSid(value)) this.#fail(name, "is not an id");
    return value;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#value(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value)) this.#fail(name, "is not an integer");
    if (value < min || value > max) this.#fail(name, `is ${value}, outside ${min} to ${max}`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#value(name);
    if (typeof value !== "boolean") this.#fail(name, "is not true or false");
    return value;
  }

  array(name: string, maxLength: number): readonly JsonValue[] {
    const value = this.#value(name);
    if (!Array.isArray(value)) this.#fail(name, "is not an array");
    const list = value as readonly JsonValue[];
    if (list.length > maxLength) this.#fail(name, `has ${list.length} elements, more than ${maxLength}`);
    return list;
  }

  strings(name: string, maxCount: number, maxLength: number): string[] {
    return this.array(name, maxCount).map((value) => {
      if (typeof value !== "string" || value.length > maxLength)
        this.#fail(name, "holds something else than short strings");
      return value as string;
    });
  }

  object(name: string): Fields {
    return new Fields(this.#value(name), `${this.what}.${name}`);
  }

  raw(name: string): JsonValue {
    return this.#value(name);
  }

  #value(name: string): JsonValue {
    if (!this.has(name)) this.#fail(name, "is missing");
    return this.#members[name] as JsonValue;
  }

  #fail(name: string, problem: string): never {
    throw formatError(this.what, `member "${name}" ${problem}`);
  }
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
/** `YYYY-MM-DDTHH:MM:SSZ`. */
const TIME_SECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** A time in the manifest's form; seconds are what people type to name a snapshot. */
export function formatTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
