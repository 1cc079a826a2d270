// A chart in the language of Mermaid (xychart-beta), which GitHub draws in summaries. Nothing from elsewhere gets into it: labels are
// days or numbers, the rest is ours.

export interface MermaidChart {
  /** Unit of the axis; letters only. */
  unit: string;
  shape: "line" | "bar";
  /** Oldest first; times are ISO 8601. */
  points: readonly { at: string; value: number }[];
  /** Drawn as a second line. */
  objective: number | null;
}

const MAX_POINTS = 30;
const COLOURS = "#4a86c8, #c9870a";

/** Lines of a fenced block; none for fewer than two points. */
export function mermaidChart({ unit, shape, points, objective }: MermaidChart): string[] {
  const drawn = points.slice(-MAX_POINTS).filter(({ value }) => Number.isFinite(value) && value >= 0);
  if (drawn.length < 2) return [];
  const top = Math.max(...drawn.map(({ value }) => value), objective ?? 0, 0.001) * 1.1;
  const plain = unit.replaceAll(/[^A-Za-z ]/g, "");
  return [
    "```mermaid",
    `%%{init: {"themeVariables": {"xyChart": {"backgroundColor": "transparent", "plotColorPalette": "${COLOURS}"}}, "xyChart": {"width": 860, "height": 260}}}%%`,
    "xychart-beta",
    `  x-axis [${labelsOf(drawn.map(({ at }) => at)).join(", ")}]`,
    `  y-axis "${plain}" 0 --> ${numeral(top)}`,
    `  ${shape} [${drawn.map(({ value }) => numeral(value)).join(", ")}]`,
    ...(objective === null ? [] : [`  line [${drawn.map(() => numeral(objective)).join(", ")}]`]),
    "```",
  ];
}

/** Days when each is another one, else numbers: two columns of one name would be drawn as one. */
function labelsOf(times: readonly string[]): string[] {
  const days = times.map((at) => /^\d{4}-(\d{2}-\d{2})T/.exec(at)?.[1] ?? "");
  const clear = new Set(days).size === days.length && !days.includes("");
  return (clear ? days : days.map((_, i) => String(i + 1))).map((label) => `"${label}"`);
}

function numeral(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
