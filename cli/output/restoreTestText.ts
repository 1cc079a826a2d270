// Restore tests on a terminal: what happens while they run, and what came of them.

import type { CheckResult, MachineReport, TestEvent } from "../../core/index.js";
import { tableLines } from "./table.js";
import { type Line, type Span, type Style, styled } from "./text.js";
import { countText, elapsedText } from "./units.js";

type Outcome = CheckResult["outcome"];

const STYLE_OF: Record<Outcome, Style> = {
  passed: "green",
  warned: "yellow",
  failed: "red",
  inconclusive: "yellow",
  skipped: "dim",
};
const SIGN_OF: Record<Outcome, string> = {
  passed: "✓",
  warned: "!",
  failed: "✗",
  inconclusive: "?",
  skipped: "–",
};

/** Undefined: nothing worth a line. */
export function testEventLine(event: TestEvent): Line | undefined {
  switch (event.event) {
    case "machine-started":
      return [styled("bold", event.machine), `: ${event.snapshot}, to the level ${event.level}`];
    case "phase":
      if (event.state === "started") return undefined;
      return styled("dim", `  ${event.phase}: ${elapsedText(event.durationMs ?? 0)}`);
    case "check":
      return checkLine(event.result);
    case "machine-finished":
      return undefined;
  }
}

/** One line for each machine, with the reason. */
export function testLines(
  machines: readonly MachineReport[],
  untested: readonly { machine: string; error: unknown }[],
): Line[] {
  const rows = machines.map(({ record }) => [
    record.asset.machine,
    styled(STYLE_OF[record.result.outcome], record.result.outcome),
    record.result.provenLevel ?? "–",
    rtoText(record),
    elapsedText(record.times.rpoMs),
    record.result.reason,
  ]);
  const columns = ["MACHINE", "RESULT", "PROVEN", "RTO", "RPO", "REASON"].map((title) => ({ title }));
  const missing = untested.map(({ machine, error }): Line => {
    return [styled("red", `${machine}: not tested: `), error instanceof Error ? error.message : String(error)];
  });
  return [...(rows.length === 0 ? [] : tableLines(columns, rows)), ...missing];
}

export function testSummary(
  machines: readonly MachineReport[],
  untested: readonly unknown[],
  written: readonly string[],
): Line[] {
  const passed = machines.filter(({ record }) => record.result.outcome === "passed").length;
  const all = machines.length + untested.length;
  const stored = machines.filter(({ storedAs }) => storedAs !== null).length;
  return [
    `${passed} of ${countText(all, "machine")} passed, ${countText(stored, "record")} stored`,
    ...written.filter((path) => path.endsWith(".html")).map((path): Line => `report: ${path}`),
  ];
}

export function rtoText({ times }: Pick<MachineReport["record"], "times">): string {
  return times.rto.map(({ way, totalMs }) => `${elapsedText(totalMs)} ${way}`).join(", ") || "–";
}

function checkLine({ id, outcome, reason, observed, durationMs }: CheckResult): Line {
  const why: Span[] = outcome === "passed" ? [] : [`: ${reason ?? observed}`];
  const took = durationMs === 0 ? "" : `  ${elapsedText(durationMs)}`;
  return [`  `, styled(STYLE_OF[outcome], SIGN_OF[outcome]), ` ${id}`, ...why, styled("dim", took)];
}
