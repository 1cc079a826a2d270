// Problems of a report as annotations beside the lines of the checkout.

import { isAbsolute, relative, resolve } from "node:path";
import { type JobReport, problemsToAnnotate } from "../core/index.js";
import type { Runner } from "./runner.js";

export function annotateProblems(runner: Runner, report: JobReport): void {
  const workspace = runner.env.GITHUB_WORKSPACE || process.cwd();
  const problems = report.problems.map((problem) => {
    const file = problem.file === null ? null : fileInWorkspace(problem.file, workspace);
    return { ...problem, file };
  });
  for (const annotation of problemsToAnnotate({ problems })) {
    runner.annotate({ ...annotation, title: `Reprise: ${annotation.title}` });
  }
}

/** Null for files that are not part of the checkout: GitHub would show the annotation nowhere. */
function fileInWorkspace(file: string, workspace: string): string | null {
  const path = relative(workspace, resolve(workspace, file));
  return path === "" || path.startsWith("..") || isAbsolute(path) ? null : path;
}
