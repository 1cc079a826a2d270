// A restore test as one HTML page that needs nothing else: no script, no request, pictures inside. Pure.

import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { formatInstant } from "../../report/amounts.js";
import { type HistoryPoint, historyChart } from "../../report/historyChart.js";
import { htmlPage, pictureOf, section } from "../../report/htmlPage.js";
import { html, Markup } from "../../report/markup.js";
import type { ObservedArtifact } from "../checks/check.js";
import { headlineOf } from "./recordFacts.js";
import * as sections from "./reportSections.js";
import { timelineChart } from "./timelineChart.js";

export interface HtmlReportInput {
  record: RestoreTestRecord;
  /** PNG pictures among them are shown. */
  artifacts?: readonly ObservedArtifact[];
  /** Of the same machine, oldest first, this test included. */
  history?: readonly HistoryPoint[];
}

const MAX_PICTURES = 8;
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;

export function renderHtml({ record, artifacts = [], history = [] }: HtmlReportInput): string {
  const body = html`${sections.headerOf(record)}
<main>
${sections.tilesOf(record)}
${sections.checksOf(record)}${timelineOf(record)}${picturesOf(artifacts)}${sections.isolationOf(record)}
${sections.coverageOf(record)}${trendOf(record, history)}${sections.factsOf(record)}${sections.artifactsOf(record)}
</main>
<footer><p>Made by ${record.tool.name} ${record.tool.version}, finished ${formatInstant(record.times.finishedAt)}. Record ${record.recordId}.</p></footer>`;
  return htmlPage(headlineOf(record), body);
}

function timelineOf(record: RestoreTestRecord): Markup {
  const chart = timelineChart(record);
  return chart === null ? Markup.empty : section("Timeline", chart);
}

function trendOf({ times }: RestoreTestRecord, history: readonly HistoryPoint[]): Markup {
  const chart = historyChart(history, times.objectives.rtoMs);
  return chart === null ? Markup.empty : section("Recovery time, test by test", chart);
}

function picturesOf(artifacts: readonly ObservedArtifact[]): Markup {
  const figures = artifacts.flatMap(({ name, bytes }) => {
    if (bytes.length > MAX_PICTURE_BYTES) return [];
    const picture = pictureOf(Buffer.from(bytes).toString("base64"), `Screen of the machine (${name})`);
    return picture === null
      ? []
      : html`<figure>${picture}
<figcaption>${name}</figcaption></figure>`;
  });
  return figures.length === 0 ? Markup.empty : section("Screen", html`${figures.slice(0, MAX_PICTURES)}`);
}
