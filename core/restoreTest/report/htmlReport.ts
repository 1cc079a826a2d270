// A restore test as one HTML page that needs nothing else: no script, no request, pictures inside. Pure.

import { createHash } from "node:crypto";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { formatInstant } from "../../report/amounts.js";
import { type HistoryPoint, historyChart } from "../../report/historyChart.js";
import { html, Markup } from "../../report/markup.js";
import { REPORT_STYLE } from "../../report/reportStyle.js";
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
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export function renderHtml({ record, artifacts = [], history = [] }: HtmlReportInput): string {
  const body = html`${sections.headerOf(record)}
<main>
${sections.tilesOf(record)}
${sections.checksOf(record)}${timelineOf(record)}${picturesOf(artifacts)}${sections.isolationOf(record)}
${sections.coverageOf(record)}${trendOf(record, history)}${sections.factsOf(record)}${sections.artifactsOf(record)}
</main>
<footer><p>Made by ${record.tool.name} ${record.tool.version}, finished ${formatInstant(record.times.finishedAt)}. Record ${record.recordId}.</p></footer>`;
  return html`${headOf(headlineOf(record))}<body>
${body}
</body>
</html>
`.source;
}

/** The page may show its own pictures and its own style sheet, by its digest: nothing else. */
function headOf(title: string): Markup {
  const digest = createHash("sha256").update(REPORT_STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const style = Markup.constant(`<style>${REPORT_STYLE}</style>`);
  return html`${Markup.constant("<!doctype html>\n")}<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${Markup.constant(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${style}
</head>
`;
}

function timelineOf(record: RestoreTestRecord): Markup {
  const chart = timelineChart(record);
  return chart === null ? Markup.empty : sections.section("Timeline", chart);
}

function trendOf({ times }: RestoreTestRecord, history: readonly HistoryPoint[]): Markup {
  const chart = historyChart(history, times.objectives.rtoMs);
  return chart === null ? Markup.empty : sections.section("Recovery time, test by test", chart);
}

function picturesOf(artifacts: readonly ObservedArtifact[]): Markup {
  const pictures = artifacts.filter(isPicture).slice(0, MAX_PICTURES);
  if (pictures.length === 0) return Markup.empty;
  const figures = pictures.map(
    ({
      name,
      bytes,
    }) => html`<figure><img alt="Screen of the machine (${name})" src="data:image/png;base64,${base64Of(bytes)}">
<figcaption>${name}</figcaption></figure>`,
  );
  return sections.section("Screen", html`${figures}`);
}

function base64Of(bytes: Uint8Array): Markup {
  return Markup.constant(Buffer.from(bytes).toString("base64"));
}

/** By what it is, not by what it is called. */
function isPicture({ bytes }: ObservedArtifact): boolean {
  return bytes.length <= MAX_PICTURE_BYTES && PNG_SIGNATURE.every((byte, i) => bytes[i] === byte);
}
