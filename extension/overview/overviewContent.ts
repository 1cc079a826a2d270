// What stands in the overview: sections of the page from the facts of a repository. Pure; the frame around it is webviewPage.ts.

import { html, Markup } from "../../core/report/markup.js";
import { numberText, sizeText, timesText } from "../model/words.js";
import type { OverviewData } from "../service/overviewProtocol.js";
import { capacitySection } from "./capacitySection.js";
import { anomaliesSection, jobsSection, recoverySection } from "./historySections.js";
import { machinesSection } from "./machinesSection.js";
import type { Reader } from "./sections.js";

/** One after the other: whoever asks for the next one may do something else before. */
export function* overviewSections(data: OverviewData, reader: Reader): Generator<Markup> {
  for (const section of [tiles, machinesSection, capacitySection, anomaliesSection, recoverySection, jobsSection])
    yield section(data, reader);
}

function tiles({ totals, backups, machines, unreadable }: OverviewData, { t, locale }: Reader): Markup {
  const { storedBytes, logicalBytes, uniqueBytes, unusedBytes, packs, compressionRatio, totalRatio } = totals;
  const size = (bytes: number) => sizeText(bytes, locale);
  const count = (amount: number) => numberText(amount, locale);
  const times = (ratio: number) => timesText(ratio, locale);
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const share = storedBytes === 0 ? 0 : unusedBytes / storedBytes;
  const dedup = uniqueBytes === 0 ? 1 : logicalBytes / uniqueBytes;
  const tile = (value: string, name: string, more: string) =>
    html`<div class="tile"><dt>${name}</dt><dd><b>${value}</b><span>${more}</span></dd></div>
`;
  const warning =
    unreadable === 0
      ? Markup.empty
      : html`<p class="note bad" role="alert">${
          unreadable === 1
            ? t("1 snapshot cannot be read. Verify the repository.")
            : t("{0} snapshots cannot be read. Verify the repository.", count(unreadable))
        }</p>`;
  return html`<dl class="tiles">
${tile(size(storedBytes), t("Stored"), packs === 1 ? t("in 1 pack") : t("in {0} packs", count(packs)))}${tile(
  size(logicalBytes),
  t("Backed up"),
  t("Snapshots: {0}; machines: {1}", count(backups.length), count(machines.length)),
)}${tile(
  times(totalRatio),
  t("Saved"),
  t("{0} by deduplication, {1} by compression", times(dedup), times(compressionRatio)),
)}${tile(size(unusedBytes), t("Needed by no snapshot"), t("{0} of what is stored; gc frees it", percent.format(share)))}</dl>
${warning}`;
}
