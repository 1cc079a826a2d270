// What a retention policy may say: how many snapshots to keep per rule, and for how long to keep everything. Only the
// values and their check; planPrune gives them their meaning (docs/retention.md).

import type { Duration } from "../calendar/duration.js";
import { checkDuration, isZeroDuration } from "../calendar/duration.js";
import { RepriseError } from "../errors.js";

/** The counting rules in the order in which they choose. */
export const COUNT_RULES = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
export type CountRule = (typeof COUNT_RULES)[number];

/** Counts are whole numbers; 0 and undefined both mean that the rule is off, and so does a duration of no time. */
export interface KeepOptions {
  last?: number;
  hourly?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
  yearly?: number;
  /** Keep everything that is not older than this, counted back from now. */
  within?: Duration;
}

/**
 * Checks options that came from outside; `within` may be a text ("30d"). A name that is not an option is refused: a
 * misspelt rule must not silently keep nothing. Throws KEEP_OPTIONS_INVALID, DURATION_INVALID.
 */
export function checkKeepOptions(value: unknown): KeepOptions {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RepriseError("usage", "KEEP_OPTIONS_INVALID", "the keep options are not an object");
  }
  const keep: KeepOptions = {};
  for (const [name, given] of Object.entries(value)) {
    if (given === undefined) continue;
    if (name === "within") keep.within = checkDuration(given);
    else if (isCountRule(name)) keep[name] = checkCount(name, given);
    else throw unknownOption(name);
  }
  return keep;
}

/** True when no rule is on. A policy that says nothing keeps everything. */
export function keepsEverything(keep: KeepOptions): boolean {
  return !hasWithin(keep) && COUNT_RULES.every((rule) => (keep[rule] ?? 0) === 0);
}

export function hasWithin(keep: KeepOptions): keep is KeepOptions & { within: Duration } {
  return keep.within !== undefined && !isZeroDuration(keep.within);
}

function isCountRule(name: string): name is CountRule {
  return (COUNT_RULES as readonly string[]).includes(name);
}

function checkCount(name: CountRule, given: unknown): number {
  if (Number.isSafeInteger(given) && (given as number) >= 0) return given as number;
  throw new RepriseError("usage", "KEEP_OPTIONS_INVALID", `keep-${name} is not a whole number, 0 or more`, {
    data: { option: name, given: typeof given === "object" ? "object" : String(given).slice(0, 40) },
    hint: `write the number of snapshots to keep, or leave keep-${name} out`,
  });
}

function unknownOption(name: string): RepriseError {
  const shown = name.slice(0, 40);
  return new RepriseError("usage", "KEEP_OPTIONS_INVALID", `"${shown}" is not a keep option`, {
    data: { option: shown },
    hint: `the keep options are ${COUNT_RULES.join(", ")} and within`,
  });
}
