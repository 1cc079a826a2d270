// Members of a report's JSON, each with its bound.

import { formatError } from "../format/bytes.js";
import { Fields } from "../format/fields.js";
import { type ListName, MAX_ELEMENTS, MAX_TEXT_CHARS } from "./jobReportLimits.js";

export const MAX_CHARS = MAX_TEXT_CHARS;
const MAX_HEX = 64;

export function text(fields: Fields, name: string): string {
  return fields.string(name, MAX_CHARS);
}

/** An id or a digest; empty where there was none to tell. */
export function hex(fields: Fields, name: string): string {
  const value = fields.string(name, MAX_HEX);
  if (!/^[0-9a-f]*$/.test(value)) throw formatError(fields.what, `member "${name}" is not hex`);
  return value;
}

export function count(fields: Fields, name: string): number {
  return fields.integer(name, 0, Number.MAX_SAFE_INTEGER);
}

/** Ages, too: clocks of two machines may disagree. */
export function signed(fields: Fields, name: string): number {
  return fields.integer(name, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}

export function truth(fields: Fields, name: string): boolean {
  return fields.boolean(name);
}

export function instant(fields: Fields, name: string): string {
  return fields.instant(name);
}

export function nullable<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T): T | null {
  return fields.raw(name) === null ? null : read(fields, name);
}

export function list(fields: Fields, name: ListName): Fields[] {
  return fields
    .array(name, MAX_ELEMENTS[name])
    .map((value, index) => new Fields(value, `${fields.what}.${name}[${index}]`));
}

export function labelled(fields: Fields, name: "facts" | "required" | "found"): { label: string; value: string }[] {
  return list(fields, name).map((fact) => ({ label: text(fact, "label"), value: text(fact, "value") }));
}
