// Amounts in the course of time as an inline SVG that takes its colours from the editor's theme, by classes. Pure. Series differ by
// their strokes, too, and what a picture shows is also there as a table for who does not see it.

import { html, Markup } from "../../core/report/markup.js";

export interface ChartPoint {
  atMs: number;
  value: number;
  /** Null: a plain point; a word otherwise, which also gives it another shape. */
  mark: string | null;
}

export interface ChartSeries {
  name: string;
  /** Oldest first. */
  points: readonly ChartPoint[];
}

export interface TimeChart {
  /** Of the document; the picture is named by the elements made of it. */
  id: string;
  title: string;
  /** What it shows, in a sentence. */
  summary: string;
  series: readonly ChartSeries[];
  /** A level that shall not be passed. */
  limit: { name: string; value: number } | null;
  format: (value: number) => string;
  day: (atMs: number) => string;
  /** What its steps are powers of. */
  base: 10 | 1024;
  words: { table: string; date: string };
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [520, 190, 68, 12, 14, 28];
const TICKS = 4;
const MAX_TABLE_ROWS = 400;

interface Frame {
  x: (atMs: number) => number;
  y: (value: number) => number;
  top: number;
}

export function timeChart(chart: TimeChart): Markup {
  const { id, title, summary, series } = chart;
  const frame = frameOf(chart);
  return html`<figure class="chart" id="${id}">
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-summary">
${grid(chart, frame)}${limitLine(chart, frame)}${series.map((each, i) => line(each, i, chart, frame))}${days(chart, frame)}</svg>
<figcaption><span class="name" id="${id}-title">${title}</span> <span id="${id}-summary">${summary}</span>${legend(chart)}</figcaption>
${table(chart)}</figure>`;
}

function frameOf({ series, limit, base }: TimeChart): Frame {
  const points = series.flatMap(({ points }) => points);
  const times = points.map(({ atMs }) => atMs);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const highest = Math.max(0, limit?.value ?? 0, ...points.map(({ value }) => value));
  const top = niceStep(highest / TICKS, base) * TICKS || 1;
  const span = last > first ? last - first : 1;
  return {
    top,
    x: (atMs) => LEFT + (last > first ? (atMs - first) / span : 0.5) * (WIDTH - LEFT - RIGHT),
    y: (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM),
  };
}

/** The round number that is not less: 1, 2, 5 times a power, with 256 and 512 where units are of 1024. */
export function niceStep(about: number, base: 10 | 1024): number {
  if (about <= 0) return 0;
  const power = base ** Math.floor(Math.log(about) / Math.log(base));
  const factors = base === 10 ? [1, 2, 2.5, 5, 10] : [1, 2, 5, 10, 20, 50, 100, 200, 256, 512, 1024];
  return (factors.find((factor) => factor * power >= about * (1 - 1e-9)) ?? base) * power;
}

function grid({ format }: TimeChart, { y, top }: Frame): Markup[] {
  return Array.from({ length: TICKS + 1 }, (_, i) => {
    const value = (top / TICKS) * i;
    const at = y(value).toFixed(1);
    return html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>
<text class="tick" x="${LEFT - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${format(value)}</text>
`;
  });
}

function limitLine({ limit, format }: TimeChart, { y }: Frame): Markup {
  if (limit === null) return Markup.empty;
  const at = y(limit.value);
  return html`<line class="limit" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"/>
<text class="tick" x="${WIDTH - RIGHT}" y="${(at - 5).toFixed(1)}" text-anchor="end">${limit.name} ${format(limit.value)}</text>
`;
}

function line({ points, name }: ChartSeries, index: number, { format, day }: TimeChart, { x, y }: Frame): Markup {
  const path = points.map(({ atMs, value }) => `${x(atMs).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const dots = points.map((point) => {
    const [cx, cy] = [x(point.atMs), y(point.value)];
    const what = point.mark === null ? "" : `, ${point.mark}`;
    const title = html`<title>${day(point.atMs)}: ${name} ${format(point.value)}${what}</title>`;
    // not only by colour: what is marked is a square
    return point.mark === null
      ? html`<circle class="dot series-${index}" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3">${title}</circle>
`
      : html`<rect class="dot marked" x="${(cx - 4.5).toFixed(1)}" y="${(cy - 4.5).toFixed(1)}" width="9" height="9">${title}</rect>
`;
  });
  return html`<polyline class="line series-${index}" points="${path}"/>
${points.length <= 120 ? dots : []}`;
}

function days({ series, day }: TimeChart, { x }: Frame): Markup {
  const times = series.flatMap(({ points }) => points.map(({ atMs }) => atMs));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const y = HEIGHT - 8;
  if (first === last)
    return html`<text class="tick" x="${x(first)}" y="${y}" text-anchor="middle">${day(first)}</text>`;
  return html`<text class="tick" x="${LEFT}" y="${y}">${day(first)}</text>
<text class="tick" x="${WIDTH - RIGHT}" y="${y}" text-anchor="end">${day(last)}</text>`;
}

function legend({ series }: TimeChart): Markup {
  if (series.length < 2) return Markup.empty;
  const items = series.map(({ name }, i) => {
    return html`<span class="key"><svg class="swatch" viewBox="0 0 24 8" aria-hidden="true"><line class="line series-${i}" x1="0" x2="24" y1="4" y2="4"/></svg> ${name}</span> `;
  });
  return html`<span class="legend">${items}</span>`;
}

function table({ series, format, day, words, title }: TimeChart): Markup {
  const times = [...new Set(series.flatMap(({ points }) => points.map(({ atMs }) => atMs)))].sort((a, b) => b - a);
  const valueAt = ({ points }: ChartSeries, atMs: number) => points.find((point) => point.atMs === atMs);
  const rows = times.slice(0, MAX_TABLE_ROWS).map((atMs) => {
    const cells = series.map((each) => {
      const point = valueAt(each, atMs);
      const mark = point?.mark == null ? "" : ` (${point.mark})`;
      return html`<td class="number">${point === undefined ? "" : format(point.value) + mark}</td>`;
    });
    return html`<tr><th scope="row">${day(atMs)}</th>${cells}</tr>
`;
  });
  const heads = series.map(({ name }) => html`<th scope="col" class="number">${name}</th>`);
  return html`<details><summary>${words.table}</summary><div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr><th scope="col">${words.date}</th>${heads}</tr></thead><tbody>
${rows}</tbody></table></div></details>`;
}
