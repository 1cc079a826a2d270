// Which problems a pipeline shows beside the lines of files: GitHub takes ten errors, ten warnings and ten notices of one step, and
// drops the rest without a word.

import { shortLine } from "../report/inertText.js";
import type { JobReport, ReportProblem } from "./jobReport.js";

export interface Annotation {
  severity: ReportProblem["severity"];
  /** One line. */
  title: string;
  /** Harmless in the log of a runner; may have several lines. */
  message: string;
  file: string | null;
  line: number | null;
  column: number | null;
}

const SEVERITIES = ["error", "warning", "notice"] as const;
const MAX_OF_EACH = 10;
const MAX_MESSAGE = 1000;
const MAX_TITLE = 120;
const MAX_FILE = 500;

/** Errors first, at most ten of each severity; those with a place before those without. The last of ten says how many are left. */
export function problemsToAnnotate({ problems }: Pick<JobReport, "problems">): Annotation[] {
  return SEVERITIES.flatMap((severity) => {
    const all = distinct(problems.filter((problem) => problem.severity === severity).map(annotationOf)).sort(byPlace);
    if (all.length <= MAX_OF_EACH) return all;
    const shown = all.slice(0, MAX_OF_EACH - 1);
    const left = all.length - shown.length;
    return [...shown, placeless(severity, `and ${left} more`, `${left} more are in the report of this run`)];
  });
}

function annotationOf(problem: ReportProblem): Annotation {
  const { severity, code, message, hint, machine } = problem;
  const about = machine === null || message.includes(machine) ? "" : `${shortLine(machine, MAX_TITLE)}: `;
  const remedy = hint === null || hint === "" ? "" : ` (${shortLine(hint, MAX_MESSAGE)})`;
  const told = `${about}${shortLine(message, MAX_MESSAGE)}${remedy}`;
  const file = problem.file === null || problem.file === "" ? null : shortLine(problem.file, MAX_FILE);
  if (file === null) return placeless(severity, shortLine(code, MAX_TITLE), told);
  // A column without a line is no place.
  const column = problem.line === null ? null : problem.column;
  return { severity, title: shortLine(code, MAX_TITLE), message: told, file, line: problem.line, column };
}

function placeless(severity: Annotation["severity"], title: string, message: string): Annotation {
  return { severity, title, message, file: null, line: null, column: null };
}

function distinct(annotations: readonly Annotation[]): Annotation[] {
  return [...new Map(annotations.map((each) => [JSON.stringify(each), each])).values()];
}

function byPlace(a: Annotation, b: Annotation): number {
  if ((a.file === null) !== (b.file === null)) return a.file === null ? 1 : -1;
  const [first, second] = [a.file ?? "", b.file ?? ""];
  if (first !== second) return first < second ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.message < b.message ? -1 : a.message > b.message ? 1 : 0);
}
