// What prune and gc would do, as tables. Pure.

import { html, Markup } from "../../core/report/markup.js";
import { dateAndTime, sizeText, type Translate } from "../model/words.js";
import type { GcPlanData, PruneLine, PrunePlanData } from "../service/actionsProtocol.js";
import type { Reader } from "./overviewContent.js";

const MAX_LINES = 5_000;

export function prunePreview({ lines, removes, timeZone }: PrunePlanData, policy: string, reader: Reader): Markup {
  const { t } = reader;
  const stays = lines.length - removes;
  const machines = [...Map.groupBy(lines.slice(0, MAX_LINES), ({ machine }) => machine)];
  const left = lines.length - MAX_LINES;
  const more = left > 0 ? html`<p class="note">${t("{0} more lines are not shown.", left)}</p>` : Markup.empty;
  return html`<p>${t("Keep rules: {0}. Days and weeks begin in the time zone {1}.", policy, timeZone)}</p>
<p class="note"><b>${t("{0} snapshots go, {1} stay.", removes, stays)}</b> ${t("Nothing has been changed yet. Prune forgets snapshots; their space is freed by gc.")}</p>
${machines.map(([machine, own], i) => pruneSection(machine, own, i, reader))}${more}`;
}

function pruneSection(machine: string, lines: readonly PruneLine[], index: number, reader: Reader): Markup {
  const { t, locale, timeZone } = reader;
  const goes = lines.filter(({ mark }) => mark === "remove").length;
  const rows = lines.map(
    ({ snapshotId, timeMs, mark, reasons, newBytes }) =>
      html`<tr><th scope="row">${dateAndTime(timeMs, locale, timeZone)} <small>${snapshotId.slice(0, 8)}</small></th><td><span class="badge ${mark}">${markText(mark, t)}</span></td><td>${reasons.join("; ")}</td><td class="number">${sizeText(newBytes, locale)}</td></tr>
`,
  );
  const id = `machine-${index}`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${machine}</h2><p class="quiet">${t("{0} go, {1} stay", goes, lines.length - goes)}</p>
<div class="scroll"><table><thead><tr><th scope="col">${t("Snapshot")}</th><th scope="col">${t("What happens")}</th><th scope="col">${t("Why")}</th><th scope="col" class="number">${t("New bytes")}</th></tr></thead><tbody>
${rows}</tbody></table></div></section>
`;
}

function markText(mark: PruneLine["mark"], t: Translate): string {
  if (mark === "remove") return t("goes");
  if (mark === "protected") return t("stays: protected");
  return mark === "keep" ? t("stays") : t("stays: not finished");
}

export function gcPreview(plan: GcPlanData, { t, locale }: Reader): Markup {
  const size = (bytes: number) => sizeText(bytes, locale);
  const { packs, packsChanged, packsKept, freedBytes, totalBytes, repackedBytes, unusedBytes } = plan;
  const rows = packs.map(
    ({ name, sizeBytes, usedBytes, action, reason }) =>
      html`<tr><th scope="row"><code>${name}</code></th><td><span class="badge ${action}">${action === "delete" ? t("is deleted") : t("is repacked")}</span></td><td class="number">${size(sizeBytes)}</td><td class="number">${size(usedBytes)}</td><td>${reason}</td></tr>
`,
  );
  const left = packsChanged - packs.length;
  const more = left > 0 ? html`<p class="note">${t("{0} more packs are not shown.", left)}</p>` : Markup.empty;
  const table = html`<div class="scroll"><table><thead><tr><th scope="col">${t("Pack")}</th><th scope="col">${t("What happens")}</th><th scope="col" class="number">${t("Size")}</th><th scope="col" class="number">${t("Needed")}</th><th scope="col">${t("Why")}</th></tr></thead><tbody>
${rows}</tbody></table></div>`;
  return html`<p class="note"><b>${t("{0} of {1} would be freed, {2} copied.", size(freedBytes), size(totalBytes), size(repackedBytes))}</b> ${t("Nothing has been changed yet. What a running backup may need waits for the next gc.")}</p>
<section aria-labelledby="packs"><h2 id="packs">${t("Packs")}</h2><p class="quiet">${t("{0} packs change, {1} stay as they are. {2} that nobody needs stay in them.", packsChanged, packsKept, size(unusedBytes))}</p>
${packsChanged === 0 ? html`<p class="empty">${t("There is nothing to free.")}</p>` : table}${more}</section>
`;
}
