// Problems of a report as annotations: on the line that is to blame, the worst first, and no more than GitHub shows.

import { isAbsolute, relative, resolve } from "node:path";
import type { JobReport, ReportProblem } from "../core/index.js";
import type { Annotation, Runner } from "./runner.js";

/** GitHub keeps ten of each severity for one step; one is left for saying how many more there are. */
const MAX_EACH = 9;
const SEVERITIES = ["error", "warning", "notice"] as const;

export function annotateProblems(runner: Runner, report: JobReport): void {
  const problems = [...report.problems, ...checkProblems(report), ...gateProblems(report)];
  const workspace = runner.env.GITHUB_WORKSPACE || process.cwd();
  for (const severity of SEVERITIES) {
    const all = problems.filter((problem) => problem.severity === severity);
    for (const problem of all.slice(0, MAX_EACH)) runner.annotate(annotationOf(problem, workspace));
    if (all.length <= MAX_EACH) continue;
    const message = `and ${all.length - MAX_EACH} more; the summary and the report have all of them`;
    runner.annotate({ severity, title: "Reprise", message, file: null, line: null, column: null });
  }
}

function annotationOf(problem: ReportProblem, workspace: string): Annotation {
  const { severity, code, message, hint, machine, line, column } = problem;
  return {
    severity,
    title: machine === null ? `Reprise: ${code}` : `Reprise: ${machine}: ${code}`,
    message: hint === null ? message : `${message}\n${hint}`,
    file: problem.file === null ? null : fileInWorkspace(problem.file, workspace),
    line,
    column,
  };
}

/** Null for files that are not part of the checkout: GitHub would show the annotation nowhere. */
function fileInWorkspace(file: string, workspace: string): string | null {
  const path = relative(workspace, resolve(workspace, file));
  return path === "" || path.startsWith("..") || isAbsolute(path) ? null : path;
}

/** Checks of a restore test that did not hold, on the line of the spec that asks for them. */
function checkProblems({ machines }: JobReport): ReportProblem[] {
  return machines.flatMap(({ machine, test }) =>
    (test?.checks ?? []).flatMap((check): ReportProblem[] => {
      if (check.line === null || (check.outcome !== "failed" && check.outcome !== "warned")) return [];
      const severity = check.outcome === "failed" ? "error" : "warning";
      const message = `${check.id}: ${check.reason ?? check.outcome}`;
      const place = { file: test?.file ?? null, line: check.line, column: null };
      return [{ severity, code: "check", message, hint: null, machine, ...place }];
    }),
  );
}

/** Machines that a gate is shut for, on the line of the rule that asks for them. */
function gateProblems({ gate }: JobReport): ReportProblem[] {
  const blocked = (gate?.machines ?? []).filter(({ decision }) => decision === "blocked");
  return blocked.map(({ machine, reasons, line }) => ({
    severity: gate?.decision === "overridden" ? "warning" : "error",
    code: reasons[0]?.code ?? "blocked",
    message: reasons.map(({ message }) => message).join("; "),
    hint: null,
    machine,
    file: gate?.policyFile ?? null,
    line,
    column: null,
  }));
}
