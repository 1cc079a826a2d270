// A retention in words: what it keeps, and what it would keep of the snapshots that a machine has today.

import type { KeepData, KeepPreviewData, KeepRule } from "../service/policyProtocol.js";
import type { Translate } from "./words.js";

const ORDER: readonly KeepRule[] = ["last", "hourly", "daily", "weekly", "monthly", "yearly"];

/** A sentence for each rule that is on, in the order in which they choose. `only`: of this rule alone. */
export function keepSentences(keep: KeepData, t: Translate, only?: string): string[] {
  const sentences: [string, string][] = [];
  if (keep.within !== null) sentences.push(["within", t("everything that is not older than {0}", keep.within)]);
  for (const rule of ORDER) {
    const count = keep.counts[rule] ?? 0;
    if (count > 0) sentences.push([rule, ruleSentence(rule, count, t)]);
  }
  const chosen = sentences.filter(([rule]) => rule === only);
  return (chosen.length > 0 ? chosen : sentences).map(([, sentence]) => sentence);
}

function ruleSentence(rule: KeepRule, count: number, t: Translate): string {
  switch (rule) {
    case "last":
      return t("the newest {0} snapshots", count);
    case "hourly":
      return t("the last snapshot of each of {0} hours", count);
    case "daily":
      return t("the last snapshot of each of {0} days", count);
    case "weekly":
      return t("the last snapshot of each of {0} weeks", count);
    case "monthly":
      return t("the last snapshot of each of {0} months", count);
    case "yearly":
      return t("the last snapshot of each of {0} years", count);
  }
}

/** `prod:vm/web1: 12 stay, 3 go`. */
export function previewText({ machine, keeps, removes }: KeepPreviewData, t: Translate): string {
  return t("{0}: {1} stay, {2} go", machine, keeps, removes);
}
