// Jobs on a terminal: what happens while they run, what came of them, and what they end with.

import { type JobEvent, type JobReport, renderJobText } from "../../core/index.js";
import { EXIT, type ExitCode } from "../exitCodes.js";
import { testEventLine } from "./restoreTestText.js";
import { type Line, type Style, styled } from "./text.js";
import { countText } from "./units.js";

type ReportOutcome = JobReport["outcome"];

const STYLES: Record<ReportOutcome | "skipped", Style> = {
  passed: "green",
  warned: "yellow",
  failed: "red",
  inconclusive: "yellow",
  cancelled: "yellow",
  skipped: "dim",
};

const CODES: Record<ReportOutcome, ExitCode> = {
  passed: EXIT.done,
  warned: EXIT.doneWithWarnings,
  inconclusive: EXIT.couldNotRun,
  failed: EXIT.failed,
  cancelled: EXIT.interrupted,
};
const WORST_FIRST: readonly ReportOutcome[] = ["failed", "cancelled", "inconclusive", "warned", "passed"];

/** Undefined: nothing worth a line. */
export function jobEventLine(event: JobEvent): Line | undefined {
  switch (event.event) {
    case "job-started": {
      const { job, command, machines } = event;
      const about = machines.length === 0 ? "" : `, ${countText(machines.length, "machine")}`;
      return [styled("bold", job), ` (${command}${about})`];
    }
    case "machine-started":
      return styled("dim", `  ${event.machine} …`);
    case "machine-finished":
      return ["  ", event.machine, ": ", styled(STYLES[event.outcome], event.outcome), `: ${event.reason}`];
    case "test":
      return testEventLine(event.detail);
    case "job-finished":
      return undefined;
  }
}

export function reportLines(reports: readonly JobReport[]): Line[] {
  return reports.flatMap((report): Line[] => {
    const [head = "", ...rest] = renderJobText(report).trimEnd().split("\n");
    return [styled(STYLES[report.outcome], head), ...rest];
  });
}

export function worstOf(reports: readonly JobReport[]): ReportOutcome {
  return WORST_FIRST.find((outcome) => reports.some((report) => report.outcome === outcome)) ?? "passed";
}

export function exitCodeOfReports(reports: readonly JobReport[]): ExitCode {
  return CODES[worstOf(reports)];
}
