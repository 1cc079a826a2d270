// How long recovery took in one machine's tests, one point a test, as an inline SVG.

import type { Outcome } from "../format/restoreTestRecord.js";
import { formatDuration, formatTick, niceStep } from "./amounts.js";
import type { Markup } from "./markup.js";
import { type SeriesScale, seriesChart } from "./seriesChart.js";

export interface HistoryPoint {
  /** ISO 8601. */
  at: string;
  outcome: Outcome;
  /** Null: not measured. */
  rtoMs: number | null;
}

const MAX_POINTS = 100;

const DURATION_SCALE: SeriesScale = { format: formatDuration, formatTick, step: niceStep };

/** Oldest first; the newest 100 are drawn. Null when fewer than two have been measured. */
export function historyChart(
  points: readonly HistoryPoint[],
  objectiveMs: number | null,
  width?: number,
): Markup | null {
  const drawn = points.slice(-MAX_POINTS);
  if (drawn.filter(({ rtoMs }) => rtoMs !== null).length < 2) return null;
  return seriesChart({
    label: `Recovery time of the last ${drawn.length} tests`,
    points: drawn.map(({ at, outcome, rtoMs }) => ({ at, outcome, value: rtoMs })),
    shape: "line",
    scale: DURATION_SCALE,
    objective: objectiveMs,
    width,
  });
}
