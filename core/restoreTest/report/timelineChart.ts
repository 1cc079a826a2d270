// When everything happened in a test, as an inline SVG: one row a phase or check, a bar from its start to its end. Colours
// come from the classes of the report's style sheet.

import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { formatDuration, formatTick, niceStep } from "../../report/amounts.js";
import { shortLine } from "../../report/inertText.js";
import { html, Markup } from "../../report/markup.js";

const WIDTH = 960;
const LABEL_WIDTH = 210;
const TIME_WIDTH = 84;
const ROW_HEIGHT = 24;
const TOP = 26;
const BAR_HEIGHT = 12;
const MAX_ROWS = 60;
const MAX_LABEL = 30;
const TICKS = 6;

interface Row {
  name: string;
  startMs: number;
  durationMs: number;
  /** Class of the bar. */
  kind: string;
}

/** Null when there is nothing to draw. */
export function timelineChart(record: RestoreTestRecord): Markup | null {
  const all = rowsOf(record);
  const rows = all.slice(0, MAX_ROWS);
  if (rows.length === 0) return null;
  const endMs = Math.max(1, ...rows.map(({ startMs, durationMs }) => startMs + durationMs));
  const height = TOP + rows.length * ROW_HEIGHT + 8;
  const left =
    all.length > rows.length
      ? html`<p class="quiet">${all.length - rows.length} more are not drawn.</p>`
      : Markup.empty;
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline of the test">
${ticks(endMs, height)}${rows.map((row, i) => drawRow(row, i, endMs))}</svg>${left}`;
}

/** Phases, and checks that were not made within a phase of their own name. */
function rowsOf({ times, checks }: RestoreTestRecord): Row[] {
  const ids = new Set(checks.map(({ id }) => id));
  const phases = times.phases
    .filter(({ name }) => !ids.has(name.replace(/^check /, "")) && !ids.has(`level.${name}`))
    .map((phase) => ({ ...phase, kind: "phase" }));
  const made = checks
    .filter(({ outcome, type }) => outcome !== "skipped" && type !== "objective")
    .map(({ id, startMs, durationMs, outcome }) => ({ name: id, startMs, durationMs, kind: outcome }));
  return [...phases, ...made].sort((a, b) => a.startMs - b.startMs);
}

function drawRow({ name, startMs, durationMs, kind }: Row, index: number, endMs: number): Markup {
  const y = TOP + index * ROW_HEIGHT;
  const x = placeOf(startMs, endMs);
  const width = Math.max(2, placeOf(startMs + durationMs, endMs) - x);
  const middle = y + ROW_HEIGHT / 2;
  return html`<g><title>${name}: ${formatDuration(durationMs)}, from ${formatDuration(startMs)}</title>
<text class="label" x="${LABEL_WIDTH - 10}" y="${middle + 4}" text-anchor="end">${shortLine(name, MAX_LABEL)}</text>
<rect class="bar ${kind}" x="${x.toFixed(1)}" y="${middle - BAR_HEIGHT / 2}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>
<text class="time" x="${Math.min(x + width + 6, WIDTH - TIME_WIDTH + 6).toFixed(1)}" y="${middle + 4}">${formatDuration(durationMs)}</text></g>
`;
}

function ticks(endMs: number, height: number): Markup[] {
  const stepMs = niceStep(endMs / TICKS);
  const marks: Markup[] = [];
  for (let atMs = 0; atMs <= endMs && marks.length <= 2 * TICKS; atMs += stepMs) {
    const x = placeOf(atMs, endMs).toFixed(1);
    marks.push(html`<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height - 4}"/>
<text class="tick" x="${x}" y="14" text-anchor="middle">${formatTick(atMs)}</text>`);
  }
  return marks;
}

function placeOf(atMs: number, endMs: number): number {
  return LABEL_WIDTH + (Math.min(atMs, endMs) / endMs) * (WIDTH - LABEL_WIDTH - TIME_WIDTH);
}
