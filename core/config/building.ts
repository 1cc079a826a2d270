// What all builders of a configuration share: where problems and warnings go, and names that must exist.

import { nearestWord } from "../yaml/nearestWord.js";
import type { ProblemList } from "../yaml/problems.js";
import { pointerPart } from "../yaml/yamlDocuments.js";
import { asList, type OneOrMore } from "./rawConfig.js";
import { matchesName } from "./wildcard.js";

export interface Building {
  problems: ProblemList;
  /** Does not keep the configuration from being used. */
  warnings: ProblemList;
}

/** Entries of a map by name, each with its place. */
export function entriesAt<T>(map: Record<string, T> | undefined, path: string): { name: string; raw: T; at: string }[] {
  return Object.entries(map ?? {}).map(([name, raw]) => ({ name, raw, at: `${path}/${pointerPart(name)}` }));
}

/** Members of a list, or of what stands there alone, each with its place. */
export function membersAt<T>(given: OneOrMore<T> | undefined, path: string): { value: T; at: string }[] {
  return asList(given).map((value, i) => ({ value, at: Array.isArray(given) ? `${path}/${i}` : path }));
}

export interface Known {
  /** What one is called: "repository". */
  what: string;
  names: readonly string[];
}

/** Adds a problem when a name is not known; returns whether it is. */
export function checkName(name: string, { what, names }: Known, at: string, { problems }: Building): boolean {
  if (names.includes(name)) return true;
  problems.add(at, unknownName(name, { what, names }));
  return false;
}

const MAX_NAMES_SHOWN = 10;

function unknownName(name: string, { what, names }: Known): string {
  const near = nearestWord(name, names);
  const message = `there is no ${what} ${JSON.stringify(name)} in this file`;
  if (near !== null) return `${message}; did you mean "${near}"?`;
  if (names.length === 0) return `${message}; it names none`;
  const more = names.length > MAX_NAMES_SHOWN ? ", …" : "";
  return `${message}; there are: ${names.slice(0, MAX_NAMES_SHOWN).join(", ")}${more}`;
}

/**
 * Names out of a list in which `*` in a name stands for any characters, and `all` alone for all of them. Unknown ones, repeats and
 * patterns that match nothing are problems.
 */
export function namedOnes(
  given: OneOrMore<string>,
  { known, path, all = known.names }: { known: Known; path: string; all?: readonly string[] },
  building: Building,
): string[] {
  const members = membersAt(given, path);
  if (members.length === 0) building.problems.add(path, `names no ${known.what}; write all for every one`);
  const found = new Set<string>();
  for (const { value, at } of members) {
    if (value === "all") {
      if (members.length > 1) building.problems.add(at, `all stands alone: it covers every ${known.what}`);
      else if (all.length === 0) building.problems.add(at, `there is no ${known.what} in this file`);
      for (const name of all) found.add(name);
    } else if (value.includes("*")) {
      const matches = known.names.filter((name) => matchesName(value, name));
      if (matches.length === 0)
        building.problems.add(at, `${JSON.stringify(value)} matches no ${known.what} of this file`);
      for (const name of matches) found.add(name);
    } else if (checkName(value, known, at, building)) {
      if (found.has(value)) building.problems.add(at, `${value} is listed twice`);
      found.add(value);
    }
  }
  return [...found];
}
