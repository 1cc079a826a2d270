// How recovery time, new data and size of machines went on, as charts; the machines that did not pass come first.

import { formatBytes } from "../report/amounts.js";
import { byteStep, formatByteTick } from "../report/byteScale.js";
import { historyChart } from "../report/historyChart.js";
import { section } from "../report/htmlPage.js";
import { html, Markup } from "../report/markup.js";
import { type SeriesScale, seriesChart } from "../report/seriesChart.js";
import type { JobReport, MachineTrend } from "./jobReport.js";
import { amountOf, isCourse } from "./reportWords.js";

/** Machines; three charts each. */
const MAX_DRAWN = 24;
const OPEN = 4;
/** Three stand beside each other. */
const WIDTH = 420;
const BYTES: SeriesScale = { format: formatBytes, formatTick: formatByteTick, step: byteStep };

export function trendsSection({ trends, machines }: JobReport): Markup {
  const bad = new Set(machines.filter(({ outcome }) => outcome !== "passed").map(({ machine }) => machine));
  const drawn = [...trends]
    .sort((a, b) => Number(bad.has(b.machine)) - Number(bad.has(a.machine)))
    .flatMap((trend) => chartsOf(trend) ?? []);
  if (drawn.length === 0) return Markup.empty;
  const shown = drawn.slice(0, MAX_DRAWN);
  const left = drawn.length - shown.length;
  const note = left === 0 ? Markup.empty : html`<p class="quiet">${amountOf(left, "more machine")} not drawn.</p>`;
  const rest = shown.slice(OPEN);
  const folded =
    rest.length === 0
      ? Markup.empty
      : html`<details><summary>Trends of ${amountOf(rest.length, "more machine")}</summary>${rest}</details>`;
  return section("Trends", html`${shown.slice(0, OPEN)}${folded}${note}`);
}

function chartsOf(trend: MachineTrend): Markup | null {
  const points = trend.rto.map(({ at, ms, outcome }) => ({ at, outcome, rtoMs: ms }));
  const charts: [string, Markup | null][] = [
    ["Recovery time", historyChart(points, trend.rtoObjectiveMs, WIDTH)],
    ["New data, backup by backup", bytesChart("New data of each backup", trend.added, "bars")],
    ["Size", bytesChart("Size of each backup", trend.size, "line")],
  ];
  const drawn = charts.flatMap(([title, chart]) =>
    chart === null
      ? []
      : html`<figure>${chart}<figcaption>${title}</figcaption></figure>
`,
  );
  return drawn.length === 0
    ? null
    : html`<div class="trends"><h3>${trend.machine}</h3><div class="charts">${drawn}</div></div>
`;
}

function bytesChart(label: string, points: MachineTrend["added"], shape: "line" | "bars"): Markup | null {
  if (!isCourse(points.map(({ bytes }) => bytes))) return null;
  const drawn = points.map(({ at, bytes }) => ({ at, value: bytes, outcome: null }));
  return seriesChart({ label, points: drawn, shape, scale: BYTES, objective: null, width: WIDTH });
}
