// Machines by what is proven of their backups: a table that can be sorted and searched. Pure.

import { html, Markup } from "../../core/report/markup.js";
import { outcomeText, levelText as testLevelText } from "../model/machineWords.js";
import {
  isGood,
  levelCounts,
  type MachineRow,
  machineRows,
  type ProofLevel,
  proofRank,
} from "../model/overviewNumbers.js";
import { numberText, type Translate } from "../model/words.js";
import type { OverviewData } from "../service/overviewProtocol.js";
import { badge, type Column, empty, machineName, numberClass, quiet, type Reader, section, when } from "./sections.js";

const MAX_MACHINES = 2000;
/** From so many on there is a field to search them. */
const MANY = 10;
const SORTED_BY = 1;

export function machinesSection({ machines, atMs }: OverviewData, reader: Reader): Markup {
  const { t, locale, isLive = true } = reader;
  const title = t("Machines by proof");
  if (machines.length === 0) return section("machines", title, empty(t("There is no snapshot yet.")));
  const all = machineRows(machines);
  const rows = all.slice(0, MAX_MACHINES).map((row) => machineRow(row, atMs, reader));
  const counts = levelCounts(all).map(
    ({ level, machines }) => html`<li>${badge(level, levelText(level, t))} <b>${numberText(machines, locale)}</b></li>
`,
  );
  const left = all.length - rows.length;
  const more = left > 0 ? quiet(t("Machines that are not shown: {0}.", numberText(left, locale))) : Markup.empty;
  return section(
    "machines",
    title,
    quiet(
      t(
        "What is known of each machine's backups, the least proven first. A restore test proves more than a verification.",
      ),
    ),
    html`<ul class="levels">${counts}</ul>
${isLive && all.length > MANY ? searchField(t) : Markup.empty}<div class="scroll"${isLive ? Markup.empty : Markup.constant(' tabindex="0"')} role="group" aria-labelledby="machines"><table class="sortable" id="machine-table"><thead><tr>${heads(reader)}</tr></thead><tbody>
${rows}</tbody></table></div>`,
    more,
  );
}

function heads({ t, isLive = true }: Reader): Markup[] {
  const columns: Column[] = [
    ...[{ head: t("Machine") }, { head: t("Proof") }, { head: t("Proven") }, { head: t("Newest backup") }],
    { head: t("Snapshots"), isNumber: true },
  ];
  return columns.map(({ head, isNumber }, i) => {
    const sorted = isLive && i === SORTED_BY ? Markup.constant(' aria-sort="ascending"') : Markup.empty;
    const name = isLive ? html`<button type="button" data-sort="${i}">${head}</button>` : html`${head}`;
    return html`<th scope="col"${numberClass(isNumber)}${sorted}>${name}</th>`;
  });
}

/** The script filters the table by it, and shows the first of many rows until more are asked for. */
function searchField(t: Translate): Markup {
  return html`<p class="search"><label for="machine-search">${t("Search machines")}</label> <input id="machine-search" type="search" data-search="machine-table" autocomplete="off" spellcheck="false"> <span class="quiet" id="machine-found" role="status" data-found="${t("Shown: {0} of {1}", "{0}", "{1}")}"></span> <button type="button" class="link" data-all="machine-table" hidden>${t("Show all")}</button></p>
`;
}

function machineRow(row: MachineRow, nowMs: number, reader: Reader): Markup {
  const { t, locale } = reader;
  const { proof, level, provenAtMs } = row;
  const { machine, snapshots, newestAtMs } = proof;
  const never = level === "damaged" ? "–" : t("never");
  const time = provenAtMs === null ? html`${never}` : when(provenAtMs, nowMs, reader);
  const proven =
    level === "damaged" && provenAtMs !== null ? html`${time} <small>${t("damage was seen")}</small>` : time;
  const remarks = remarksOn(row, t, locale).map((remark) => html`<small>${remark}</small>`);
  return html`<tr><th scope="row" data-value="${machine}">${machineName(machine, reader)}</th><td data-value="${proofRank(row)}">${badge(level, levelText(level, t))}${remarks}</td><td data-value="${provenAtMs ?? 0}">${proven}</td><td data-value="${newestAtMs}">${when(newestAtMs, nowMs, reader)}</td><td class="number" data-value="${snapshots}">${numberText(snapshots, locale)}</td></tr>
`;
}

/** What a level alone would not say. */
function remarksOn({ proof, level, isEarlier }: MachineRow, t: Translate, locale: string): string[] {
  const { test, damaged, snapshots } = proof;
  const remarks: string[] = [];
  if (level === "damaged")
    remarks.push(t("damaged snapshots: {0} of {1}", numberText(damaged, locale), numberText(snapshots, locale)));
  if (isEarlier) remarks.push(t("an earlier snapshot; the newest is not proven"));
  if (test !== null && !isGood(test.outcome)) remarks.push(t("last restore test: {0}", outcomeText(test.outcome, t)));
  return remarks;
}

function levelText(level: ProofLevel, t: Translate): string {
  if (level === "damaged") return t("damaged");
  if (level === "structure") return t("structure verified");
  return level === "data" ? t("all data verified") : (testLevelText(level, t) ?? t("nothing proven"));
}
