// What prune and gc would do, as tables. Pure.

import { html, Markup } from "../../core/report/markup.js";
import { dateAndTime, numberText, sizeText, type Translate } from "../model/words.js";
import type { GcPlanData, PruneLine, PrunePlanData } from "../service/actionsProtocol.js";
import { badge, empty, nameOf, quiet, type Reader, section, table } from "./sections.js";

const MAX_LINES = 5_000;

/** Before a plan that does not hold any more. */
export function outdatedNote(t: Translate): Markup {
  return html`<p class="note bad" role="alert">${t("This plan does not hold any more: the repository has changed since, or it was shown too long ago. Nothing was changed.")}</p>
`;
}

/** In sections: a plan may have thousands of lines. */
export function* prunePreview(
  { lines, removes, timeZone }: PrunePlanData,
  policy: string,
  reader: Reader,
): Generator<Markup> {
  const { t, locale } = reader;
  const count = (amount: number) => numberText(amount, locale);
  // sections are whole machines by what is shown; their counts are of all of their snapshots
  const all = Map.groupBy(lines, ({ machine }) => machine);
  const shown = [...Map.groupBy(lines.slice(0, MAX_LINES), ({ machine }) => machine)];
  const left = lines.length - MAX_LINES;
  const more = left > 0 ? html`<p class="note">${t("Lines that are not shown: {0}.", count(left))}</p>` : Markup.empty;
  yield html`<p>${t("Keep rules: {0}. Days and weeks begin in the time zone {1}.", policy, timeZone)}</p>
<p class="note"><b>${t("Snapshots that go: {0}; that stay: {1}.", count(removes), count(lines.length - removes))}</b> ${t("Nothing has been changed yet. Prune forgets snapshots; their space is freed by gc.")}</p>
`;
  for (const [i, [machine, own]] of shown.entries())
    yield pruneSection(machine, own, all.get(machine) ?? own, i, reader);
  yield more;
}

function pruneSection(
  machine: string,
  shown: readonly PruneLine[],
  all: readonly PruneLine[],
  index: number,
  reader: Reader,
): Markup {
  const { t, locale, timeZone } = reader;
  const goes = all.filter(({ mark }) => mark === "remove").length;
  const rows = shown.map(
    ({ snapshotId, timeMs, mark, reasons, newBytes }) =>
      html`<tr><th scope="row">${dateAndTime(timeMs, locale, timeZone)} <small title="${snapshotId}">${snapshotId.slice(0, 8)}</small></th><td>${badge(mark, markText(mark, t))}</td><td>${reasons.join("; ")}</td><td class="number">${sizeText(newBytes, locale)}</td></tr>
`,
  );
  const id = `machine-${index}`;
  const columns = [
    ...[{ head: t("Snapshot") }, { head: t("What happens") }, { head: t("Why") }],
    { head: t("New bytes"), isNumber: true },
  ];
  const counts = t("go: {0}; stay: {1}", numberText(goes, locale), (all.length - goes).toLocaleString(locale));
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${nameOf(machine)}</h2>${quiet(counts)}
${table(id, columns, rows)}</section>
`;
}

function markText(mark: PruneLine["mark"], t: Translate): string {
  if (mark === "remove") return t("goes");
  if (mark === "protected") return t("stays: protected");
  return mark === "keep" ? t("stays") : t("stays: not finished");
}

export function gcPreview(plan: GcPlanData, { t, locale }: Reader): Markup {
  const size = (bytes: number) => sizeText(bytes, locale);
  const count = (amount: number) => numberText(amount, locale);
  const { packs, packsChanged, packsKept, freedBytes, totalBytes, repackedBytes, unusedBytes } = plan;
  const rows = packs.map(
    ({ name, sizeBytes, usedBytes, action, reason }) =>
      html`<tr><th scope="row"><code>${name}</code></th><td>${badge(action, action === "delete" ? t("is deleted") : t("is repacked"))}</td><td class="number">${size(sizeBytes)}</td><td class="number">${size(usedBytes)}</td><td>${reason}</td></tr>
`,
  );
  const left = packsChanged - packs.length;
  const more = left > 0 ? html`<p class="note">${t("Packs that are not shown: {0}.", count(left))}</p>` : Markup.empty;
  const columns = [
    ...[{ head: t("Pack") }, { head: t("What happens") }, { head: t("Size"), isNumber: true }],
    ...[{ head: t("Needed"), isNumber: true }, { head: t("Why") }],
  ];
  return html`<p class="note"><b>${t("{0} of {1} would be freed, {2} copied.", size(freedBytes), size(totalBytes), size(repackedBytes))}</b> ${t("Nothing has been changed yet. What a running backup may need waits for the next gc.")}</p>
${section(
  "packs",
  t("Packs"),
  quiet(
    t(
      "Packs that change: {0}; that stay as they are: {1}. {2} that nobody needs stay in them.",
      ...[count(packsChanged), count(packsKept), size(unusedBytes)],
    ),
  ),
  packsChanged === 0 ? empty(t("There is nothing to free.")) : table("packs", columns, rows),
  more,
)}`;
}
