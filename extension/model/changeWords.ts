// Changes between two snapshots in words and icons.

import type { ChangeData, ChangeKind, ChangeTotals } from "../service/compareProtocol.js";
import { sizeText, type Translate } from "./words.js";

export const CHANGE_ICONS: Readonly<Record<ChangeKind, { id: string; color: string }>> = {
  added: { id: "diff-added", color: "gitDecoration.addedResourceForeground" },
  removed: { id: "diff-removed", color: "gitDecoration.deletedResourceForeground" },
  changed: { id: "diff-modified", color: "gitDecoration.modifiedResourceForeground" },
  metadata: { id: "info", color: "gitDecoration.ignoredResourceForeground" },
  unreadable: { id: "error", color: "list.errorForeground" },
};

/** `+3 −1 ~5`; nothing for nothing. */
export function countsText({ counts }: Pick<ChangeTotals, "counts">): string {
  const marks: [string, number][] = [
    ["+", counts.added],
    ["−", counts.removed],
    ["~", counts.changed],
    ["m", counts.metadata],
    ["!", counts.unreadable],
  ];
  return marks
    .filter(([, count]) => count > 0)
    .map(([mark, count]) => `${mark}${count}`)
    .join(" ");
}

/** The same for people who hear it. */
export function countsInWords({ counts }: Pick<ChangeTotals, "counts">, t: Translate): string {
  const parts = [
    counts.added > 0 ? t("{0} added", counts.added) : "",
    counts.removed > 0 ? t("{0} removed", counts.removed) : "",
    counts.changed > 0 ? t("{0} changed", counts.changed) : "",
    counts.metadata > 0 ? t("{0} with other metadata only", counts.metadata) : "",
    counts.unreadable > 0 ? t("{0} not comparable", counts.unreadable) : "",
  ];
  return parts.filter((part) => part !== "").join(", ") || t("nothing changed");
}

/** `+12 MiB −3 MiB`. */
export function growthText({ addedBytes, removedBytes }: ChangeTotals, locale: string): string {
  const parts = [
    addedBytes > 0 ? `+${sizeText(addedBytes, locale)}` : "",
    removedBytes > 0 ? `−${sizeText(removedBytes, locale)}` : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

export function changeName(change: ChangeKind, t: Translate): string {
  if (change === "added") return t("added");
  if (change === "removed") return t("removed");
  if (change === "changed") return t("changed");
  return change === "metadata" ? t("other metadata") : t("not comparable");
}

/** Behind the name in the tree. */
export function changeDescription(data: ChangeData, locale: string, t: Translate): string {
  const { isFolder, change, before, after, metadata, problem } = data;
  const own = change === null ? "" : changeName(change, t);
  if (isFolder) return [own, countsText(data), growthText(data, locale)].filter((part) => part !== "").join(" · ");
  if (problem !== null) return problem;
  const becomes =
    before !== null && after !== null && before.kind !== after.kind ? `${before.kind} → ${after.kind}` : "";
  const what = change === "metadata" ? metadata.map((field) => fieldName(field, t)).join(", ") : becomes;
  return [what || own, growthText(data, locale)].filter((part) => part !== "").join(" · ");
}

function fieldName(field: string, t: Translate): string {
  if (field === "mode") return t("mode");
  if (field === "owner") return t("owner");
  return field === "modified" ? t("time") : t("attributes");
}
