// Retention rules as somebody types them: `daily=7 weekly=4 within=30d`.

import type { KeepRules } from "../service/actionsProtocol.js";

const COUNTS = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
const MAX_COUNT = 100_000;

export const KEEP_PRESETS: readonly string[] = [
  "daily=7 weekly=4 monthly=12",
  "daily=14 weekly=8 monthly=24 yearly=3",
  "within=30d",
  "last=10",
];

/** Undefined: not understood, or no rule at all. */
export function parseKeepRules(text: string): KeepRules | undefined {
  const rules: KeepRules = {};
  for (const word of text.split(/[\s,]+/).filter((each) => each !== "")) {
    const [, name = "", value = ""] = /^(?:--keep-)?([a-z]+)[=:](\w+)$/.exec(word) ?? [];
    const count = COUNTS.find((each) => each === name);
    if (name === "within" && /^(?:\d{1,5}[a-z]+)+$/.test(value)) rules.within = value;
    else if (count !== undefined && /^\d{1,6}$/.test(value) && Number(value) <= MAX_COUNT) rules[count] = Number(value);
    else return undefined;
  }
  const isSomething = COUNTS.some((name) => (rules[name] ?? 0) > 0) || rules.within !== undefined;
  return isSomething ? rules : undefined;
}

export function formatKeepRules(rules: KeepRules): string {
  const counts = COUNTS.flatMap((name) => ((rules[name] ?? 0) > 0 ? [`${name}=${rules[name]}`] : []));
  return [...counts, ...(rules.within === undefined ? [] : [`within=${rules.within}`])].join(" ");
}
