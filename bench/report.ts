// Turns results into the tables that people read.

import { type Cost, medianCost } from "./measure.js";
import { type SideBySideResults, steps } from "./sideBySide.js";
import { isMeasured, isReached, type Verdict } from "./targets.js";

/** Columns aligned, the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return rows.map(line).join("\n");
}

function costTable(results: SideBySideResults, title: string, show: (cost: Cost) => string): string {
  const tools = [...results.keys()];
  const rows = steps.map((step) => [
    step as string,
    ...tools.map((tool) => {
      const costs = results.get(tool)?.costs[step];
      return costs === undefined ? "–" : show(medianCost(costs));
    }),
  ]);
  return table([[title, ...tools], ...rows]);
}

function ratioTable(results: SideBySideResults): string {
  const tools = [...results.keys()];
  const oursOf = (step: (typeof steps)[number]) => results.get("reprise")?.costs[step];
  const rows = steps.map((step) => [
    step as string,
    ...tools.map((tool) => {
      const theirs = results.get(tool)?.costs[step];
      const ours = oursOf(step);
      if (theirs === undefined || ours === undefined) return "–";
      return (medianCost(theirs).wallSeconds / medianCost(ours).wallSeconds).toFixed(2);
    }),
  ]);
  return table([["time ÷ reprise's", ...tools], ...rows]);
}

function storedTable(results: SideBySideResults): string {
  const tools = [...results].filter(([, { storedBytes }]) => storedBytes.length === 3).map(([name]) => name);
  const rows = ["after first disk", "after second day", "after third disk"].map((label, i) => [
    label,
    ...tools.map((tool) => (results.get(tool)!.storedBytes[i]! / 1e6).toFixed(1)),
  ]);
  return table([["stored MB", ...tools], ...rows]);
}

export function sideBySideReport(results: SideBySideResults): string {
  return [
    costTable(results, "wall s (median)", (cost) => cost.wallSeconds.toFixed(2)),
    ratioTable(results),
    costTable(results, "CPU s (median)", (cost) => cost.cpuSeconds.toFixed(2)),
    costTable(results, "peak MB (worst)", (cost) => (cost.peakBytes / 1e6).toFixed(0)),
    storedTable(results),
  ].join("\n\n");
}

export function verdictReport(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => [
    verdict.what,
    isMeasured(verdict) ? `${verdict.value.toFixed(2)} ${verdict.unit}` : "not run",
    `${verdict.atLeast ? "≥" : "≤"} ${verdict.limit} ${verdict.unit}`,
    isMeasured(verdict) ? (isReached(verdict) ? "reached" : "MISSED") : "–",
  ]);
  return table([["target", "measured", "wanted", ""], ...rows]);
}
