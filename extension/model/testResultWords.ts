// How a restore test ended the last time, in a few words: for the line over it. All of its machines count, the worst first.

import { durationText, levelText, PROOF_ORDER, type WordsContext } from "./machineWords.js";
import { ageText } from "./words.js";

export interface TestResult {
  machine: string;
  outcome: string;
  provenLevel: string | null;
  rtoMs: number | null;
  atMs: number;
}

/** `machines`: those that the test has now. Undefined: nothing is known of any of them. */
export function lastResultText(
  results: readonly TestResult[],
  machines: readonly string[],
  { nowMs, locale, t }: WordsContext,
): string | undefined {
  const known = results.filter(({ machine }) => machines.includes(machine));
  if (known.length === 0) return undefined;
  const rtos = known.flatMap(({ rtoMs }) => (rtoMs === null ? [] : [rtoMs]));
  const rto = rtos.length === 0 ? [] : [t("RTO {0}", durationText(Math.max(...rtos), locale))];
  const some = known.length < machines.length ? [t("{0} of {1} machines", known.length, machines.length)] : [];
  const age = ageText(Math.min(...known.map(({ atMs }) => atMs)), nowMs, locale);
  return [outcomeWords(known, t), ...some, ...rto, age].join(", ");
}

function outcomeWords(results: readonly TestResult[], t: WordsContext["t"]): string {
  const has = (wanted: string) => results.some(({ outcome }) => outcome === wanted);
  if (has("failed")) return `$(error) ${t("restore test failed")}`;
  if (results.some(({ outcome }) => outcome !== "passed" && outcome !== "warned"))
    return `$(question) ${t("restore test inconclusive")}`;
  const rank = ({ provenLevel }: TestResult) => PROOF_ORDER.indexOf(provenLevel ?? "");
  const least = results.reduce((a, b) => (rank(b) < rank(a) ? b : a));
  return `$(${has("warned") ? "warning" : "pass"}) ${levelText(least.provenLevel, t) ?? t("nothing proven")}`;
}
