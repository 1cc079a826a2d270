// How long recovery took in one machine's tests, one point a test, as an inline SVG.

import type { Outcome } from "../format/restoreTestRecord.js";
import { formatDuration, formatInstant, formatTick, niceStep } from "./amounts.js";
import { html, Markup } from "./markup.js";

export interface HistoryPoint {
  /** ISO 8601. */
  at: string;
  outcome: Outcome;
  /** Null: not measured. */
  rtoMs: number | null;
}

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 84;
const RIGHT = 20;
const TOP = 16;
const BOTTOM = 32;
const MAX_POINTS = 100;

/** Oldest first; the newest 100 are drawn. Null when fewer than two have been measured. */
export function historyChart(points: readonly HistoryPoint[], objectiveMs: number | null): Markup | null {
  const drawn = points.slice(-MAX_POINTS);
  const measured = drawn.flatMap(({ rtoMs }) => rtoMs ?? []);
  if (measured.length < 2) return null;
  const topMs = Math.max(1, ...measured, objectiveMs ?? 0) * 1.1;
  const x = (i: number) => LEFT + (i / Math.max(1, drawn.length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (ms: number) => TOP + (1 - ms / topMs) * (HEIGHT - TOP - BOTTOM);
  const path = drawn
    .flatMap(({ rtoMs }, i) => (rtoMs === null ? [] : `${x(i).toFixed(1)},${y(rtoMs).toFixed(1)}`))
    .join(" ");
  const dots = drawn.map((point, i) => drawPoint(point, x(i), y(point.rtoMs ?? 0)));
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Recovery time of the last ${drawn.length} tests">
${grid(topMs, y)}${objectiveMs === null ? Markup.empty : objectiveLine(objectiveMs, y(objectiveMs))}
<polyline class="trend" points="${path}"/>
${dots}
<text class="tick" x="${LEFT}" y="${HEIGHT - 10}">${formatInstant(drawn[0]?.at ?? "").slice(0, 10)}</text>
<text class="tick" x="${WIDTH - RIGHT}" y="${HEIGHT - 10}" text-anchor="end">${formatInstant(drawn.at(-1)?.at ?? "").slice(0, 10)}</text></svg>`;
}

function drawPoint({ at, outcome, rtoMs }: HistoryPoint, x: number, y: number): Markup {
  const what = rtoMs === null ? "not measured" : formatDuration(rtoMs);
  const title = html`<title>${formatInstant(at)}: ${what}, ${outcome}</title>`;
  const [cx, cy] = [x.toFixed(1), y.toFixed(1)];
  // Not only by colour: what did not pass is a square.
  if (outcome === "passed" || outcome === "warned")
    return html`<circle class="dot ${outcome}" cx="${cx}" cy="${cy}" r="5">${title}</circle>
`;
  return html`<rect class="dot ${outcome}" x="${(x - 5).toFixed(1)}" y="${(y - 5).toFixed(1)}" width="10" height="10">${title}</rect>
`;
}

function grid(topMs: number, y: (ms: number) => number): Markup[] {
  const stepMs = niceStep(topMs / 4);
  const lines: Markup[] = [];
  for (let ms = 0; ms <= topMs && lines.length < 12; ms += stepMs) {
    const at = y(ms).toFixed(1);
    lines.push(html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>
<text class="tick" x="${LEFT - 8}" y="${(y(ms) + 4).toFixed(1)}" text-anchor="end">${formatTick(ms)}</text>`);
  }
  return lines;
}

function objectiveLine(ms: number, y: number): Markup {
  const at = y.toFixed(1);
  return html`<line class="objective" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>
<text class="tick" x="${WIDTH - RIGHT}" y="${(y - 6).toFixed(1)}" text-anchor="end">objective ${formatDuration(ms)}</text>`;
}
