// What stands in the overview: sections of the page from the facts of a repository. Pure; the frame around it is webviewPage.ts.

import { html, Markup } from "../../core/report/markup.js";
import {
  capacityOverTime,
  changeAnomalies,
  dedupRatio,
  FORECAST_MIN_BACKUPS,
  FORECAST_MIN_DAYS,
  forecastGrowth,
  type MachineRow,
  machineRows,
  PROOF_LEVELS,
  type ProofLevel,
} from "../model/overviewNumbers.js";
import { type TimeChart, timeChart } from "../model/timeChart.js";
import { ageText, dateAndTime, sizeText, type Translate } from "../model/words.js";
import type { JobLine, OverviewData } from "../service/overviewProtocol.js";

/** The reader's language and clock. */
export interface Reader {
  t: Translate;
  locale: string;
  timeZone?: string;
}

const MAX_ANOMALIES = 20;
const MAX_MACHINES = 2000;
const MAX_RECOVERY_CHARTS = 24;

export function overviewContent(data: OverviewData, reader: Reader): Markup {
  return html`${tiles(data, reader)}${machinesSection(data, reader)}${capacitySection(data, reader)}${anomaliesSection(data, reader)}${recoverySection(data, reader)}${jobsSection(data, reader)}`;
}

function section(id: string, title: string, ...content: Markup[]): Markup {
  return html`<section aria-labelledby="${id}"><h2 id="${id}" tabindex="-1">${title}</h2>
${content}</section>
`;
}

function tiles({ totals, backups, machines, unreadable }: OverviewData, { t, locale }: Reader): Markup {
  const size = (bytes: number) => sizeText(bytes, locale);
  const tile = (value: string, name: string, more: string) =>
    html`<div class="tile"><dt>${name}</dt><dd><b>${value}</b><span>${more}</span></dd></div>
`;
  const ratio = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const share = totals.storedBytes === 0 ? 0 : totals.unusedBytes / totals.storedBytes;
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const warning =
    unreadable === 0
      ? Markup.empty
      : html`<p class="note bad" role="alert">${t("{0} snapshots cannot be read. Verify the repository.", unreadable)}</p>`;
  return html`<dl class="tiles">
${tile(size(totals.storedBytes), t("Stored"), t("in {0} packs", totals.packs))}${tile(size(totals.logicalBytes), t("Backed up"), t("{0} snapshots of {1} machines", backups.length, machines.length))}${tile(`${ratio.format(totals.totalRatio)} ×`, t("Saved by deduplication and compression"), t("{0} × by compression alone", ratio.format(totals.compressionRatio)))}${tile(size(totals.unusedBytes), t("Needed by no snapshot"), t("{0} of what is stored; gc frees it", percent.format(share)))}</dl>
${warning}`;
}

function machinesSection({ machines, atMs }: OverviewData, reader: Reader): Markup {
  const { t } = reader;
  const title = t("Machines by proof");
  if (machines.length === 0)
    return section("machines", title, html`<p class="empty">${t("There is no snapshot yet.")}</p>`);
  const heads = [t("Machine"), t("Proof"), t("Proven"), t("Newest backup"), t("Snapshots")];
  const rows = machineRows(machines).slice(0, MAX_MACHINES);
  return section(
    "machines",
    title,
    html`<p class="quiet">${t("What is known of each machine's backups, the least proven first. A restore test proves more than a verification.")}</p>
<div class="scroll"><table class="sortable"><thead><tr>${heads.map((name, i) => html`<th scope="col"${i === heads.length - 1 ? Markup.constant(' class="number"') : Markup.empty}${i === 1 ? Markup.constant(' aria-sort="ascending"') : Markup.empty}><button type="button" data-sort="${i}">${name}</button></th>`)}</tr></thead><tbody>
${rows.map((row) => machineRow(row, atMs, reader))}</tbody></table></div>`,
  );
}

function machineRow({ proof, level, provenAtMs }: MachineRow, nowMs: number, reader: Reader): Markup {
  const { t, locale } = reader;
  const { machine, snapshots, newestAtMs, test } = proof;
  const failed = test !== null && !["passed", "warned"].includes(test.outcome);
  const failure = failed
    ? html` <small>${t("last restore test: {0}", outcomeText(test.outcome, t))}</small>`
    : Markup.empty;
  return html`<tr><th scope="row" data-value="${machine}"><button type="button" class="link" data-machine="${machine}" title="${t("Show in the Backups view")}">${machine}</button></th><td data-value="${PROOF_LEVELS.indexOf(level)}"><span class="badge ${level}">${levelText(level, t)}</span>${failure}</td><td data-value="${provenAtMs ?? 0}">${provenAtMs === null ? t("never") : when(provenAtMs, nowMs, reader)}</td><td data-value="${newestAtMs}">${when(newestAtMs, nowMs, reader)}</td><td class="number" data-value="${snapshots}">${snapshots.toLocaleString(locale)}</td></tr>
`;
}

