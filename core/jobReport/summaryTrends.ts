// Charts of a report in Markdown, and where its pictures are: GitHub shows no pictures that are part of the text.

import { code, folded, link, table } from "../report/markdown.js";
import { mermaidChart } from "../report/mermaidChart.js";
import type { JobReport, MachineTrend } from "./jobReport.js";
import { amountOf, isCourse } from "./reportWords.js";
import type { SummaryLimits, SummaryOptions } from "./summaryOptions.js";

/** As many diagrams are open; the others are folded away. */
const OPEN_DIAGRAMS = 2;
const UNITS: readonly (readonly [name: string, size: number])[] = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
];

/** Machines that did not pass come first. */
export function trendsSummary(report: JobReport, { diagrams }: SummaryLimits): string[] {
  const bad = new Set(report.machines.filter(({ outcome }) => outcome !== "passed").map(({ machine }) => machine));
  const ordered = [...report.trends].sort((a, b) => Number(bad.has(b.machine)) - Number(bad.has(a.machine)));
  const charts = ordered.flatMap((trend) => [
    ...(isCourse(trend.rto.map(({ ms }) => ms)) ? [() => rtoChart(trend)] : []),
    ...(isCourse(trend.added.map(({ bytes }) => bytes)) ? [() => addedChart(trend)] : []),
  ]);
  const shown = charts.slice(0, diagrams).map((draw) => draw());
  if (shown.length === 0) return [];
  const left = charts.length - shown.length;
  const rest = shown.slice(OPEN_DIAGRAMS).flat();
  const more = left > 0 ? [`… and ${amountOf(left, "more chart")} in the report`, ""] : [];
  return [
    "### Trends",
    "",
    ...shown.slice(0, OPEN_DIAGRAMS).flat(),
    ...(rest.length === 0 ? more : folded("More charts", [...rest, ...more])),
  ];
}

function rtoChart({ machine, rto, rtoObjectiveMs }: MachineTrend): string[] {
  const top = Math.max(0, ...rto.map(({ ms }) => ms));
  const [unit, size] = top >= 600_000 ? (["minutes", 60_000] as const) : (["seconds", 1000] as const);
  const objective = rtoObjectiveMs === null ? null : rtoObjectiveMs / size;
  const points = rto.map(({ at, ms }) => ({ at, value: ms / size }));
  const lines = mermaidChart({ unit, shape: "line", points, objective });
  const level = objective === null ? "" : ", the level line is the objective";
  return [`**Recovery time of** ${code(machine)}${level}`, "", ...lines, ""];
}

function addedChart({ machine, added }: MachineTrend): string[] {
  const top = Math.max(0, ...added.map(({ bytes }) => bytes));
  const [unit, size] = UNITS.find(([, bytes]) => top >= bytes) ?? ["bytes", 1];
  const points = added.map(({ at, bytes }) => ({ at, value: bytes / size }));
  const lines = mermaidChart({ unit, shape: "bar", points, objective: null });
  return [`**New data of each backup of** ${code(machine)}`, "", ...lines, ""];
}

/** Links, where there are addresses; else the names of the files. */
export function picturesSummary({ machines }: JobReport, options: SummaryOptions, limits: SummaryLimits): string[] {
  const { pictureUrls = {}, artifact = null } = options;
  const rows = machines.flatMap(({ machine, test }) => {
    const picture = test?.screenshot ?? null;
    if (picture === null) return [];
    const url = Object.hasOwn(pictureUrls, picture.name) ? pictureUrls[picture.name] : artifact?.url;
    const place = url === undefined || url === null ? null : link("open", url);
    const where = artifact === null ? "in the report of the run" : `in the artifact ${code(artifact.name)}`;
    return [[code(machine), `🖥️ ${code(picture.name)}`, place ?? where]];
  });
  const shown = rows.slice(0, limits.pictures);
  return shown.length === 0 ? [] : ["### Screens", "", ...table(["Machine", "Picture", "Where"], shown)];
}
