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
  title: Markup;
  /** What it shows, in a sentence. */
  summary: string;
  series: readonly ChartSeries[];
  /** A level that shall not be passed. */
  limit: { name: string; value: number } | null;
  format: (value: number) => string;
  /** Below the picture. */
  day: (atMs: number) => string;
  /** Of a point, as exact as it is. */
  moment: (atMs: number) => string;
  /** One point a day. */
  isDaily: boolean;
  /** What its steps are powers of; 60: durations in milliseconds. */
  base: 10 | 60 | 1024;
  words: { table: string; date: string; more: (rows: number) => string };
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [520, 190, 84, 12, 18, 28];
const TICKS = 4;
const MAX_TABLE_ROWS = 400;
/** More are not told apart in so many pixels. */
const MAX_DRAWN = 240;
const MAX_DOTS = 60;

interface Frame {
  x: (atMs: number) => number;
  y: (value: number) => number;
  first: number;
  last: number;
  top: number;
}

export function timeChart(chart: TimeChart): Markup {
  const { id, title, summary, series } = chart;
  const frame = frameOf(chart);
  return html`<figure class="chart" id="${id}">
<figcaption><span class="title" id="${id}-title">${title}</span> <span id="${id}-summary">${summary}</span>${legend(chart)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-summary">
${grid(chart, frame)}${limitLine(chart, frame)}${series.map((each, i) => line(each, i, chart, frame))}${days(chart, frame)}</svg>
${table(chart)}</figure>`;
}

function frameOf({ series, limit, base }: TimeChart): Frame {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let highest = Math.max(0, limit?.value ?? 0);
  for (const { points } of series) {
    for (const { atMs, value } of points) {
      first = Math.min(first, atMs);
      last = Math.max(last, atMs);
      highest = Math.max(highest, value);
    }
  }
  const top = niceStep(highest / TICKS, base) * TICKS || 1;
  const span = last > first ? last - first : 1;
  return {
    ...{ first, last, top },
    x: (atMs) => LEFT + (last > first ? (atMs - first) / span : 0.5) * (WIDTH - LEFT - RIGHT),
    y: (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM),
  };
}

const DURATION_STEPS_S = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200,
];

const TENS = [1, 2, 2.5, 3, 4, 5, 6, 8, 10];
const BINARY = [...TENS.filter(Number.isInteger), 20, 30, 40, 50, 60, 80, 100, 150, 200, 256, 384, 512, 768, 1024];

/** The round number that is not less: of tens, of powers of 1024, or of seconds, minutes and hours. */
export function niceStep(about: number, base: 10 | 60 | 1024): number {
  if (about <= 0) return 0;
  if (base === 60 && about >= 1000) {
    const step = DURATION_STEPS_S.find((seconds) => seconds * 1000 >= about);
    return step === undefined ? niceStep(about / 86_400_000, 10) * 86_400_000 : step * 1000;
  }
  const powersOf = base === 1024 ? 1024 : 10;
  const power = powersOf ** Math.floor(Math.log(about) / Math.log(powersOf));
  const factors = base === 1024 ? BINARY : TENS;
  return (factors.find((factor) => factor * power >= about * (1 - 1e-9)) ?? powersOf) * power;
}

/** As many points as are told apart: of each stretch of time the lowest and the highest; the first, the last and marked ones stay. */
export function thinned(points: readonly ChartPoint[], most = MAX_DRAWN): readonly ChartPoint[] {
  if (points.length <= most) return points;
  const stretch = (2 * points.length) / most;
  const kept = new Set<number>([0, points.length - 1]);
  for (let from = 0; from < points.length; from += stretch) {
    let [low, high] = [Math.floor(from), Math.floor(from)];
    for (let i = low; i < Math.min(points.length, Math.floor(from + stretch)); i++) {
      if (valueAt(points, i) < valueAt(points, low)) low = i;
      if (valueAt(points, i) > valueAt(points, high)) high = i;
    }
    kept.add(low).add(high);
  }
  return points.filter(({ mark }, i) => mark !== null || kept.has(i));
}

function valueAt(points: readonly ChartPoint[], index: number): number {
  return points[index]?.value ?? 0;
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
<text class="tick above" x="${WIDTH - RIGHT}" y="${(at - 5).toFixed(1)}" text-anchor="end">${limit.name} ${format(limit.value)}</text>
`;
}

function line(
  { points: all, name }: ChartSeries,
  index: number,
  { format, moment }: TimeChart,
  { x, y }: Frame,
): Markup {
  const points = thinned(all);
  const path = points.map(({ atMs, value }) => `${x(atMs).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const dots = points.map((point) => {
    if (point.mark === null && points.length > MAX_DOTS) return Markup.empty;
    const [cx, cy] = [x(point.atMs), y(point.value)];
    const what = point.mark === null ? "" : `, ${point.mark}`;
    const title = html`<title>${moment(point.atMs)}: ${name} ${format(point.value)}${what}</title>`;
    // not only by colour: what is marked is a square
    return point.mark === null
      ? html`<circle class="dot series-${index}" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3">${title}</circle>
`
      : html`<rect class="dot marked" x="${(cx - 4.5).toFixed(1)}" y="${(cy - 4.5).toFixed(1)}" width="9" height="9">${title}</rect>
`;
  });
  return html`<polyline class="line series-${index}" points="${path}"/>
${dots}`;
}

function days({ day }: TimeChart, { x, first, last }: Frame): Markup {
  const y = HEIGHT - 8;
  if (day(first) === day(last))
    return html`<text class="tick" x="${(x(first) + x(last)) / 2}" y="${y}" text-anchor="middle">${day(first)}</text>`;
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

/** Every value, newest first; not thinned as the picture is. */
function table({ id, series, format, moment, words }: TimeChart): Markup {
  const byTime = new Map<number, Map<ChartSeries, ChartPoint[]>>();
  for (const each of series) {
    for (const point of each.points) {
      const row = byTime.get(point.atMs) ?? new Map<ChartSeries, ChartPoint[]>();
      byTime.set(point.atMs, row.set(each, [...(row.get(each) ?? []), point]));
    }
  }
  const newest = [...byTime].sort(([a], [b]) => b - a);
  const rows = newest.slice(0, MAX_TABLE_ROWS).map(([atMs, row]) => {
    const cells = series.map((each) => {
      const texts = (row.get(each) ?? []).map(({ value, mark }) => format(value) + (mark === null ? "" : ` (${mark})`));
      return html`<td class="number">${texts.join(", ")}</td>`;
    });
    return html`<tr><th scope="row">${moment(atMs)}</th>${cells}</tr>
`;
  });
  const heads = series.map(({ name }) => html`<th scope="col" class="number">${name}</th>`);
  const left = newest.length - rows.length;
  const more = left > 0 ? html`<p class="quiet">${words.more(left)}</p>` : Markup.empty;
  return html`<details><summary id="${id}-table">${words.table}</summary><div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-title ${id}-table"><table><thead><tr><th scope="col">${words.date}</th>${heads}</tr></thead><tbody>
${rows}</tbody></table></div>${more}</details>`;
}