function when(atMs: number, nowMs: number, { locale, timeZone }: Reader): Markup {
  const exact = dateAndTime(atMs, locale, timeZone);
  return html`<time datetime="${new Date(atMs).toISOString()}" title="${exact}">${ageText(atMs, nowMs, locale)}</time>`;
}

/** Outcomes of tests and jobs; what is unknown stays as it is. */
function outcomeText(outcome: string, t: Translate): string {
  const words: Record<string, string> = {
    passed: t("passed"),
    warned: t("passed with warnings"),
    failed: t("failed"),
    inconclusive: t("inconclusive"),
    cancelled: t("cancelled"),
  };
  return words[outcome] ?? outcome;
}

function triggerText(trigger: string, t: Translate): string {
  const words: Record<string, string> = {
    manual: t("by hand"),
    scheduled: t("by schedule"),
    pipeline: t("by a pipeline"),
  };
  return words[trigger] ?? trigger;
}

function levelText(level: ProofLevel, t: Translate): string {
  const words: Record<ProofLevel, string> = {
    damaged: t("damaged"),
    unproven: t("nothing proven"),
    structure: t("structure verified"),
    data: t("all data verified"),
    intact: t("restored intact"),
    readable: t("files readable"),
    boots: t("boots"),
    serves: t("serves"),
  };
  return words[level];
}

function capacitySection(data: OverviewData, reader: Reader): Markup {
  const { t, locale } = reader;
  const points = capacityOverTime(data);
  const title = t("Capacity and deduplication");
  if (points.length < 2)
    return section(
      "capacity",
      title,
      html`<p class="empty">${t("Backups of two days are needed for a chart.")}</p>`,
      forecastText(data, reader),
    );
  const ratio = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return Markup.empty;
  const capacity = chart(reader, {
    id: "capacity-chart",
    title: t("Stored over time"),
    summary: t(
      "From {0} to {1}. What is stored now, less what later backups added.",
      sizeText(first.storedBytes, locale),
      sizeText(last.storedBytes, locale),
    ),
    series: [
      { name: t("Stored"), points: points.map(({ atMs, storedBytes }) => ({ atMs, value: storedBytes, mark: null })) },
    ],
    format: (value) => sizeText(value, locale),
  });
  const dedup = chart(reader, {
    id: "dedup-chart",
    title: t("Saved over time"),
    summary: t(
      "From {0} × to {1} ×: the size of all disks of all snapshots over what is stored.",
      ratio.format(dedupRatio(first)),
      ratio.format(dedupRatio(last)),
    ),
    series: [
      { name: t("Saved"), points: points.map((point) => ({ atMs: point.atMs, value: dedupRatio(point), mark: null })) },
    ],
    format: (value) => `${ratio.format(value)} ×`,
    base: 10,
  });
  return section("capacity", title, html`<div class="charts">${capacity}${dedup}</div>`, forecastText(data, reader));
}

function chart(
  { t, locale, timeZone }: Reader,
  given: Pick<TimeChart, "id" | "title" | "summary" | "series" | "format"> & Partial<TimeChart>,
): Markup {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone });
  return timeChart({
    limit: null,
    base: 1024,
    day: (atMs) => format.format(atMs - 1),
    words: { table: t("Show as a table"), date: t("Day") },
    ...given,
  });
}

function forecastText(data: OverviewData, { t, locale }: Reader): Markup {
  const size = (bytes: number) => sizeText(Math.max(0, bytes), locale);
  const forecast = forecastGrowth(data);
  const heading = html`<h3>${t("Growth forecast")}</h3>`;
  if (forecast.kind === "none") {
    const needed = t(
      "No forecast: {0} whole days with {1} later backups are known, and {2} days with {3} are needed.",
      ...[forecast.days, forecast.backups, FORECAST_MIN_DAYS, FORECAST_MIN_BACKUPS],
    );
    return html`${heading}<p class="empty">${needed}</p>`;
  }
  const { bytesPerDay, marginPerDay, days, horizons } = forecast;
  const rows = horizons.map(
    (each) =>
      html`<tr><th scope="row">${t("in {0} days", each.days)}</th><td class="number">${size(each.bytes)}</td><td class="number">${size(each.lowBytes)} – ${size(each.highBytes)}</td></tr>
`,
  );
  return html`${heading}<p>${t("Backups add {0} a day, give or take {1}.", size(bytesPerDay), size(marginPerDay))}</p>
<div class="scroll"><table class="narrow"><thead><tr><th scope="col">${t("When")}</th><th scope="col" class="number">${t("Stored")}</th><th scope="col" class="number">${t("Likely range")}</th></tr></thead><tbody>
${rows}</tbody></table></div>
<p class="quiet">${t("Computed from the last {0} whole days: the mean of what backups added each day, without the first backup of each machine, with its 95 % range. What prune and gc will free is not in it.", days)}</p>`;
}

