// Reports as one HTML page that needs nothing else: no script, no request, pictures inside; light, dark and on paper. Pure.

import { formatDuration, formatInstant } from "../report/amounts.js";
import { badge, htmlPage, pageLink } from "../report/htmlPage.js";
import { html, Markup } from "../report/markup.js";
import { gateSection } from "./htmlGate.js";
import { factsSection, planSection, problemsSection } from "./htmlLists.js";
import { machinesSection, testsSection, tilesOf } from "./htmlMachines.js";
import { trendsSection } from "./htmlTrends.js";
import type { JobReport } from "./jobReport.js";
import { mergeReports } from "./mergeReports.js";
import {
  amountOf,
  COMMAND_TITLES,
  DECISION_OUTCOMES,
  DECISION_WORDS,
  tookMs,
  verdictAfterName,
  worstOutcome,
} from "./reportWords.js";

export interface JobHtmlOptions {
  /** Of the page; default: what the report says itself. */
  title?: string;
}

/** One part for each report, in the order given; several are told together first. */
export function renderJobHtml(reports: readonly JobReport[], options: JobHtmlOptions = {}): string {
  const [first] = reports;
  const single = reports.length === 1 && first !== undefined;
  const title = options.title ?? (single ? titleOf(first) : titleOfAll(reports));
  const head = single ? headerOf(first, title) : headerOfAll(reports, title);
  const parts = single ? sectionsOf(first) : html`${reports.map(partOf)}`;
  const last = reports.at(-1);
  const maker =
    last === undefined
      ? ""
      : `Made by ${last.tool.name} ${last.tool.version}, finished ${formatInstant(last.finishedAt)}.`;
  return htmlPage(
    title,
    html`${head}
<main>
${parts}
</main>
<footer><p>${maker}</p></footer>`,
  );
}

function titleOf({ command, outcome, gate }: JobReport): string {
  if (gate !== null) return `Gate ${gate.gate}: ${DECISION_WORDS[gate.decision]}`;
  return `${COMMAND_TITLES[command]} ${outcome}`;
}

function titleOfAll(reports: readonly JobReport[]): string {
  return `${amountOf(reports.length, "run")}, ${worstOutcome(reports.map(({ outcome }) => outcome))}`;
}

/** Colour of a report: a decision's, when it has one. */
function kindOf({ outcome, gate }: JobReport): string {
  return gate === null ? outcome : DECISION_OUTCOMES[gate.decision];
}

function badgeOf(report: JobReport, size: string): Markup {
  return badge(kindOf(report), size, report.gate === null ? report.outcome : DECISION_WORDS[report.gate.decision]);
}

function headerOf(report: JobReport, title: string): Markup {
  return html`<header class="${kindOf(report)}"><div>
${dryRunOf(report)}${badgeOf(report, "large")}
<h1>${title}</h1>
<p class="verdict">${verdictAfterName(report)}</p>
${originOf(report)}
</div></header>`;
}

function headerOfAll(reports: readonly JobReport[], title: string): Markup {
  if (reports.length === 0) return html`<header><div><h1>No run</h1><p>There is no report to show.</p></div></header>`;
  const whole = mergeReports(reports);
  return html`<header class="${whole.outcome}"><div>
${badge(whole.outcome, "large")}
<h1>${title}</h1>
<p class="verdict">${whole.verdict}</p>
</div></header>`;
}

function partOf(report: JobReport): Markup {
  return html`<article>
<div class="band ${kindOf(report)}">${badgeOf(report, "")}<h2>${titleOf(report)}${report.job === null ? "" : `: ${report.job}`}</h2>
<p>${verdictAfterName(report)}</p>
${dryRunOf(report)}${originOf(report)}</div>
${sectionsOf(report)}</article>
`;
}

function sectionsOf(report: JobReport): Markup {
  return html`${tilesOf(report)}
${gateSection(report)}${machinesSection(report)}${planSection(report)}${problemsSection(report)}${testsSection(report)}${trendsSection(report)}${factsSection(report)}`;
}

function dryRunOf({ dryRun }: JobReport): Markup {
  return dryRun ? html`<p class="drill">Dry run: nothing was changed.</p>` : Markup.empty;
}

function originOf(report: JobReport): Markup {
  const { job, repository, startedAt, url } = report;
  const where = repository === null ? "" : ` · repository ${repository.name ?? ""} ${repository.location}`;
  const what = job === null ? "" : `Job ${job} · `;
  const run = url === null ? Markup.empty : html` · ${pageLink(url, "the run")}`;
  const took = `took ${formatDuration(tookMs(report))}`;
  return html`<p class="quiet">${what}${formatInstant(startedAt)} · ${took}${where}${run}</p>`;
}
