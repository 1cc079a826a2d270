// What the runners of a matrix have left, as one report. A machine of the plan that has left nothing is not passed over in silence.

import type { JobReport, ReportProblem } from "./jobReport.js";
import { mergeReports } from "./mergeReports.js";

/**
 * Worse than what the reports say when some of them are missing, or cannot be read (`unreadable` says why). A report of a plan is merged
 * only when there is no other. REPORTS_MISSING for none at all.
 */
export function mergeRunnerReports(reports: readonly JobReport[], unreadable: readonly ReportProblem[]): JobReport {
  const work = reports.filter(({ plan, machines }) => plan === null || machines.length > 0);
  const merged = mergeReports(work.length === 0 ? reports : work);
  const gaps = [...unreadable, ...missingMachines(reports)];
  const [first] = gaps;
  if (first === undefined) return merged;
  const outcome = merged.outcome === "failed" || merged.outcome === "cancelled" ? merged.outcome : "inconclusive";
  const more = gaps.length > 1 ? ` (and ${gaps.length - 1} more)` : "";
  return {
    ...merged,
    outcome,
    verdict: `${first.message}${more}; ${merged.verdict}`,
    problems: [...gaps, ...merged.problems],
  };
}

const MISSING_HINT = "look at its runner, and hand its report folder on when it fails, too (if: always())";

/** Of the plans' matrices, those that no other report has a line of. */
function missingMachines(reports: readonly JobReport[]): ReportProblem[] {
  const wanted = reports.filter(({ command }) => command === "plan").flatMap(({ plan }) => plan?.matrix ?? []);
  const others = reports.filter(({ command }) => command !== "plan");
  const isThere = (job: string, machine: string) =>
    others.some(
      (report) =>
        (machine === "" && report.job === job) ||
        report.machines.some((line) => line.job === job && (machine === "" || line.machine === machine)),
    );
  return wanted
    .filter(({ job, machine }) => !isThere(job, machine))
    .map(({ job, machine }) => {
      const who = machine === "" ? `the job ${job}` : `${machine} (job ${job})`;
      return {
        ...{ severity: "error", code: "REPORT_MISSING", message: `${who} has left no report`, hint: MISSING_HINT },
        ...{ machine: machine || null, file: null, line: null, column: null },
      };
    });
}
