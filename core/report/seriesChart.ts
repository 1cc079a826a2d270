// Amounts in the course of time as an inline SVG: a line with dots or bars, a scale of round numbers, and what was asked for as a
// broken line. Colours come from the classes of the reports' style sheet.

import type { Outcome } from "../format/restoreTestRecord.js";
import { formatInstant } from "./amounts.js";
import { html, Markup } from "./markup.js";

export interface SeriesPoint {
  /** ISO 8601. */
  at: string;
  /** Null: not measured. */
  value: number | null;
  /** Null: plain. */
  outcome: Outcome | null;
}

export interface SeriesScale {
  format: (value: number) => string;
  /** For the axis, whose numbers are round. */
  formatTick: (value: number) => string;
  /** The round number that is not less. */
  step: (about: number) => number;
}

export interface SeriesChart {
  /** What a screen reader says. */
  label: string;
  /** Oldest first. */
  points: readonly SeriesPoint[];
  shape: "line" | "bars";
  scale: SeriesScale;
  objective: number | null;
  /** Of the picture, in its own units; it grows and shrinks with the page. */
  width?: number;
}

interface Frame {
  width: number;
  x: (index: number) => number;
  y: (value: number) => number;
}

const HEIGHT = 220;
const LEFT = 84;
const RIGHT = 20;
const TOP = 16;
const BOTTOM = 32;
const MAX_TICKS = 12;

export function seriesChart({ label, points, shape, scale, objective, width = 960 }: SeriesChart): Markup {
  const top = Math.max(1, ...points.map(({ value }) => value ?? 0), objective ?? 0) * 1.1;
  const slot = (width - LEFT - RIGHT) / Math.max(1, points.length);
  const frame: Frame = {
    width,
    x: (i) =>
      shape === "bars" ? LEFT + (i + 0.5) * slot : LEFT + (i / Math.max(1, points.length - 1)) * (width - LEFT - RIGHT),
    y: (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM),
  };
  const marks = shape === "bars" ? drawBars(points, scale, frame, slot) : drawLine(points, scale, frame);
  const [first, last] = [dayOf(points[0]), dayOf(points.at(-1))];
  return html`<svg class="chart" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${label}">
${grid(top, scale, frame)}${objective === null ? Markup.empty : objectiveLine(objective, scale, frame)}
${marks}
<text class="tick" x="${LEFT}" y="${HEIGHT - 10}">${first}</text>
<text class="tick" x="${width - RIGHT}" y="${HEIGHT - 10}" text-anchor="end">${last}</text></svg>`;
}

function dayOf(point: SeriesPoint | undefined): string {
  return formatInstant(point?.at ?? "").slice(0, 10);
}

function drawLine(points: readonly SeriesPoint[], scale: SeriesScale, { x, y }: Frame): Markup {
  const path = points
    .flatMap(({ value }, i) => (value === null ? [] : `${x(i).toFixed(1)},${y(value).toFixed(1)}`))
    .join(" ");
  const dots = points.map((point, i) => drawDot(point, scale, x(i), y(point.value ?? 0)));
  return html`<polyline class="trend" points="${path}"/>
${dots}`;
}

function titleOf({ at, value, outcome }: SeriesPoint, scale: SeriesScale): Markup {
  const what = value === null ? "not measured" : scale.format(value);
  return html`<title>${formatInstant(at)}: ${what}${outcome === null ? "" : `, ${outcome}`}</title>`;
}

function drawDot(point: SeriesPoint, scale: SeriesScale, x: number, y: number): Markup {
  const title = titleOf(point, scale);
  const [cx, cy] = [x.toFixed(1), y.toFixed(1)];
  const kind = point.outcome ?? "phase";
  // Not only by colour: what did not pass is a square.
  if (kind === "passed" || kind === "warned" || kind === "phase")
    return html`<circle class="dot ${kind}" cx="${cx}" cy="${cy}" r="5">${title}</circle>
`;
  return html`<rect class="dot ${kind}" x="${(x - 5).toFixed(1)}" y="${(y - 5).toFixed(1)}" width="10" height="10">${title}</rect>
`;
}

function drawBars(points: readonly SeriesPoint[], scale: SeriesScale, { x, y }: Frame, slot: number): Markup {
  const width = Math.max(1, Math.min(28, slot * 0.7));
  const bars = points.map((point, i) => {
    const top = y(point.value ?? 0);
    // A backup without new bytes was made, too.
    const height = Math.max(1.5, y(0) - top);
    return html`<rect class="bar ${point.outcome ?? "phase"}" x="${(x(i) - width / 2).toFixed(1)}" y="${(y(0) - height).toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}">${titleOf(point, scale)}</rect>
`;
  });
  return html`${bars}`;
}

function grid(top: number, { formatTick, step }: SeriesScale, { width, y }: Frame): Markup[] {
  const distance = step(top / 4);
  const lines: Markup[] = [];
  for (let value = 0; value <= top && lines.length < MAX_TICKS; value += distance) {
    const at = y(value).toFixed(1);
    lines.push(html`<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${at}" y2="${at}"/>
<text class="tick" x="${LEFT - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${formatTick(value)}</text>`);
  }
  return lines;
}

function objectiveLine(value: number, { format }: SeriesScale, { width, y }: Frame): Markup {
  const at = y(value).toFixed(1);
  return html`<line class="objective" x1="${LEFT}" x2="${width - RIGHT}" y1="${at}" y2="${at}"/>
<text class="tick above" x="${LEFT + 6}" y="${(y(value) - 6).toFixed(1)}">objective ${format(value)}</text>`;
}
