// A search in backups and what it has found, in words. Pure.

import {
  type HitTimes,
  MAX_SEARCHED_TEXT,
  type SearchHit,
  type SearchSummary,
  searchTextFault,
} from "../service/searchProtocol.js";
import { shortened } from "./shownName.js";
import { dateAndTime, sizeText, type Translate } from "./words.js";

export interface SearchSubject {
  machine: string;
  snapshot: { timeMs: number } | null;
  path: string;
  wanted: string;
}

/** `“hostname” in prod:vm/web1, Nov 22, 2026, 2:30 PM, /etc`. */
export function searchSubject(
  { machine, snapshot, path, wanted }: SearchSubject,
  locale: string,
  t: Translate,
): string {
  const when = snapshot === null ? t("all snapshots") : dateAndTime(snapshot.timeMs, locale);
  const where = [machine, when, ...(path === "/" ? [] : [shortened(path, 60)])].join(", ");
  return t("“{0}” in {1}", shortened(wanted, 40), where);
}

/**
 * Where it lies and how large it is; of a search of all snapshots in how many it is, and of when. `times` null: that is not known (yet);
 * undefined: one snapshot was searched.
 */
export function hitDescription(
  hit: SearchHit,
  times: HitTimes | null | undefined,
  locale: string,
  t: Translate,
): string {
  const { path, sizeBytes, snapshotMs, lines } = hit;
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  const words = [folder];
  if (lines.length > 0) words.push(lines.length === 1 ? t("1 line") : t("{0} lines", lines.length));
  else if (hit.kind === "file" && sizeBytes !== null) words.push(sizeText(sizeBytes, locale));
  if (times === undefined) return words.join(" · ");
  const last = dateAndTime(snapshotMs, locale);
  if (times === null) words.push(t("last in the snapshot of {0}", last));
  else if (times.snapshots === 1) words.push(t("in the snapshot of {0}", last));
  else words.push(t("in {0} snapshots, {1} to {2}", times.snapshots, dateAndTime(times.firstMs, locale), last));
  return words.join(" · ");
}

/** For the one who types it; undefined: it can be looked for. */
export function textFaultWords(text: string, t: Translate): string | undefined {
  switch (searchTextFault(text)) {
    case "empty":
      return t("Type what to look for");
    case "long":
      return t("At most {0} characters, not {1}", MAX_SEARCHED_TEXT, text.length);
    case "lines":
      return t("Only one line can be looked for");
    case undefined:
      return undefined;
  }
}

/** What was found before stays. */
export function failureText(reason: string, hits: number, t: Translate): string {
  const failed = t("The search failed: {0}", reason);
  return hits === 0 ? failed : `${failed}${/[.!?]$/.test(reason) ? "" : "."} ${t("There may be more than is shown.")}`;
}

/** What came out, and what was not looked at: nothing is left out silently. */
export function summaryText(summary: SearchSummary, kind: "name" | "text", t: Translate): string {
  const { hits, lines, complete, unreadable, tooLarge, binary } = summary;
  const sentences: string[] = [];
  if (hits === 0) sentences.push(t("Nothing was found."));
  else if (kind === "text") sentences.push(t("Lines: {0}; files: {1}.", lines, hits));
  else sentences.push(t("Found: {0}.", hits));
  if (!complete) sentences.push(t("There is more: look for something narrower, or in a folder."));
  if (unreadable > 0) sentences.push(t("Not readable: {0}.", unreadable));
  if (tooLarge > 0) sentences.push(t("Files over 64 MiB, not searched: {0}.", tooLarge));
  if (binary > 0) sentences.push(t("Files that are no text: {0}.", binary));
  return sentences.join(" ");
}