function anomaliesSection({ backups }: OverviewData, { t, locale, timeZone }: Reader): Markup {
  const found = changeAnomalies(backups);
  const title = t("Unusual change");
  const how = html`<p class="quiet">${t("Backups with at least five times the new bytes that are usual for the machine (the middle of up to 20 backups before). New software does this, and so does somebody who encrypts files.")}</p>`;
  if (found.length === 0) return section("anomalies", title, how, html`<p class="empty">${t("None was found.")}</p>`);
  const ratio = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const rows = found.slice(0, MAX_ANOMALIES).map(({ backup, usualBytes, factor }) => {
    const times = Number.isFinite(factor) ? `${ratio.format(factor)} ×` : "";
    return html`<tr><th scope="row"><button type="button" class="link" data-machine="${backup.machine}">${backup.machine}</button></th><td>${dateAndTime(backup.atMs, locale, timeZone)}</td><td class="number">${sizeText(backup.newBytes, locale)}</td><td class="number">${sizeText(usualBytes, locale)}</td><td class="number"><b>${times}</b></td></tr>
`;
  });
  return section(
    "anomalies",
    title,
    how,
    html`<div class="scroll"><table><thead><tr><th scope="col">${t("Machine")}</th><th scope="col">${t("Backup")}</th><th scope="col" class="number">${t("New bytes")}</th><th scope="col" class="number">${t("Usual")}</th><th scope="col" class="number">${t("Times the usual")}</th></tr></thead><tbody>
${rows}</tbody></table></div>`,
  );
}

function recoverySection({ recovery }: OverviewData, reader: Reader): Markup {
  const { t, locale } = reader;
  const title = t("Recovery time");
  if (recovery.length === 0)
    return section("recovery", title, html`<p class="empty">${t("No restore test has measured it yet.")}</p>`);
  const seconds = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const format = (ms: number) =>
    ms < 600_000 ? `${seconds.format(ms / 1000)} s` : `${seconds.format(ms / 60_000)} min`;
  const charts = recovery.slice(0, MAX_RECOVERY_CHARTS).map(({ machine, objectiveMs, points }, i) =>
    chart(reader, {
      id: `recovery-${i}`,
      title: machine,
      summary: t("{0} in the newest of {1} tests.", format(points.at(-1)?.totalMs ?? 0), points.length),
      series: [
        {
          name: t("Recovery time"),
          points: points.map(({ atMs, totalMs, outcome }) => {
            return { atMs, value: totalMs, mark: outcome === "passed" ? null : outcomeText(outcome, t) };
          }),
        },
      ],
      limit: objectiveMs === null ? null : { name: t("objective"), value: objectiveMs },
      format,
      base: 10,
    }),
  );
  return section("recovery", title, html`<div class="charts">${charts}</div>`);
}

function jobsSection({ jobs, atMs }: OverviewData, reader: Reader): Markup {
  const { t } = reader;
  const title = t("Last jobs");
  if (jobs.length === 0)
    return section("jobs", title, html`<p class="empty">${t("No job has been recorded in this repository.")}</p>`);
  return section(
    "jobs",
    title,
    html`<div class="scroll"><table><thead><tr><th scope="col">${t("Job")}</th><th scope="col">${t("Command")}</th><th scope="col">${t("Outcome")}</th><th scope="col">${t("Started")}</th><th scope="col" class="number">${t("Took")}</th><th scope="col" class="number">${t("Machines")}</th><th scope="col">${t("Started by")}</th></tr></thead><tbody>
${jobs.map((job) => jobRow(job, atMs, reader))}</tbody></table></div>`,
  );
}

function jobRow(job: JobLine, nowMs: number, reader: Reader): Markup {
  const { t } = reader;
  const seconds = Math.max(0, Math.round((job.finishedAtMs - job.startedAtMs) / 1000));
  const took = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return html`<tr><th scope="row">${job.job}</th><td>${job.command}</td><td><span class="badge ${job.outcome}">${outcomeText(job.outcome, t)}</span></td><td>${when(job.startedAtMs, nowMs, reader)}</td><td class="number">${took}</td><td class="number">${job.machines}</td><td>${triggerText(job.trigger, t)}, ${job.host}</td></tr>
`;
}
